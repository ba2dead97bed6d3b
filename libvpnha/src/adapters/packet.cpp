// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/packet.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "adapters/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

constexpr MacAddress kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct PacketSocket {
    UniqueFd fd;
    bool speaks_arp = false;
    MacAddress mac{};
};

Result<PacketSocket> open_packet_socket(const std::string& interface) {
    PacketSocket result;
    // Protocol 0 receives nothing: this socket only sends.
    result.fd.reset(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (!result.fd) {
        return tl::unexpected(system_error("open a packet socket", errno));
    }
    sockaddr_ll link{};
    link.sll_family = AF_PACKET;
    link.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    if (link.sll_ifindex == 0) {
        return fail(Errc::not_found, fmt::format("there is no interface {}", interface));
    }
    socklen_t link_bytes = sizeof link;
    if (bind(result.fd.get(), reinterpret_cast<const sockaddr*>(&link), sizeof link) != 0 ||
        getsockname(result.fd.get(), reinterpret_cast<sockaddr*>(&link), &link_bytes) != 0) {
        return tl::unexpected(
            system_error(fmt::format("bind a packet socket to {}", interface), errno));
    }
    result.speaks_arp = link.sll_hatype == ARPHRD_ETHER && link.sll_halen == result.mac.size();
    if (result.speaks_arp) {
        std::copy_n(link.sll_addr, result.mac.size(), result.mac.begin());
    }
    return result;
}

}  // namespace

Bytes encode_gratuitous_arp(const MacAddress& sender, Ipv4Address address, ArpOperation operation) {
    // The target's hardware address: of no meaning in a request, the neighbours' in a reply.
    const MacAddress target = operation == ArpOperation::reply ? kBroadcast : MacAddress{};
    ByteWriter frame;
    frame.bytes(kBroadcast).bytes(sender).u16(ETHERTYPE_ARP);
    frame.u16(ARPHRD_ETHER).u16(ETHERTYPE_IP);
    frame.u8(static_cast<std::uint8_t>(sender.size())).u8(sizeof address.value);
    frame.u16(static_cast<std::uint16_t>(operation));
    frame.bytes(sender).u32(address.value);
    frame.bytes(target).u32(address.value);
    return std::move(frame).take();
}

Result<void> send_gratuitous_arp(const std::string& interface,
                                 const std::vector<Ipv4Prefix>& addresses) {
    VPNHA_TRY(const PacketSocket packet, open_packet_socket(interface));
    if (!packet.speaks_arp) {
        return {};
    }
    for (const Ipv4Prefix& vip : addresses) {
        for (const ArpOperation operation : {ArpOperation::request, ArpOperation::reply}) {
            const Bytes frame = encode_gratuitous_arp(packet.mac, vip.address, operation);
            if (send(packet.fd.get(), frame.data(), frame.size(), 0) < 0) {
                return tl::unexpected(system_error(
                    fmt::format("announce {} on {}", to_string(vip.address), interface), errno));
            }
        }
    }
    return {};
}

}  // namespace vpnha::adapters
