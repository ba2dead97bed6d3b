// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/datagrams.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "host/os/network_descriptor.hpp"
#include "host/sockets/inet_socket.hpp"

namespace vpnha::probe {

namespace {

using Clock = std::chrono::steady_clock;

// The size of an answer; a longer one is cut off, and does not parse.
constexpr std::size_t kAnswerBytesMax = 8192;

Result<SocketAddress> find(const std::string& host, const std::string& port, int family,
                           int flags) {
    addrinfo wanted{};
    wanted.ai_family = family;
    wanted.ai_socktype = SOCK_DGRAM;
    wanted.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found); error != 0) {
        return fail(Errc::not_found, fmt::format("'{}': {}", host, ::gai_strerror(error)));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
    SocketAddress address;
    std::memcpy(&address.octets, found->ai_addr, found->ai_addrlen);
    address.size = found->ai_addrlen;
    return address;
}

Result<adapters::UniqueFd> open_socket(const Path& path) {
    adapters::UniqueFd fd =
        adapters::open_network_socket(path.server.octets.ss_family, SOCK_DGRAM | SOCK_NONBLOCK);
    if (!fd) {
        return tl::unexpected(system_error("open a UDP socket", errno));
    }
    if (path.source.size != 0 && ::bind(fd.get(), path.source.get(), path.source.size) != 0) {
        return tl::unexpected(system_error("bind the source address", errno));
    }
    // The kernel drops datagrams of other senders.
    if (::connect(fd.get(), path.server.get(), path.server.size) != 0) {
        return fail(Errc::unreachable, system_error("no way there", errno).detail);
    }
    return fd;
}

class Talk {
  public:
    Talk(Exchange& exchange, int fd, Clock::time_point end)
        : exchange_(exchange), fd_(fd), end_(end), begun_(Clock::now()), again_(begun_) {}

    Outcome run() {
        while (!exchange_.is_over() && !outcome_.error) {
            const Clock::time_point now = Clock::now();
            if (now >= end_) {
                outcome_.error = Error{Errc::timeout, unanswered()};
                break;
            }
            if (now >= again_) {
                if (is_asked_) {
                    exchange_.repeat();
                }
                is_asked_ = true;
                send(exchange_.request());
                again_ = now + kAgain;
            }
            wait(std::min(again_, end_) - now);
            receive();
        }
        send(exchange_.closing_message());
        return std::move(outcome_);
    }

  private:
    void send(const Bytes& datagram) {
        if (!datagram.empty() && ::send(fd_, datagram.data(), datagram.size(), MSG_NOSIGNAL) < 0 &&
            errno == ECONNREFUSED) {
            refused_ = true;
        }
    }
    void wait(Clock::duration time) const {
        pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(time);
        ::poll(&ready, 1, static_cast<int>(left.count()));
    }
    // One datagram, so that a sender of many cannot delay the check of the clock.
    void receive() {
        const std::string step(exchange_.step());
        const Bytes asked = exchange_.request();
        std::array<std::uint8_t, kAnswerBytesMax> buffer{};
        const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (count < 0) {
            refused_ = refused_ || errno == ECONNREFUSED;
            return;
        }
        const ByteView datagram = ByteView(buffer).first(static_cast<std::size_t>(count));
        const Result<void> taken = exchange_.on_datagram(datagram);
        for (const Bytes& answer : exchange_.take_answers()) {
            send(answer);
        }
        if (!taken) {
            outcome_.error = taken.error();
            return;
        }
        const Clock::time_point now = Clock::now();
        if (exchange_.is_over() || exchange_.step() != step) {
            outcome_.steps.push_back({step, now - begun_});
            begun_ = now;
        }
        if (exchange_.request() != asked) {
            again_ = now;
            is_asked_ = false;
        }
    }
    std::string unanswered() const {
        const std::string hint = exchange_.hint();
        const char* const closed = refused_ ? "; the port is closed (ICMP)" : "";
        return fmt::format("{} was not answered{}{}", exchange_.step(),
                           hint.empty() ? closed : "; ", hint);
    }

    Exchange& exchange_;
    int fd_;
    Clock::time_point end_;
    Clock::time_point begun_;  // The step.
    Clock::time_point again_;
    bool is_asked_ = false;  // The step.
    bool refused_ = false;
    Outcome outcome_;
};

}  // namespace

Ipv4Address ipv4_of(const SocketAddress& address) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address.octets);
    return Ipv4Address{address.size == 0 ? 0 : ntohl(in.sin_addr.s_addr)};
}

SocketAddress to_socket_address(const Ipv4Endpoint& endpoint) {
    const sockaddr_in in = adapters::to_sockaddr(endpoint);
    SocketAddress made;
    std::memcpy(&made.octets, &in, sizeof in);
    made.size = sizeof in;
    return made;
}

Result<Path> find_path(const std::string& host, std::uint16_t port, const std::string& source) {
    Path path;
    if (!source.empty()) {
        const auto found = find(source, "0", AF_UNSPEC, AI_NUMERICHOST);
        if (!found) {
            return fail(Errc::invalid_argument, "--source: " + found.error().detail);
        }
        path.source = *found;
    }
    const int family = source.empty() ? AF_UNSPEC : path.source.octets.ss_family;
    VPNHA_TRY(path.server, find(host, std::to_string(port), family, 0));
    return path;
}

Outcome carry_out(Exchange& exchange, const Path& path, std::chrono::nanoseconds patience) {
    const Clock::time_point end = Clock::now() + patience;
    const auto fd = open_socket(path);
    if (!fd) {
        return {.steps = {}, .error = fd.error()};
    }
    return Talk(exchange, fd->get(), end).run();
}

}  // namespace vpnha::probe
