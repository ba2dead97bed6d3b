// SPDX-License-Identifier: GPL-2.0-or-later
// What the clients of IKEv2 use, for their accounts. Pure.
//
// A session is a client's IKE SA, with all that replace it by a rekey. Who has a virtual address,
// or an identity of EAP beside its own, is a client. L2TP within IPsec has accounts of its own, and
// a site has none.
//
//   an IKE SA             | the accounts are told
//   ----------------------+----------------------------------------------------------------------
//   is established        | that a session has begun, with its virtual address; where it has none,
//                         | with its first packet
//   replaces another one  | that the session goes on under another record
//   is over, without heir | that the session has ended
//
// The kernel counts what passes in an ESP SA, from 0 on. A rekey makes other SAs, and so does each
// takeover. So what passed between two readings is added, once a second, and the account's record
// has the sum. What a kernel had counted before this node began to serve is not added.
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
    // `gateway` must outlive it. `on`: there are accounts. `tunnel_port`: where the gateway takes
    // L2TP.
    IkeUsage(Gateway& gateway, bool on, std::optional<std::uint16_t> tunnel_port)
        : gateway_(gateway), on_(on), tunnel_port_(tunnel_port) {}

    // This node is promoted: all sessions are told of, in some time.
    void begin(TimePoint now);
    // It is no more: the next node goes by the records.
    void stop();
    // Nothing is known of this kernel.
    void forget();

    // At the node that is promoted: what has changed, and is no record yet.
    void note(const ipsec::SaChanges& changes, const ipsec::SaSet& sas);
    // That IKE SA is about to end, for that reason.
    void expect_end(const ipsec::IkeKey& key, EndCause cause);
    // Tells at once what was noted, and what is due of readings.
    void follow(const ipsec::SaSet& sas, TimePoint now, Effects& effects);

    // The ESP SAs of this kernel.
    void read(const EspNumbers::Pairs& pairs, const ipsec::SaSet& sas, TimePoint now);

    [[nodiscard]] std::optional<TimePoint> next_deadline() const {
        return is_promoted() ? tell_at_ : std::nullopt;
    }

  private:
    void tell_noted(const ipsec::SaSet& sas, TimePoint now, Effects& effects);
    // What passed of it and was not told of.
    Traffic take(const ipsec::IkeKey& key);
    // If it is a session, and has begun.
    void tell(const ipsec::IkeSa& sa, const ipsec::SaSet& sas, const Traffic& passed, TimePoint now,
              Effects& effects) const;
    [[nodiscard]] bool is_promoted() const { return gateway_.replica().promoted(); }

    Gateway& gateway_;
    bool on_;
    std::optional<std::uint16_t> tunnel_port_;
    // Of a child, by its kernel: in octets_in what came by its inbound SA.
    std::map<std::uint32_t, Traffic> seen_;
    bool is_first_ = true;  // Nothing has been read since this node was promoted.
    std::optional<TimePoint> read_at_;
    std::set<ipsec::IkeKey> noted_;
    std::set<ipsec::IkeKey> over_;  // And had no heir.
    std::map<ipsec::IkeKey, EndCause> ends_;
    std::map<ipsec::IkeKey, Traffic> passed_;  // To be told.
    bool is_all_due_ = false;                  // And so are all others.
    std::optional<TimePoint> tell_at_;
};

}  // namespace vpnha::keepers
