// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's news of L2TP tunnels and sessions that were deleted over generic netlink by somebody
// else, `ip l2tp del` for one. News comes before the deed, and from all network namespaces alike:
// it is a reason to look, no proof.
#pragma once

#include <cstdint>
#include <functional>

#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

class L2tpEvents {
  public:
    // `group` is the family's multicast group; what the netlink port `own_port` does is not told.
    [[nodiscard]] static Result<L2tpEvents> open(std::uint32_t group, std::uint32_t own_port);

    [[nodiscard]] int fd() const { return mnl_socket_get_fd(socket_.get()); }
    // Reads all that is there; calls with the connection id of the tunnel. False: some was lost.
    [[nodiscard]] bool read(const std::function<void(std::uint32_t connection_id)>& on_deleted);

  private:
    explicit L2tpEvents(mnl_socket* socket) : socket_(socket) {}

    OwnedNetlink socket_;
};

}  // namespace vpnha::adapters
