// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/sockets/tcp_sockets.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

#include "host/netlink/netlink.hpp"
#include "host/os/text_file.hpp"

namespace vpnha::adapters {

namespace {

// A listener stays, and TIME_WAIT answers only what its owner would.
constexpr std::uint32_t kConnectionStates = ~(1U << TCP_LISTEN | 1U << TCP_TIME_WAIT);

inet_diag_req_v2& put_request(NetlinkRequest& request) {
    auto& asked = request.header<inet_diag_req_v2>();
    asked.sdiag_family = AF_INET;
    asked.sdiag_protocol = IPPROTO_TCP;
    asked.idiag_states = kConnectionStates;
    return asked;
}

// It may have ended by itself.
Result<void> destroy_socket(NetlinkSocket& socket, const inet_diag_sockid& id) {
    NetlinkRequest destruction(SOCK_DESTROY, 0);
    put_request(destruction).id = id;
    const Result<void> done = socket.ask(destruction, "destroying a TCP connection");
    return !done && done.error().code == Errc::not_found ? Result<void>{} : done;
}

}  // namespace

bool is_tcp_listener(const Ipv4Endpoint& endpoint) {
    // The kernel prints the address as the host-order number of its network-order octets.
    const std::string line = fmt::format(": {:08X}:{:04X} 00000000:0000 {:02X} ",
                                         __builtin_bswap32(endpoint.address.value), endpoint.port,
                                         static_cast<int>(TCP_LISTEN));
    return read_text("/proc/thread-self/net/tcp").find(line) != std::string::npos;
}

Result<void> destroy_connections(const Ipv4Endpoint& endpoint) {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_SOCK_DIAG));
    NetlinkRequest question(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
    put_request(question).id.idiag_sport = htons(endpoint.port);
    std::vector<inet_diag_sockid> found;
    VPNHA_CHECK(socket.ask(question, "listing TCP connections", [&](const nlmsghdr* message) {
        inet_diag_msg notified{};
        if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
            mnl_nlmsg_get_payload_len(message) < sizeof notified) {
            return;
        }
        std::memcpy(&notified, mnl_nlmsg_get_payload(message), sizeof notified);
        if (notified.id.idiag_src[0] == htonl(endpoint.address.value) &&
            notified.id.idiag_sport == htons(endpoint.port)) {
            found.push_back(notified.id);
        }
    }));
    for (const inet_diag_sockid& id : found) {
        VPNHA_CHECK(destroy_socket(socket, id));
    }
    return {};
}

Result<void> destroy_connection(const Ipv4Endpoint& ours, const Ipv4Endpoint& peer) {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_SOCK_DIAG));
    inet_diag_sockid id{};
    id.idiag_sport = htons(ours.port);
    id.idiag_src[0] = htonl(ours.address.value);
    id.idiag_dport = htons(peer.port);
    id.idiag_dst[0] = htonl(peer.address.value);
    id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return destroy_socket(socket, id);
}

}  // namespace vpnha::adapters
