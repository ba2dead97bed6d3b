// SPDX-License-Identifier: GPL-2.0-or-later
// Exchanges of IKEv2 that a node took up shortly before it died, and may not have answered. Pure.
//
// charon says a client's request as it comes, and what it makes of it, before it answers. If the
// answer is lost with the node, the client repeats its request, and the next charon ignores it: it
// expects the one behind. So the client would give up. When its request is seen again here, it has
// not been answered: what it made is taken back, and it is expected anew.
//
// Whoever forges a request has to know the SA's SPIs, and has one try for each SA: the exchange is
// then repeated with a client that does not ask.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "base/time.hpp"
#include "ipsec/ike_packet.hpp"

namespace vpnha::keepers {

class OpenExchanges {
  public:
    // What was taken up so long before another node serves may not have been answered: a loss is
    // detected by then, also with Corosync's own token. And how long a client may repeat it.
    static constexpr Duration kAge = std::chrono::seconds(30);
    static constexpr Duration kWait = std::chrono::minutes(3);

    // While another node serves: it has taken up a request, and expects this one next; it has made
    // a CHILD SA.
    void on_taken_up(const ipsec::IkeKey& key, std::uint32_t expected, TimePoint now);
    void on_child(const ipsec::IkeKey& maker, std::uint32_t spi);
    void forget(const ipsec::IkeKey& key) { taken_up_.erase(key); }
    void clear() { taken_up_.clear(); }

    // This node serves from now on: what is older has been answered, or given up.
    void begin(TimePoint now);
    [[nodiscard]] bool empty() const { return taken_up_.empty(); }
    // A request of its client may not have been answered.
    [[nodiscard]] bool contains(const ipsec::IkeKey& key) const { return taken_up_.contains(key); }
    // A client asks, and this node's charon expects that request of it. The CHILD SAs to take back;
    // nullopt: nothing is repeated.
    [[nodiscard]] std::optional<std::set<std::uint32_t>> on_request(const ipsec::IkePacket& request,
                                                                    std::uint32_t expected);

  private:
    struct TakenUp {
        TimePoint at{};
        std::uint32_t expected = 0;
        std::set<std::uint32_t> children;
    };

    std::map<ipsec::IkeKey, TakenUp> taken_up_;
};

}  // namespace vpnha::keepers
