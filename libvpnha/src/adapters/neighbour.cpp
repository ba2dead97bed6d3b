// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/neighbour.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>

#include "adapters/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr MacAddress kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr std::array<std::uint8_t, 16> kUnspecified{};
constexpr std::array<std::uint8_t, 16> kAllNodes = {0xff, 0x02, 0, 0, 0, 0, 0, 0,
                                                    0,    0,    0, 0, 0, 0, 0, 1};
constexpr std::uint8_t kIcmpV6 = 58;
constexpr std::uint8_t kHopLimit = 255;  // So that a receiver knows: from its own link.
constexpr std::uint8_t kSolicitation = 135;
constexpr std::uint8_t kAdvertisement = 136;
constexpr std::uint32_t kIsRouter = 0x80000000;
constexpr std::uint32_t kOverride = 0x20000000;
constexpr std::uint8_t kTargetLinkAddress = 2;
constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kIpV6Bytes = 40;
// Longer than any frame that parse_claim() reads.
constexpr std::size_t kFrameBytesMax = 256;

// ff02::1:ffXX:XXXX, where the last octets are the address's.
std::array<std::uint8_t, 16> solicited_node(const IpAddress& address) {
    std::array<std::uint8_t, 16> group = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0};
    std::copy(address.octets.end() - 3, address.octets.end(), group.end() - 3);
    return group;
}

