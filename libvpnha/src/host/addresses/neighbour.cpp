// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/neighbour.hpp"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vpnha::adapters {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint8_t kIcmpV6 = 58;
constexpr std::uint8_t kHopLimit = 255;  // Proves to a receiver: from its own link.
constexpr std::uint8_t kSolicitation = 135;
constexpr std::uint8_t kAdvertisement = 136;
constexpr std::uint8_t kSourceLinkLayerAddress = 1;
constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kIpV6Bytes = 40;
// Longer than any frame that parse_claim() reads.
constexpr std::size_t kFrameBytesMax = 256;
// Read before the clock or other sockets are checked.
constexpr int kFramesPerTurn = 32;

// ff02::1:ffXX:XXXX, where the last octets are the address's.
Ipv6Address solicited_node(const Ipv6Address& address) {
    Ipv6Address group = {{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0}};
    std::copy(address.octets.end() - 3, address.octets.end(), group.octets.end() - 3);
    return group;
}

std::optional<NeighbourClaim> parse_arp(ByteReader frame) {
    const bool ours = frame.u16() == ARPHRD_ETHER && frame.u16() == ETHERTYPE_IP &&
                      frame.u8() == 6 && frame.u8() == 4;
    frame.u16();  // Both operations carry the sender's address.
    NeighbourClaim claim;
    const ByteView mac = frame.take(claim.mac.size());
    const auto address = ip_address_of(frame.take(4));
    if (!ours || !frame.ok() || !address || *address == IpAddress(Ipv4Address{})) {
        return std::nullopt;
    }
    std::copy(mac.begin(), mac.end(), claim.mac.begin());
    claim.address = *address;
    return claim;
}

std::optional<NeighbourClaim> parse_advertisement(ByteReader frame, ByteView sender) {
    const bool is_v6 = frame.u32() >> 28 == 6;
    frame.u16();
    const bool from_this_link = frame.u8() == kIcmpV6 && frame.u8() == kHopLimit;
    frame.take(32);
    const bool is_advertisement = frame.u8() == kAdvertisement && frame.u8() == 0;
    frame.take(6);
    NeighbourClaim claim;
    const auto target = ip_address_of(frame.take(16));
    if (!is_v6 || !from_this_link || !is_advertisement || !frame.ok() || !target) {
        return std::nullopt;
    }
    std::copy(sender.begin(), sender.end(), claim.mac.begin());
    claim.address = *target;
    return claim;
}

Result<PacketSocket> open_advertisements(const std::string& interface) {
    constexpr std::uint32_t kNextHeader = kEthernetBytes + 6;
    constexpr std::uint32_t kIcmpType = kEthernetBytes + kIpV6Bytes;
    std::array<sock_filter, 6> program{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kNextHeader),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kIcmpV6, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kIcmpType),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kAdvertisement, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, kFrameBytesMax),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    const sock_fprog advertisements{program.size(), program.data()};
    return PacketSocket::open(interface, ETHERTYPE_IPV6, &advertisements);
}

bool any_of_family(const std::vector<IpAddress>& addresses, bool is_v6) {
    return std::any_of(addresses.begin(), addresses.end(),
                       [is_v6](const IpAddress& address) { return address.is_v4() != is_v6; });
}

// One socket for each family among the addresses; none on a device without ARP.
Result<std::vector<PacketSocket>> open_sockets(const std::string& interface,
                                               const std::vector<IpAddress>& addresses) {
    std::vector<PacketSocket> sockets;
    for (const bool is_v6 : {false, true}) {
        if (any_of_family(addresses, is_v6)) {
            VPNHA_TRY(PacketSocket opened, is_v6 ? open_advertisements(interface)
                                                 : PacketSocket::open(interface, ETHERTYPE_ARP));
            if (opened.has_neighbours()) {
                sockets.push_back(std::move(opened));
            }
        }
    }
    return sockets;
}

// Either kind of socket sends either kind of frame.
Result<void> ask_all(const PacketSocket& socket, const std::vector<IpAddress>& addresses) {
    for (const IpAddress& address : addresses) {
        const auto v4 = address.v4();
        VPNHA_CHECK(socket.send_frame(v4 ? encode_arp_probe(socket.mac(), *v4)
                                         : encode_solicitation(socket.mac(), *address.v6()),
                                      "ask the neighbours"));
    }
    return {};
}

