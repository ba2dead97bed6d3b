// SPDX-License-Identifier: GPL-2.0-or-later
// Requests of one gateway that its clients of IKEv2 have not answered. Pure.
//
// A client accepts requests in their order only (RFC 7296 2.2, 2.3). charon has one open at a time
// and repeats it, so an unreachable client misses at most one. If the node dies then, the next
// charon counts on from there, and the client ignores its requests until it gives the SA up. So a
// request is a record until it is answered. The next node sends it again, with the same octets (RFC
// 7296 2.1), each time that its own charon sends that client a request. A client that has answered
// the request repeats its answer, which charon ignores.
//
//   a request of the gateway, INFORMATIONAL  | is kept; those before it are sent again
//   one that makes a CHILD SA                | those before it are sent again. The answer to it
//                                            | would leave a CHILD SA that only the client has
//   an answer of a client                    | that request and those before it are forgotten
//   the SA ends, or has an heir              | they are forgotten
//
// Answers are not authenticated: anybody who sees the SA's SPIs can have its requests forgotten.
// The SA is then like one without such records.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "protocols/ipsec/model/ike_packet.hpp"
#include "protocols/ipsec/model/open_request.hpp"
#include "protocols/ipsec/model/sa_record.hpp"
#include "protocols/keeper.hpp"

namespace vpnha::keepers {

class OpenRequests final : public Keeper {
  public:
    // `gateway` must outlive it.
    explicit OpenRequests(Gateway& gateway) : gateway_(gateway) {}

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }

    void install(const replica::Install& wanted, TimePoint now, Effects& effects) override;
    void remove(const wire::RecordKey& key, Effects& effects) override;
    void on_in_sync(TimePoint) override {}
    void on_replica(TimePoint, Effects&) override {}
    void follow(TimePoint, Effects&) override {}

    void promote(TimePoint now, Effects& effects) override;
    void pause(Effects& effects) override;
    void unpause(TimePoint now, Effects& effects) override;
    void mute(Effects& effects) override;
    void detach(Effects& effects) override;

    // Handles node::IkeSeen, where this node serves.
    void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) override;
    void on_time(TimePoint now, Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override { return look_at_; }

    [[nodiscard]] Counts counts() const override { return {{"ike_requests_sent_again", again_}}; }

  private:
    static constexpr std::array kTypes{wire::RecordType::open_request};

    void watch(bool on, Effects& effects);
    // nullopt: no live SA has that key.
    [[nodiscard]] std::optional<ipsec::IkePeer> peer_of(const ipsec::IkeKey& key) const;
    void on_request(const ipsec::IkePacket& packet, TimePoint now, Effects& effects);
    // Forgets the requests up to `last`.
    void forget(const ipsec::IkeKey& key, std::uint32_t last, TimePoint now);

    Gateway& gateway_;
    std::map<ipsec::IkeKey, std::map<std::uint32_t, Bytes>> open_;  // By message ID.
    bool watches_ = false;
    std::optional<TimePoint> look_at_;  // Looks for SAs that have ended.
    std::uint64_t again_ = 0;
};

}  // namespace vpnha::keepers
