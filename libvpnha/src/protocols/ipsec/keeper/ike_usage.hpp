// SPDX-License-Identifier: GPL-2.0-or-later
// Counts the traffic of IKEv2 clients for their accounts. Pure.
//
// A session is a client's IKE SA with all that replace it by a rekey. A peer is a client if it has
// a virtual address, or an EAP identity besides its own. L2TP within IPsec has accounts of its own,
// and a site has none.
//
//   an IKE SA             | the accounts receive
//   ----------------------+----------------------------------------------------------------------
//   is established        | the start of a session, with its virtual address; without one,
//                         | with its first packet
//   replaces another one  | the continuation of the session under another record
//   is over, without heir | the end of the session
//
// The kernel counts the traffic of an ESP SA from 0 on. A rekey makes other SAs, and so does each
// takeover. So once a second the traffic between two readings is added to the account's record.
// Traffic that a kernel counted before this node began to serve is not added.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "protocols/ipsec/keeper/esp_numbers.hpp"
#include "protocols/ipsec/model/sa_store.hpp"
#include "protocols/keeper.hpp"

namespace vpnha::keepers {

class IkeUsage {
  public:
    // `gateway` must outlive it. `on`: there are accounts. `tunnel_port`: the gateway's port of
    // L2TP.
    IkeUsage(Gateway& gateway, bool on, std::optional<std::uint16_t> tunnel_port)
        : gateway_(gateway), on_(on), tunnel_port_(tunnel_port) {}

    // This node is promoted: all sessions are reported after a while.
    void begin(TimePoint now);
    // This node is not promoted any more: the next node continues from the records.
    void stop();
    // Drops all readings of this kernel.
    void forget();

    // At the node that is promoted: changes that are in no record yet.
    void note(const ipsec::SaChanges& changes, const ipsec::SaSet& sas);
    // That IKE SA is about to end, for that reason.
    void expect_end(const ipsec::IkeKey& key, EndCause cause);
    // Reports at once what was noted, and the readings that are due.
    void follow(const ipsec::SaSet& sas, TimePoint now, Effects& effects);

    // Reads the counters of this kernel's ESP SAs.
    void read(const EspNumbers::Pairs& pairs, const ipsec::SaSet& sas, TimePoint now);

    [[nodiscard]] std::optional<TimePoint> next_deadline() const {
        return is_promoted() ? notify_at_ : std::nullopt;
    }

  private:
    void report_noted(const ipsec::SaSet& sas, TimePoint now, Effects& effects);
    // Its traffic that has not been reported.
    Traffic take(const ipsec::IkeKey& key);
    // Reports it if it is a session and has begun.
    void notify(const ipsec::IkeSa& sa, const ipsec::SaSet& sas, const Traffic& passed,
                TimePoint now, Effects& effects) const;
    [[nodiscard]] bool is_promoted() const { return gateway_.replica().promoted(); }

    Gateway& gateway_;
    bool on_;
    std::optional<std::uint16_t> tunnel_port_;
    // Per child, from its kernel: octets_in is what its inbound SA received.
    std::map<std::uint32_t, Traffic> seen_;
    bool is_first_ = true;  // Nothing has been read since this node was promoted.
    std::optional<TimePoint> read_at_;
    std::set<ipsec::IkeKey> noted_;
    std::set<ipsec::IkeKey> over_;  // Without an heir.
    std::map<ipsec::IkeKey, EndCause> ends_;
    std::map<ipsec::IkeKey, Traffic> passed_;  // To be reported.
    bool is_all_due_ = false;                  // All others are to be reported, too.
    std::optional<TimePoint> notify_at_;
};

}  // namespace vpnha::keepers