// The first claim to one of the addresses before `until`.
std::optional<NeighbourClaim> listen(const std::vector<PacketSocket>& sockets,
                                     const std::vector<IpAddress>& addresses,
                                     steady_clock::time_point until) {
    std::vector<pollfd> entries;
    entries.reserve(sockets.size());
    for (const PacketSocket& socket : sockets) {
        entries.push_back({socket.fd(), POLLIN, 0});
    }
    for (;;) {
        for (const PacketSocket& socket : sockets) {
            for (const NeighbourClaim& claim : read_claims(socket)) {
                if (std::find(addresses.begin(), addresses.end(), claim.address) !=
                    addresses.end()) {
                    return claim;
                }
            }
        }
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        if (left.count() <= 0) {
            return std::nullopt;
        }
        poll(entries.data(), entries.size(), static_cast<int>(left.count()));
    }
}

}  // namespace

Bytes encode_arp_probe(const MacAddress& sender, Ipv4Address address) {
    return encode_arp(ArpOperation::request, {sender, {}}, {{}, address});
}

Bytes encode_solicitation(const MacAddress& sender, const Ipv6Address& address) {
    ByteWriter message;
    message.u8(kSolicitation).u8(0).u16(0).u32(0).bytes(address.octets);
    return encode_icmpv6(sender, Ipv6Address{}, solicited_node(address), std::move(message));
}

Bytes encode_arp_question(const ArpStation& sender, Ipv4Address address) {
    return encode_arp(ArpOperation::request, sender, {{}, address});
}

Bytes encode_solicitation_of(const MacAddress& sender, const Ipv6Address& own,
                             const Ipv6Address& address) {
    ByteWriter message;
    message.u8(kSolicitation).u8(0).u16(0).u32(0).bytes(address.octets);
    message.u8(kSourceLinkLayerAddress).u8(1).bytes(sender);  // 1: of eight octets.
    return encode_icmpv6(sender, own, solicited_node(address), std::move(message));
}

std::optional<NeighbourClaim> parse_claim(ByteView frame) {
    ByteReader reader(frame);
    reader.take(6);
    const ByteView sender = reader.take(6);
    switch (reader.u16()) {
        case ETHERTYPE_ARP:
            return parse_arp(reader);
        case ETHERTYPE_IPV6:
            return parse_advertisement(reader, sender);
        default:
            return std::nullopt;
    }
}

Result<PacketSocket> open_answers(const std::string& interface, bool is_v6) {
    if (is_v6) {
        return open_advertisements(interface);
    }
    constexpr std::uint32_t kOperation = kEthernetBytes + 6;
    std::array<sock_filter, 4> program{{
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kOperation),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REPLY, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, kFrameBytesMax),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    const sock_fprog replies{program.size(), program.data()};
    return PacketSocket::open(interface, ETHERTYPE_ARP, &replies);
}

std::vector<NeighbourClaim> read_claims(const PacketSocket& socket) {
    std::vector<NeighbourClaim> claims;
    std::array<std::uint8_t, kFrameBytesMax> frame{};
    for (int i = 0; i < kFramesPerTurn; ++i) {
        sockaddr_ll from{};
        socklen_t bytes = sizeof from;
        const ssize_t got = recvfrom(socket.fd(), frame.data(), frame.size(), MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&from), &bytes);
        if (got < 0) {
            break;
        }
        const auto claim = parse_claim(ByteView(frame).first(static_cast<std::size_t>(got)));
        if (claim && from.sll_pkttype != PACKET_OUTGOING && claim->mac != socket.mac()) {
            claims.push_back(*claim);
        }
    }
    return claims;
}

Result<OwnerSearch> find_owner(const std::string& interface,
                               const std::vector<IpAddress>& addresses, milliseconds wait) {
    OwnerSearch search;
    VPNHA_TRY(search.sockets, open_sockets(interface, addresses));
    const auto now = steady_clock::now();
    for (const auto until : {now + wait / 2, now + wait}) {
        if (!search.sockets.empty() && !search.found) {
            VPNHA_CHECK(ask_all(search.sockets.front(), addresses));
            search.found = listen(search.sockets, addresses, until);
        }
    }
    return search;
}

}  // namespace vpnha::adapters
