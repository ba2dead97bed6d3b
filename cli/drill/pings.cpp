// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/pings.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "base/bytes.hpp"
#include "base/internet_checksum.hpp"
#include "cli/drill/look.hpp"
#include "host/corosync/cluster_nodes.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::cli::drill {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLastAnswers{1};
// An answer that comes later is not counted: the numbers wrap round.
constexpr std::size_t kNumbers = 65536;
constexpr std::size_t kEchoBytes = 8;

}  // namespace

struct Pings::Shared {
    Watch watch;
    adapters::UniqueFd socket;
    bool is_ipv6 = false;
    std::uint16_t identifier = 0;
    std::chrono::milliseconds interval{};
    std::atomic<bool> is_over{false};
    std::thread thread{};

    void run() {
        Clock::time_point due = Clock::now();
        do {
            if (Clock::now() >= due) {
                ask();
                // Probes missed in a stall are not sent later.
                due = std::max(due + interval, Clock::now());
            }
            receive_until(due);
        } while (!is_over);
        receive_until(Clock::now() + kLastAnswers);
    }

    // No error if it cannot be sent: it counts as lost.
    void ask() {
        const std::size_t number = watch.probes.size() % kNumbers;
        ByteWriter writer;
        writer.u8(static_cast<std::uint8_t>(is_ipv6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO));
        writer.u8(0);
        writer.u16(0);
        writer.u16(identifier);
        writer.u16(static_cast<std::uint16_t>(number));
        Bytes message = std::move(writer).take();
        if (!is_ipv6) {
            // The kernel computes that of ICMPv6.
            const std::uint16_t sum = internet_checksum(0, message);
            message[2] = static_cast<std::uint8_t>(sum >> 8);
            message[3] = static_cast<std::uint8_t>(sum & 0xFF);
        }
        watch.probes.push_back({unix_ms_now(), std::nullopt});
        [[maybe_unused]] const ssize_t sent =
            ::send(socket.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }

    void receive_until(Clock::time_point end) {
        while (true) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
            pollfd waiting{socket.get(), POLLIN, 0};
            if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) {
                return;
            }
            receive();
        }
    }

    void receive() {
        std::array<std::uint8_t, 2048> buffer{};
        const ssize_t count = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        const double now = unix_ms_now();
        // A raw socket of IPv4 has the IP header before it.
        const std::size_t start = is_ipv6 ? 0 : (buffer[0] & 0x0FU) * 4U;
        if (count < 0 || static_cast<std::size_t>(count) < start + kEchoBytes) {
            return;
        }
        const std::uint8_t* const echo = buffer.data() + start;
        const auto word = [echo](std::size_t at) {
            return static_cast<std::uint16_t>(echo[at] << 8 | echo[at + 1]);
        };
        if (echo[0] != (is_ipv6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) || word(4) != identifier) {
            return;
        }
        const std::size_t asked = watch.probes.size();
        const std::size_t back = (asked + kNumbers - 1 - word(6)) % kNumbers;
        if (back < asked && !watch.probes[asked - 1 - back].answered_ms) {
            watch.probes[asked - 1 - back].answered_ms = now;
        }
    }
};

Pings::Pings(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}

Pings::Pings(Pings&&) noexcept = default;

Pings::~Pings() {
    if (shared_ && shared_->thread.joinable()) {
        shared_->is_over = true;
        shared_->thread.join();
    }
}

Result<Pings> Pings::open(const std::string& address, std::chrono::milliseconds interval) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_RAW;
    wanted.ai_flags = AI_NUMERICHOST;
    addrinfo* found = nullptr;
    if (::getaddrinfo(address.c_str(), nullptr, &wanted, &found) != 0) {
        return fail(Errc::invalid_argument, fmt::format("'{}' is no address", address));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
    auto shared = std::make_unique<Shared>();
    shared->is_ipv6 = found->ai_family == AF_INET6;
    shared->socket = adapters::open_network_socket(
        found->ai_family, SOCK_RAW,
        shared->is_ipv6 ? static_cast<int>(IPPROTO_ICMPV6) : static_cast<int>(IPPROTO_ICMP));
    if (!shared->socket) {
        return errno == EPERM ? fail(Errc::permission, "only root may ping by a raw socket")
                              : tl::unexpected(system_error("open a raw socket", errno));
    }
    // The kernel drops datagrams of other senders.
    if (::connect(shared->socket.get(), found->ai_addr, found->ai_addrlen) != 0) {
        return fail(Errc::unreachable, system_error("no way to " + address, errno).detail);
    }
    shared->identifier = static_cast<std::uint16_t>(::getpid());
    shared->interval = interval;
    shared->watch = {.address = address,
                     .machine = runtime::host_name(),
                     .interval_ms = static_cast<double>(interval.count()),
                     .probes = {}};
    return Pings(std::move(shared));
}

void Pings::start() {
    shared_->thread = std::thread([shared = shared_.get()] { shared->run(); });
}

Watch Pings::stop() {
    shared_->is_over = true;
    shared_->thread.join();
    return std::move(shared_->watch);
}

}  // namespace vpnha::cli::drill