// Over the pseudo header and the message, whose checksum field is zero (RFC 4443 2.3).
std::uint16_t icmp_checksum(ByteView source, ByteView destination, ByteView message) {
    ByteWriter pseudo;
    pseudo.bytes(source).bytes(destination);
    pseudo.u32(static_cast<std::uint32_t>(message.size())).u32(kIcmpV6).bytes(message);
    ByteReader words(pseudo.view());
    std::uint32_t sum = 0;
    while (words.remaining() > 0) {
        sum += words.u16();
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    return static_cast<std::uint16_t>(~sum);
}

Bytes encode_icmp(const MacAddress& sender, ByteView source, ByteView destination,
                  ByteWriter message) {
    message.patch_u16(2, icmp_checksum(source, destination, message.view()));
    ByteWriter frame;
    // RFC 2464 7.
    frame.u16(0x3333).bytes(destination.last(4)).bytes(sender).u16(ETHERTYPE_IPV6);
    frame.u32(0x60000000).u16(static_cast<std::uint16_t>(message.size()));
    frame.u8(kIcmpV6).u8(kHopLimit).bytes(source).bytes(destination).bytes(message.view());
    return std::move(frame).take();
}

std::optional<NeighbourClaim> parse_arp(ByteReader frame) {
    const bool ours = frame.u16() == ARPHRD_ETHER && frame.u16() == ETHERTYPE_IP &&
                      frame.u8() == 6 && frame.u8() == 4;
    frame.u16();  // Both operations say what the sender's address is.
    NeighbourClaim claim;
    const ByteView mac = frame.take(claim.mac.size());
    const auto address = ip_address_of(frame.take(4));
    if (!ours || !frame.ok() || !address || *address == IpAddress{}) {
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

// A raw socket of one interface, for one family of questions and answers.
class LinkSocket {
  public:
    static Result<LinkSocket> open(const std::string& interface, bool is_v6) {
        LinkSocket opened;
        opened.fd_.reset(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_ll link{};
        link.sll_family = AF_PACKET;
        link.sll_protocol = htons(is_v6 ? ETH_P_IPV6 : ETH_P_ARP);
        link.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
        if (link.sll_ifindex == 0) {
            return fail(Errc::not_found, fmt::format("there is no interface {}", interface));
        }
        socklen_t bytes = sizeof link;
        // The filter before the protocol: nothing else is ever queued.
        if (!opened.fd_ || (is_v6 && !opened.keep_advertisements()) ||
            bind(opened.fd_.get(), reinterpret_cast<const sockaddr*>(&link), sizeof link) != 0 ||
            getsockname(opened.fd_.get(), reinterpret_cast<sockaddr*>(&link), &bytes) != 0) {
            return tl::unexpected(
                system_error(fmt::format("open a packet socket on {}", interface), errno));
        }
        opened.speaks_arp_ = link.sll_hatype == ARPHRD_ETHER && link.sll_halen == 6;
        std::copy_n(link.sll_addr, opened.mac_.size(), opened.mac_.begin());
        return opened;
    }

    [[nodiscard]] bool speaks_arp() const { return speaks_arp_; }
    [[nodiscard]] const MacAddress& mac() const { return mac_; }
    [[nodiscard]] int fd() const { return fd_.get(); }

    [[nodiscard]] Result<void> send_frame(const Bytes& frame) const {
        if (send(fd_.get(), frame.data(), frame.size(), 0) < 0) {
            return tl::unexpected(system_error("send to the neighbours", errno));
        }
        return {};
    }
    // The next claim of another station that has arrived.
    [[nodiscard]] std::optional<NeighbourClaim> next() const {
        std::array<std::uint8_t, kFrameBytesMax> frame{};
        for (;;) {
            sockaddr_ll from{};
            socklen_t bytes = sizeof from;
            const ssize_t got = recvfrom(fd_.get(), frame.data(), frame.size(), 0,
                                         reinterpret_cast<sockaddr*>(&from), &bytes);
            if (got < 0) {
                return std::nullopt;
            }
            const auto claim = parse_claim(ByteView(frame).first(static_cast<std::size_t>(got)));
            if (claim && from.sll_pkttype != PACKET_OUTGOING && claim->mac != mac_) {
                return claim;
            }
        }
    }

  private:
    [[nodiscard]] bool keep_advertisements() const {
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
        const sock_fprog filter{program.size(), program.data()};
        return setsockopt(fd_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
    }

    UniqueFd fd_;
    MacAddress mac_{};
    bool speaks_arp_ = false;
};

bool any_of_family(const std::vector<IpAddress>& addresses, bool is_v6) {
    return std::any_of(addresses.begin(), addresses.end(),
                       [is_v6](const IpAddress& address) { return address.is_v6 == is_v6; });
}

// One socket for each family among the addresses; none on a device without ARP.
Result<std::vector<LinkSocket>> open_sockets(const std::string& interface,
                                             const std::vector<IpAddress>& addresses) {
    std::vector<LinkSocket> sockets;
    for (const bool is_v6 : {false, true}) {
        if (any_of_family(addresses, is_v6)) {
            VPNHA_TRY(LinkSocket opened, LinkSocket::open(interface, is_v6));
            if (opened.speaks_arp()) {
                sockets.push_back(std::move(opened));
            }
        }
    }
    return sockets;
}

// Either kind of socket sends either kind of frame.
Result<void> ask_all(const LinkSocket& socket, const std::vector<IpAddress>& addresses) {
    for (const IpAddress& address : addresses) {
        VPNHA_CHECK(socket.send_frame(address.is_v6 ? encode_solicitation(socket.mac(), address)
                                                    : encode_arp_probe(socket.mac(), address)));
    }
    return {};
}

// The first claim to one of the addresses before `until`.
std::optional<NeighbourClaim> listen(const std::vector<LinkSocket>& sockets,
                                     const std::vector<IpAddress>& addresses,
                                     steady_clock::time_point until) {
    std::vector<pollfd> entries;
    entries.reserve(sockets.size());
    for (const LinkSocket& socket : sockets) {
        entries.push_back({socket.fd(), POLLIN, 0});
    }
    for (;;) {
        for (const LinkSocket& socket : sockets) {
            while (const auto claim = socket.next()) {
                if (std::find(addresses.begin(), addresses.end(), claim->address) !=
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

bool forwards_v6(const std::string& interface) {
    std::ifstream file("/proc/sys/net/ipv6/conf/" + interface + "/forwarding");
    int value = 0;
    return file >> value && value != 0;
}

}  // namespace

Bytes encode_arp_probe(const MacAddress& sender, const IpAddress& address) {
    ByteWriter frame;
    frame.bytes(kBroadcast).bytes(sender).u16(ETHERTYPE_ARP);
    frame.u16(ARPHRD_ETHER).u16(ETHERTYPE_IP).u8(6).u8(4);
    frame.u16(static_cast<std::uint16_t>(ArpOperation::request));
    frame.bytes(sender).u32(0).bytes(MacAddress{}).bytes(address.bytes());
    return std::move(frame).take();
}

Bytes encode_solicitation(const MacAddress& sender, const IpAddress& address) {
    ByteWriter message;
    message.u8(kSolicitation).u8(0).u16(0).u32(0).bytes(address.bytes());
    return encode_icmp(sender, kUnspecified, solicited_node(address), std::move(message));
}

Bytes encode_advertisement(const MacAddress& sender, const IpAddress& address, bool is_router) {
    ByteWriter message;
    message.u8(kAdvertisement).u8(0).u16(0).u32(kOverride | (is_router ? kIsRouter : 0));
    message.bytes(address.bytes()).u8(kTargetLinkAddress).u8(1).bytes(sender);
    return encode_icmp(sender, address.bytes(), kAllNodes, std::move(message));
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

std::string to_string(const MacAddress& mac) {
    return fmt::format("{:02x}", fmt::join(mac, ":"));
}

Result<void> announce_addresses(const std::string& interface,
                                const std::vector<IpAddress>& addresses) {
    VPNHA_TRY(const std::vector<LinkSocket> sockets, open_sockets(interface, addresses));
    if (sockets.empty()) {
        return {};
    }
    const LinkSocket& socket = sockets.front();
    const bool is_router = forwards_v6(interface);
    for (const IpAddress& address : addresses) {
        if (address.is_v6) {
            VPNHA_CHECK(socket.send_frame(encode_advertisement(socket.mac(), address, is_router)));
            continue;
        }
        for (const ArpOperation operation : {ArpOperation::request, ArpOperation::reply}) {
            VPNHA_CHECK(
                socket.send_frame(encode_gratuitous_arp(socket.mac(), address.v4(), operation)));
        }
    }
    return {};
}

Result<std::optional<NeighbourClaim>> find_owner(const std::string& interface,
                                                 const std::vector<IpAddress>& addresses,
                                                 milliseconds wait) {
    VPNHA_TRY(const std::vector<LinkSocket> sockets, open_sockets(interface, addresses));
    std::optional<NeighbourClaim> claim;
    const auto now = steady_clock::now();
    for (const auto until : {now + wait / 2, now + wait}) {
        if (!sockets.empty() && !claim) {
            VPNHA_CHECK(ask_all(sockets.front(), addresses));
            claim = listen(sockets, addresses, until);
        }
    }
    return claim;
}

}  // namespace vpnha::adapters
