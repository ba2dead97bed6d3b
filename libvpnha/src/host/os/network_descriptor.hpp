// SPDX-License-Identifier: GPL-2.0-or-later
// Every descriptor that belongs to a network namespace is opened here, in the namespace of the
// calling thread. Unix sockets with a path are files, and are opened elsewhere. A gateway may have
// its own namespace (docs/adr/0012): all its work runs within an InNetwork.
#pragma once

#include <libmnl/libmnl.h>

#include <string>
#include <utility>

#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// As socket(2), closed on exec; without a descriptor errno has the reason.
[[nodiscard]] UniqueFd open_network_socket(int family, int type, int protocol = 0);
// The same for netlink; nullptr: errno has the reason. The caller owns it.
[[nodiscard]] mnl_socket* open_netlink(int bus, int flags = 0);

class NetworkNamespace {
  public:
    // None: entering it changes nothing.
    NetworkNamespace() = default;
    // The one that `ip netns add NAME` made; "": none. Errors: not_found; permission, if this
    // process may not enter it.
    [[nodiscard]] static Result<NetworkNamespace> open(const std::string& name);
    // That of the calling thread.
    [[nodiscard]] static Result<NetworkNamespace> current();
    // A new one, with nothing except lo, which is down.
    [[nodiscard]] static Result<NetworkNamespace> make();

  private:
    friend class InNetwork;
    explicit NetworkNamespace(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;
};

// The calling thread is in that namespace while this lives; a thread or process that it starts
// meanwhile stays in it. A thread that did not return would use the devices of others, so the
// program ends then.
class InNetwork {
  public:
    explicit InNetwork(const NetworkNamespace& network);
    ~InNetwork();
    InNetwork(const InNetwork&) = delete;
    InNetwork& operator=(const InNetwork&) = delete;

  private:
    UniqueFd home_;  // None: it never left.
};

}  // namespace vpnha::adapters
