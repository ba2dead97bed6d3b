// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/backend/udp_socket_state.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace vpnha::adapters {

namespace {

std::optional<UdpSocketState> parse_state(const nlmsghdr* message) {
    inet_diag_msg notified{};
    if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        mnl_nlmsg_get_payload_len(message) < sizeof notified) {
        return std::nullopt;
    }
    std::memcpy(&notified, mnl_nlmsg_get_payload(message), sizeof notified);
    UdpSocketState state{
        .cookie = std::uint64_t{notified.id.idiag_cookie[1]} << 32 | notified.id.idiag_cookie[0],
        .uid = notified.idiag_uid};
    bool has_memory = false;
    for_each_attribute(message, sizeof notified, [&](const nlattr* attribute) {
        std::array<std::uint32_t, SK_MEMINFO_DROPS + 1> memory{};
        if (mnl_attr_get_type(attribute) == INET_DIAG_SKMEMINFO &&
            mnl_attr_get_payload_len(attribute) >= sizeof memory) {
            std::memcpy(memory.data(), mnl_attr_get_payload(attribute), sizeof memory);
            state.queued_bytes = memory[SK_MEMINFO_RMEM_ALLOC];
            state.drops = memory[SK_MEMINFO_DROPS];
            has_memory = true;
        }
    });
    return has_memory ? std::optional(state) : std::nullopt;
}

}  // namespace

Result<UdpSockets> UdpSockets::open() {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_SOCK_DIAG));
    return UdpSockets(std::move(socket));
}

Result<std::optional<UdpSocketState>> UdpSockets::find(const Ipv4Endpoint& from,
                                                       const Ipv4Endpoint& to) {
    NetlinkRequest question(SOCK_DIAG_BY_FAMILY, 0);
    auto& asked = question.header<inet_diag_req_v2>();
    asked.sdiag_family = AF_INET;
    asked.sdiag_protocol = IPPROTO_UDP;
    asked.idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1);
    asked.idiag_states = ~0U;
    // For UDP the kernel searches as for a packet from source to destination.
    asked.id.idiag_src[0] = htonl(from.address.value);
    asked.id.idiag_sport = htons(from.port);
    asked.id.idiag_dst[0] = htonl(to.address.value);
    asked.id.idiag_dport = htons(to.port);
    asked.id.idiag_cookie[0] = asked.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    std::optional<UdpSocketState> found;
    const Result<void> answered =
        socket_.ask(question, "ask whose UDP port it is",
                    [&found](const nlmsghdr* message) { found = parse_state(message); });
    if (!answered && answered.error().code != Errc::not_found) {
        return tl::unexpected(answered.error());
    }
    return found;
}

}  // namespace vpnha::adapters
