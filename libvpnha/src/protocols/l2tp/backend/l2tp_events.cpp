// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/backend/l2tp_events.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/l2tp.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

// In the kernel, so that our own removal of thousands of tunnels does not fill the socket.
Result<void> attach_filter(int fd, std::uint32_t own_port) {
    constexpr std::uint32_t kCommandOffset = NLMSG_HDRLEN + offsetof(genlmsghdr, cmd);
    // The filter loads words as big-endian.
    std::array<sock_filter, 7> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(nlmsghdr, nlmsg_pid)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(own_port), 4, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kCommandOffset),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, L2TP_CMD_TUNNEL_DELETE, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, L2TP_CMD_SESSION_DELETE, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, ~std::uint32_t{0}),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    const sock_fprog filter{program.size(), program.data()};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
        return tl::unexpected(system_error("filter the kernel's news of L2TP", errno));
    }
    return {};
}

}  // namespace

Result<L2tpEvents> L2tpEvents::open(std::uint32_t group, std::uint32_t own_port) {
    mnl_socket* const raw = open_netlink(NETLINK_GENERIC, SOCK_NONBLOCK);
    if (raw == nullptr) {
        return tl::unexpected(system_error("open a netlink socket", errno));
    }
    L2tpEvents events(raw);
    VPNHA_CHECK(attach_filter(events.fd(), own_port));
    if (mnl_socket_bind(raw, 0, MNL_SOCKET_AUTOPID) < 0) {
        return tl::unexpected(system_error("bind a netlink socket", errno));
    }
    if (mnl_socket_setsockopt(raw, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0) {
        return tl::unexpected(system_error("subscribe to the kernel's news of L2TP", errno));
    }
    return events;
}

bool L2tpEvents::read(const std::function<void(std::uint32_t)>& on_deleted) {
    return read_news(socket_.get(), [&](const nlmsghdr* message) {
        for_each_attribute(message, sizeof(genlmsghdr), [&](const nlattr* attribute) {
            if (mnl_attr_get_type(attribute) == L2TP_ATTR_CONN_ID &&
                mnl_attr_validate(attribute, MNL_TYPE_U32) == 0) {
                on_deleted(mnl_attr_get_u32(attribute));
            }
        });
    });
}

}  // namespace vpnha::adapters
