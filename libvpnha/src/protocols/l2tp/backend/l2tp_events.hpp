// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's events about L2TP tunnels and sessions that somebody else deleted over generic
// netlink, for example by `ip l2tp del`. An event precedes the deletion, and comes from all network
// namespaces: it is a reason to check, no proof.
#pragma once

#include <cstdint>
#include <functional>

#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

class L2tpEvents {
  public:
    // `group` is the family's multicast group; deletions by netlink port `own_port` are left out.
    [[nodiscard]] static Result<L2tpEvents> open(std::uint32_t group, std::uint32_t own_port);

    [[nodiscard]] int fd() const { return mnl_socket_get_fd(socket_.get()); }
    // Reads all events; calls with the connection id of the tunnel. False: some were lost.
    [[nodiscard]] bool read(const std::function<void(std::uint32_t connection_id)>& on_deleted);

  private:
    explicit L2tpEvents(mnl_socket* socket) : socket_(socket) {}

    OwnedNetlink socket_;
};

}  // namespace vpnha::adapters
