// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/echo_sockets.hpp"

#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/random.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/internet_checksum.hpp"
#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

constexpr Duration kKept = std::chrono::seconds(1);
// In kKept, of one address.
constexpr std::size_t kQuestionsMax = 32;
// Read in one turn of the loop.
constexpr int kEchoesPerTurn = 16;
constexpr std::size_t kHeaderBytes = 8;  // Type, code, checksum, identifier, sequence number.

bool is_v4(int family) {
    return family == AF_INET;
}

UniqueFd open_echo_socket(int family) {
    UniqueFd fd = open_network_socket(family, SOCK_RAW | SOCK_NONBLOCK,
                                      is_v4(family) ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6});
    if (!fd) {
        return fd;
    }
    // Receives only answers. Without the filter the loop would read more, but accept no more.
    if (is_v4(family)) {
        icmp_filter filter{};
        filter.data = ~(1U << ICMP_ECHOREPLY);
        ::setsockopt(fd.get(), SOL_RAW, ICMP_FILTER, &filter, sizeof filter);
    } else {
        icmp6_filter filter{};
        ICMP6_FILTER_SETBLOCKALL(&filter);
        ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
        ::setsockopt(fd.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
    }
    return fd;
}

// The payload of an echo reply; a raw socket of IPv4 has the packet with its header (raw(7)).
std::optional<ByteView> payload_of(ByteView packet, int family) {
    if (is_v4(family)) {
        const std::size_t header = packet.empty() ? 0 : (packet[0] & 0x0FU) * 4U;
        if (header < sizeof(iphdr) || packet.size() < header) {
            return std::nullopt;
        }
        packet = packet.subspan(header);
    }
    const std::uint8_t reply = is_v4(family) ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
    if (packet.size() < kHeaderBytes || packet[0] != reply) {
        return std::nullopt;
    }
    return packet.subspan(kHeaderBytes);
}

}  // namespace

EchoSockets::EchoSockets(QbLoop& loop, OnEcho on_echo) : loop_(loop), on_echo_(std::move(on_echo)) {
    static_cast<void>(loop_.watch(timer_.fd(), [this] { close_idle(); }));
}

EchoSockets::~EchoSockets() {
    loop_.unwatch(timer_.fd());
    for (const auto& [address, asked] : asked_) {
        loop_.unwatch(asked.socket.get());
    }
}

void EchoSockets::ask(NodeId node, const sockaddr& to, socklen_t size) {
    Asked* const asked = find_or_open(node, to, size);
    Secret secret{};
    if (asked == nullptr || ::getrandom(secret.data(), secret.size(), GRND_NONBLOCK) !=
                                static_cast<ssize_t>(secret.size())) {
        return;
    }
    std::array<std::uint8_t, kHeaderBytes + sizeof(Secret)> packet{};
    packet[0] = is_v4(asked->family) ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
    std::copy(secret.begin(), secret.end(), packet.begin() + kHeaderBytes);
    if (is_v4(asked->family)) {  // For ICMPv6 the kernel sets it (RFC 3542 3.1).
        const std::uint16_t sum = internet_checksum(0, packet);
        packet[2] = static_cast<std::uint8_t>(sum >> 8U);
        packet[3] = static_cast<std::uint8_t>(sum & 0xFFU);
    }
    if (::send(asked->socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL) < 0) {
        return;
    }
    if (asked->secrets.size() == kQuestionsMax) {
        asked->secrets.erase(asked->secrets.begin());
    }
    asked->secrets.push_back(secret);
    asked->last = QbLoop::now();
    timer_.set(asked->last + kKept);
}

EchoSockets::Asked* EchoSockets::find_or_open(NodeId node, const sockaddr& to, socklen_t size) {
    const auto* const octets = reinterpret_cast<const std::uint8_t*>(&to);
    const std::vector<std::uint8_t> address(octets, octets + size);
    if (const auto found = asked_.find(address); found != asked_.end()) {
        return &found->second;
    }
    UniqueFd socket = open_echo_socket(to.sa_family);
    if (!socket || ::connect(socket.get(), &to, size) != 0 ||
        !loop_.watch(socket.get(), [this, address] { on_readable(address); })) {
        return nullptr;
    }
    return &asked_.emplace(address, Asked{node, std::move(socket), to.sa_family, {}, {}})
                .first->second;
}

void EchoSockets::on_readable(const std::vector<std::uint8_t>& address) {
    const Asked& asked = asked_.at(address);
    const NodeId node = asked.node;
    std::array<std::uint8_t, 256> room{};
    bool answered = false;
    for (int read = 0; read < kEchoesPerTurn; ++read) {
        const ssize_t got = ::recv(asked.socket.get(), room.data(), room.size(), 0);
        if (got < 0) {
            break;
        }
        const auto payload = payload_of({room.data(), static_cast<std::size_t>(got)}, asked.family);
        answered =
            answered || (payload && std::ranges::any_of(asked.secrets, [&](const Secret& secret) {
                             return std::ranges::equal(*payload, secret);
                         }));
    }
    if (answered) {
        on_echo_(node);  // It may send another request.
    }
}

void EchoSockets::close_idle() {
    const TimePoint now = QbLoop::now();
    std::optional<TimePoint> next;
    for (auto each = asked_.begin(); each != asked_.end();) {
        const TimePoint end = each->second.last + kKept;
        if (end <= now) {
            loop_.unwatch(each->second.socket.get());
            each = asked_.erase(each);
        } else {
            next = next ? std::min(*next, end) : end;
            ++each;
        }
    }
    timer_.set(next);
}

}  // namespace vpnha::adapters
