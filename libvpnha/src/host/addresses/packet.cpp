// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/packet.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/filter.h>
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

#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

constexpr MacAddress kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr Ipv6Address kAllNodes = {{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

// RFC 4861 4.4 and 4.6.1.
constexpr std::uint8_t kNeighbourAdvertisement = 136;
constexpr std::uint32_t kRouterFlag = 0x80000000;
constexpr std::uint32_t kOverrideFlag = 0x20000000;
constexpr std::uint8_t kTargetLinkLayerAddress = 2;
constexpr std::uint8_t kHopLimit = 255;  // A packet that has crossed a router is no neighbour's.
constexpr std::size_t kChecksumOffset = 2;

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
        sum += words.u16();  // Messages of an odd size are never ours.
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~(sum + (sum >> 16)));
}

}  // namespace

std::string to_string(const MacAddress& mac) {
    return fmt::format("{:02x}", fmt::join(mac, ":"));
}

Bytes encode_arp(ArpOperation operation, const ArpStation& sender, const ArpStation& target) {
    ByteWriter frame;
    frame.bytes(kBroadcast).bytes(sender.mac).u16(ETHERTYPE_ARP);
    frame.u16(ARPHRD_ETHER).u16(ETHERTYPE_IP);
    frame.u8(static_cast<std::uint8_t>(sender.mac.size())).u8(sizeof sender.address.value);
    frame.u16(static_cast<std::uint16_t>(operation));
    frame.bytes(sender.mac).u32(sender.address.value);
    frame.bytes(target.mac).u32(target.address.value);
    return std::move(frame).take();
}

Bytes encode_icmpv6(const MacAddress& sender, const Ipv6Address& source, const Ipv6Address& group,
                    ByteWriter message) {
    message.patch_u16(kChecksumOffset, icmpv6_checksum(source, group, message.view()));
    ByteWriter frame;
    // RFC 2464 7.
    frame.u16(0x3333).bytes(ByteView(group.octets).last(4)).bytes(sender).u16(ETHERTYPE_IPV6);
    frame.u32(0x60000000).u16(static_cast<std::uint16_t>(message.size()));
    frame.u8(IPPROTO_ICMPV6).u8(kHopLimit).bytes(source.octets).bytes(group.octets);
    frame.bytes(message.view());
    return std::move(frame).take();
}

Bytes encode_gratuitous_arp(const MacAddress& sender, Ipv4Address address, ArpOperation operation) {
    // The target's hardware address: without meaning in a request, the neighbours' in a reply.
    const MacAddress target = operation == ArpOperation::reply ? kBroadcast : MacAddress{};
    return encode_arp(operation, {sender, address}, {target, address});
}

Bytes encode_neighbour_advertisement(const MacAddress& sender, const Ipv6Address& address,
                                     bool is_router) {
    ByteWriter message;
    message.u8(kNeighbourAdvertisement).u8(0).u16(0);
    message.u32(kOverrideFlag | (is_router ? kRouterFlag : 0)).bytes(address.octets);
    message.u8(kTargetLinkLayerAddress).u8(1).bytes(sender);  // 1: of eight octets.
    return encode_icmpv6(sender, address, kAllNodes, std::move(message));
}

Result<PacketSocket> PacketSocket::open(const std::string& interface, std::uint16_t type,
                                        const sock_fprog* filter) {
    PacketSocket opened;
    opened.fd_ = open_network_socket(AF_PACKET, SOCK_RAW);
    if (!opened.fd_) {
        return tl::unexpected(system_error("open a packet socket", errno));
    }
    sockaddr_ll link{};
    link.sll_family = AF_PACKET;
    link.sll_protocol = htons(type);
    link.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    if (link.sll_ifindex == 0) {
        return fail(Errc::not_found, fmt::format("there is no interface {}", interface));
    }
    const int fd = opened.fd_.get();
    socklen_t link_bytes = sizeof link;
    // Attaches the filter before the protocol, so that nothing else is ever queued.
    if ((filter != nullptr &&
         setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof *filter) != 0) ||
        bind(fd, reinterpret_cast<const sockaddr*>(&link), sizeof link) != 0 ||
        getsockname(fd, reinterpret_cast<sockaddr*>(&link), &link_bytes) != 0) {
        return tl::unexpected(
            system_error(fmt::format("bind a packet socket to {}", interface), errno));
    }
    opened.has_neighbours_ =
        link.sll_hatype == ARPHRD_ETHER && link.sll_halen == opened.mac_.size();
    if (opened.has_neighbours_) {
        std::copy_n(link.sll_addr, opened.mac_.size(), opened.mac_.begin());
    }
    return opened;
}

Result<void> PacketSocket::send_frame(ByteView frame, std::string_view what) const {
    if (send(fd_.get(), frame.data(), frame.size(), 0) < 0) {
        return tl::unexpected(system_error(what, errno));
    }
    return {};
}

Result<void> announce_addresses(const std::string& interface,
                                const std::vector<IpPrefix>& addresses) {
    if (addresses.empty()) {
        return {};
    }
    VPNHA_TRY(const PacketSocket packet, PacketSocket::open(interface));
    if (!packet.has_neighbours()) {
        return {};
    }
    const bool is_router = forwards_ipv6(interface);
    for (const IpPrefix& each : addresses) {
        const std::string what =
            fmt::format("announce {} on {}", to_string(each.address), interface);
        if (const auto v6 = each.address.v6()) {
            VPNHA_CHECK(packet.send_frame(
                encode_neighbour_advertisement(packet.mac(), *v6, is_router), what));
        } else if (const auto v4 = each.address.v4()) {
            for (const ArpOperation operation : {ArpOperation::request, ArpOperation::reply}) {
                VPNHA_CHECK(
                    packet.send_frame(encode_gratuitous_arp(packet.mac(), *v4, operation), what));
            }
        }
    }
    return {};
}

}  // namespace vpnha::adapters
