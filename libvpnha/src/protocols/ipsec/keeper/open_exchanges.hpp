// SPDX-License-Identifier: GPL-2.0-or-later
// Exchanges of IKEv2 that a node began shortly before it died and may not have answered. Pure.
//
// charon reports a client's request as it arrives, and the result of it, before it answers. If the
// answer is lost with the node, the client repeats its request. The next charon expects the
// following request and ignores the repeated one, so the client would give up. When this node sees
// the request again, it was not answered: its result is taken back, and charon expects it anew.
//
// A request shows nothing but its header. Anybody who has seen the last one can forge that. So this
// node also watches for the client's next request:
//
//   is seen                      | charon expects | result
//   -----------------------------+----------------+----------------------------------------------
//   the last request             | the next one   | the last one is expected anew, and what it
//                                |                | made is taken back
//   the same, whose CHILD SA the | the next one   | nothing: the client was answered
//   client has used              |                |
//   the next request             | the next one   | over: the client was answered
//   any                          | a later one    | over: charon has proceeded
//   the next request, repeated   | the last one   | the last one was forged: the next
//                                |                | one is expected
//
// Such a forgery costs the client a CHILD SA that it has not used yet.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "base/time.hpp"
#include "protocols/ipsec/model/ike_packet.hpp"

namespace vpnha::keepers {

class OpenExchanges {
  public:
    // A request that arrived within this time before another node serves may be unanswered: even
    // Corosync's own token detects a loss by then. It is also how long a client may repeat it.
    static constexpr Duration kAge = std::chrono::seconds(30);
    static constexpr Duration kWait = std::chrono::minutes(3);
    // By then charon has reported a request that it
    // handles. strongSwan's client repeats after 4 s.
    static constexpr Duration kEmittedBy = std::chrono::seconds(1);

    // The outcome of an exchange.
    struct Change {
        bool is_repeated = false;          // The last request is expected; otherwise the next one.
        std::set<std::uint32_t> children;  // To be taken back.
    };
    using IsUsed = std::function<bool(std::uint32_t spi)>;

    // While another node serves: it has begun to handle a request, and expects this one next; it
    // has made a CHILD SA.
    void on_taken_up(const ipsec::IkeKey& key, std::uint32_t expected, TimePoint now);
    void on_child(const ipsec::IkeKey& maker, std::uint32_t spi);
    void forget(const ipsec::IkeKey& key) { taken_up_.erase(key); }
    void clear() { taken_up_.clear(); }

    // This node serves from now on: older requests have been answered, or given up.
    void begin(TimePoint now);
    [[nodiscard]] bool empty() const { return taken_up_.empty(); }
    // A request of its client may be unanswered, and was not seen again.
    [[nodiscard]] bool contains(const ipsec::IkeKey& key) const;
    // A client sends a request; this charon expects `expected`. nullopt: nothing changes.
    [[nodiscard]] std::optional<Change> on_request(const ipsec::IkePacket& request,
                                                   std::uint32_t expected, const IsUsed& is_used,
                                                   TimePoint now);

  private:
    struct TakenUp {
        TimePoint at{};
        std::uint32_t expected = 0;
        std::set<std::uint32_t> children;
        bool is_repeated = false;            // It is expected anew.
        std::optional<TimePoint> next_at{};  // When the next request was seen but not handled.
    };

    [[nodiscard]] std::optional<Change> repeat(TakenUp& taken_up, bool makes_child,
                                               const IsUsed& is_used);

    std::map<ipsec::IkeKey, TakenUp> taken_up_;
};

}  // namespace vpnha::keepers
