// SPDX-License-Identifier: GPL-2.0-or-later
// Exchanges of IKEv2 that a node took up shortly before it died, and may not have answered. Pure.
//
// charon says a client's request as it comes, and what it makes of it, before it answers. If the
// answer is lost with the node, the client repeats its request, and the next charon ignores it: it
// expects the one behind. So the client would give up. When its request is seen again here, it has
// not been answered: what it made is taken back, and it is expected anew.
//
// A request shows nothing but its header, which anybody can write who has seen the last one. So the
// client's next one is looked at, too:
//
//   is seen                      | charon expects | then
//   -----------------------------+----------------+----------------------------------------------
//   the last request             | the next one   | the last one is expected anew, and what it
//                                |                | made is taken back
//   the same, whose CHILD SA the | the next one   | nothing: the client was answered
//   client has used              |                |
//   the next request             | the next one   | over: the client was answered
//   any                          | a later one    | over: charon has gone on
//   the next request, repeated   | the last one   | the last one was not the client's: the next
//                                |                | one is expected
//
// A CHILD SA that the client has not used yet is lost to such a forgery.
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
    // What was taken up so long before another node serves may not have been answered: a loss is
    // detected by then, also with Corosync's own token. And how long a client may repeat it.
    static constexpr Duration kAge = std::chrono::seconds(30);
    static constexpr Duration kWait = std::chrono::minutes(3);
    // charon has said by then that it has taken up a request. strongSwan's client repeats after 4
    // s.
    static constexpr Duration kSaidBy = std::chrono::seconds(1);

    // What becomes of an exchange.
    struct Change {
        bool is_repeated = false;          // The last request is expected; otherwise the next one.
        std::set<std::uint32_t> children;  // To be taken back.
    };
    using IsUsed = std::function<bool(std::uint32_t spi)>;

    // While another node serves: it has taken up a request, and expects this one next; it has made
    // a CHILD SA.
    void on_taken_up(const ipsec::IkeKey& key, std::uint32_t expected, TimePoint now);
    void on_child(const ipsec::IkeKey& maker, std::uint32_t spi);
    void forget(const ipsec::IkeKey& key) { taken_up_.erase(key); }
    void clear() { taken_up_.clear(); }

    // This node serves from now on: what is older has been answered, or given up.
    void begin(TimePoint now);
    [[nodiscard]] bool empty() const { return taken_up_.empty(); }
    // A request of its client may not have been answered, and was not seen again.
    [[nodiscard]] bool contains(const ipsec::IkeKey& key) const;
    // A client asks, and this node's charon expects that request of it. nullopt: nothing changes.
    [[nodiscard]] std::optional<Change> on_request(const ipsec::IkePacket& request,
                                                   std::uint32_t expected, const IsUsed& is_used,
                                                   TimePoint now);

  private:
    struct TakenUp {
        TimePoint at{};
        std::uint32_t expected = 0;
        std::set<std::uint32_t> children;
        bool is_repeated = false;            // It is expected anew.
        std::optional<TimePoint> next_at{};  // The next request was seen then, and not taken up.
    };

    [[nodiscard]] std::optional<Change> repeat(TakenUp& taken_up, bool makes_child,
                                               const IsUsed& is_used);

    std::map<ipsec::IkeKey, TakenUp> taken_up_;
};

}  // namespace vpnha::keepers
