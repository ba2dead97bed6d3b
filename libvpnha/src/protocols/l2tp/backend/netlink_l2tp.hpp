// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's L2TP over generic netlink, as far as resumed tunnels need it. PPPoX sockets alone
// would name a tunnel by its 16-bit id and clash with a stock daemon's. Here the name has 32 bits,
// of which only the lower 16 are on the wire.
#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "host/netlink/netlink.hpp"
#include "host/netlink/netlink_train.hpp"
#include "protocols/l2tp/backend/l2tp_events.hpp"

namespace vpnha::adapters {

class L2tpNetlink {
  public:
    // Error unsupported when the kernel has no l2tp_netlink.
    [[nodiscard]] static Result<L2tpNetlink> open();

    // Makes the connected UDP socket `udp` carry the tunnel, version 2. Error already_exists when
    // `connection_id` is taken.
    Result<void> create_tunnel(std::uint32_t connection_id, TunnelId peer, int udp);
    // The kernel ends its sessions too; a tunnel that is gone is a success.
    Result<void> delete_tunnel(std::uint32_t connection_id);
    // Connection ids of all tunnels in this network namespace, stock ones included.
    [[nodiscard]] Result<std::vector<std::uint32_t>> tunnels();
    // Connection id of the tunnel, id of the session.
    using SessionName = std::pair<std::uint32_t, std::uint32_t>;
    // The sessions of `names` that the kernel has. Each one is queried: since 6.11 the kernel's
    // list omits the sessions of a tunnel whose name has more than 16 bits.
    [[nodiscard]] Result<std::set<SessionName>> present(const std::vector<SessionName>& names);
    // Deletions that this object has not made.
    [[nodiscard]] Result<L2tpEvents> subscribe() const;

  private:
    struct Family {
        std::uint16_t id = 0;
        std::uint32_t group = 0;
    };
    L2tpNetlink(NetlinkSocket socket, NetlinkTrain train, const Family& family)
        : socket_(std::move(socket)), train_(std::move(train)), family_(family) {}
    [[nodiscard]] static Result<Family> find_family(NetlinkSocket& socket);
    [[nodiscard]] NetlinkRequest request(std::uint8_t command, std::uint16_t flags) const;

    NetlinkSocket socket_;
    NetlinkTrain train_;
    Family family_;
};

}  // namespace vpnha::adapters
