// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/packet.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "adapters/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

constexpr MacAddress kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr MacAddress kAllNodesMac = {0x33, 0x33, 0, 0, 0, 1};  // RFC 2464 7.
constexpr Ipv6Address kAllNodes = {{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

// RFC 4861 4.4 and 4.6.1.
constexpr std::uint8_t kNeighbourAdvertisement = 136;
constexpr std::uint32_t kRouterFlag = 0x80000000;
constexpr std::uint32_t kOverrideFlag = 0x20000000;
constexpr std::uint8_t kTargetLinkLayerAddress = 2;
constexpr std::uint8_t kHopLimit = 255;  // What has crossed a router is no neighbour's.
constexpr std::uint16_t kAdvertisementBytes = 32;
constexpr std::size_t kChecksumOffset = 2;

struct PacketSocket {
    UniqueFd fd;
    bool has_neighbours = false;
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
    result.has_neighbours = link.sll_hatype == ARPHRD_ETHER && link.sll_halen == result.mac.size();
    if (result.has_neighbours) {
        std::copy_n(link.sll_addr, result.mac.size(), result.mac.begin());
    }
    return result;
}

bool forwards_ipv6(const std::string& interface) {
    std::ifstream file("/proc/sys/net/ipv6/conf/" + interface + "/forwarding");
    int value = 0;
    return file >> value && value != 0;
}

// Of an ICMPv6 message whose checksum is 0 (RFC 8200 8.1).
std::uint16_t icmpv6_checksum(const Ipv6Address& source, const Ipv6Address& destination,
                              ByteView message) {
    ByteWriter covered;
    covered.bytes(source.octets).bytes(destination.octets);
    covered.u32(static_cast<std::uint32_t>(message.size())).u32(IPPROTO_ICMPV6).bytes(message);
    std::uint32_t sum = 0;
    for (ByteReader words(covered.view()); words.remaining() != 0;) {
        sum += words.u16();  // Messages of an odd size are none of ours.
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~(sum + (sum >> 16)));
}

Result<void> send_frame(const PacketSocket& packet, ByteView frame, const std::string& address,
                        const std::string& interface) {
    if (send(packet.fd.get(), frame.data(), frame.size(), 0) < 0) {
        return tl::unexpected(
            system_error(fmt::format("announce {} on {}", address, interface), errno));
    }
    return {};
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
    if (!packet.has_neighbours) {
        return {};
    }
    for (const Ipv4Prefix& vip : addresses) {
        for (const ArpOperation operation : {ArpOperation::request, ArpOperation::reply}) {
            const Bytes frame = encode_gratuitous_arp(packet.mac, vip.address, operation);
            VPNHA_CHECK(send_frame(packet, frame, to_string(vip.address), interface));
        }
    }
    return {};
}

Bytes encode_neighbour_advertisement(const MacAddress& sender, const Ipv6Address& address,
                                     bool is_router) {
    ByteWriter message;
    message.u8(kNeighbourAdvertisement).u8(0).u16(0);
    message.u32(kOverrideFlag | (is_router ? kRouterFlag : 0)).bytes(address.octets);
    message.u8(kTargetLinkLayerAddress).u8(1).bytes(sender);  // 1: of eight octets.
    message.patch_u16(kChecksumOffset, icmpv6_checksum(address, kAllNodes, message.view()));
    ByteWriter frame;
    frame.bytes(kAllNodesMac).bytes(sender).u16(ETHERTYPE_IPV6);
    frame.u32(0x60000000).u16(kAdvertisementBytes).u8(IPPROTO_ICMPV6).u8(kHopLimit);
    frame.bytes(address.octets).bytes(kAllNodes.octets).bytes(message.view());
    return std::move(frame).take();
}

Result<void> send_neighbour_advertisements(const std::string& interface,
                                           const std::vector<Ipv6Address>& addresses) {
    VPNHA_TRY(const PacketSocket packet, open_packet_socket(interface));
    if (!packet.has_neighbours) {
        return {};
    }
    const bool is_router = forwards_ipv6(interface);
    for (const Ipv6Address& vip : addresses) {
        VPNHA_CHECK(send_frame(packet, encode_neighbour_advertisement(packet.mac, vip, is_router),
                               to_string(vip), interface));
    }
    return {};
}

}  // namespace vpnha::adapters
