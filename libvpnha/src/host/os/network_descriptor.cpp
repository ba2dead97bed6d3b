// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/network_descriptor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::adapters {

namespace {

// Not /proc/self: that is the first thread's.
UniqueFd open_current() {
    return UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

}  // namespace

UniqueFd open_network_socket(int family, int type, int protocol) {
    return UniqueFd(socket(family, type | SOCK_CLOEXEC, protocol));
}

mnl_socket* open_netlink(int bus, int flags) {
    return mnl_socket_open2(bus, flags | SOCK_CLOEXEC);
}

Result<NetworkNamespace> NetworkNamespace::open(const std::string& name) {
    if (name.empty()) {
        return NetworkNamespace();
    }
    VPNHA_TRY(const NetworkNamespace home, current());
    UniqueFd named(::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!named && errno == ENOENT) {
        return fail(Errc::not_found,
                    fmt::format("there is no network namespace '{}' on this node; make it with its "
                                "links, as vpnha-netns@{}.service does",
                                name, name));
    }
    if (!named || setns(named.get(), CLONE_NEWNET) != 0) {
        const int number = errno;
        Error error =
            system_error(fmt::format("entering the network namespace '{}'", name), number);
        if (number == EPERM || number == EACCES) {
            error.code = Errc::permission;
            error.detail += "; only root may, and vpnhad's unit with RestrictNamespaces=net";
        }
        return tl::unexpected(std::move(error));
    }
    VPNHA_ASSERT(setns(home.fd_.get(), CLONE_NEWNET) == 0);
    return NetworkNamespace(std::move(named));
}

Result<NetworkNamespace> NetworkNamespace::current() {
    UniqueFd fd = open_current();
    if (!fd) {
        return tl::unexpected(system_error("looking at the own network namespace", errno));
    }
    return NetworkNamespace(std::move(fd));
}

Result<NetworkNamespace> NetworkNamespace::make() {
    VPNHA_TRY(const NetworkNamespace home, current());
    if (unshare(CLONE_NEWNET) != 0) {
        return tl::unexpected(system_error("making a network namespace", errno));
    }
    auto made = current();
    VPNHA_ASSERT(setns(home.fd_.get(), CLONE_NEWNET) == 0);
    return made;
}

InNetwork::InNetwork(const NetworkNamespace& network) {
    if (network.fd_) {
        home_ = open_current();
        VPNHA_ASSERT(home_ && setns(network.fd_.get(), CLONE_NEWNET) == 0);
    }
}

InNetwork::~InNetwork() {
    if (home_) {
        VPNHA_ASSERT(setns(home_.get(), CLONE_NEWNET) == 0);
    }
}

}  // namespace vpnha::adapters
