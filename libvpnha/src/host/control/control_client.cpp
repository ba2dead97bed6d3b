// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/limits.hpp"
#include "host/control/control_message.hpp"
#include "host/os/process.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/control.hpp"

namespace vpnha {

namespace {

using adapters::UniqueFd;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = std::size_t{64} * 1024;

Error connect_error(const std::string& socket, int error_number) {
    switch (error_number) {
        case ENOENT:
        case ECONNREFUSED:
            return {Errc::unreachable,
                    fmt::format("no vpnhad answers at {}; is it running on this node?", socket)};
        case EACCES:
        case EPERM:
            return {
                Errc::permission,
                fmt::format("{} is not for this user; become root or join group vpnha", socket)};
        case EAGAIN:
            return {Errc::timeout, fmt::format("vpnhad at {} accepts no connection", socket)};
        default:
            return system_error(fmt::format("cannot connect to {}", socket), error_number);
    }
}

// Waits until `fd` is ready for `events`, at most until `deadline`.
Result<void> wait_for(int fd, short events, Clock::time_point deadline) {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd waiting{fd, events, 0};
        const int ready =
            ::poll(&waiting, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000)));
        if (ready > 0) {
            return {};
        }
        if (ready == 0) {
            return fail(Errc::timeout, "vpnhad does not answer in time");
        }
        if (errno != EINTR) {
            return tl::unexpected(system_error("poll", errno));
        }
    }
}

Error lost() {
    return {Errc::unreachable, "vpnhad closed the connection"};
}

Result<void> send_all(int fd, std::string_view bytes, Clock::time_point deadline) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            VPNHA_CHECK(wait_for(fd, POLLOUT, deadline));
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return {};  // The reason for the close may still be readable.
        } else if (errno != EINTR) {
            return tl::unexpected(system_error("send to vpnhad", errno));
        }
    }
    return {};
}

Result<std::string> receive_message(int fd, Clock::time_point deadline) {
    adapters::ControlFrameReader reader(limits::kControlMessageBytesMax);
    std::array<std::uint8_t, kReadBytes> buffer{};
    for (;;) {
        if (std::optional<std::string> text = reader.next()) {
            return std::move(*text);
        }
        VPNHA_CHECK(wait_for(fd, POLLIN, deadline));
        const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno == ECONNRESET)) {
            return tl::unexpected(lost());
        }
        if (count > 0) {
            VPNHA_CHECK(reader.feed(ByteView(buffer).first(static_cast<std::size_t>(count))));
        } else if (errno != EAGAIN && errno != EINTR) {
            return tl::unexpected(system_error("receive from vpnhad", errno));
        }
    }
}

// A stopped process accepts connections, and answers none of them.
Result<void> check_listener(int fd) {
    ucred listener{};
    socklen_t length = sizeof(listener);
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &length) != 0) {
        return {};
    }
    const auto process = adapters::read_process(listener.pid);
    if (process && process->stopped) {
        return fail(Errc::timeout, fmt::format("vpnhad (process {0}) is stopped by a signal; kill "
                                               "-CONT {0} resumes it",
                                               listener.pid));
    }
    return {};
}

Result<std::string> exchange(int fd, std::string_view message, Clock::time_point deadline) {
    VPNHA_CHECK(send_all(fd, message, deadline));
    return receive_message(fd, deadline);
}

}  // namespace

ControlClient::ControlClient(int fd, std::chrono::milliseconds timeout)
    : fd_(fd), timeout_(timeout) {}

ControlClient::~ControlClient() {
    UniqueFd closing(fd_);
}

ControlClient::ControlClient(ControlClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), timeout_(other.timeout_) {}

ControlClient& ControlClient::operator=(ControlClient&& other) noexcept {
    std::swap(fd_, other.fd_);
    timeout_ = other.timeout_;
    return *this;
}

Result<ControlClient> ControlClient::connect(const std::string& socket,
                                             std::chrono::milliseconds timeout) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket.empty() || socket.size() >= sizeof(address.sun_path)) {
        return fail(Errc::invalid_argument, fmt::format("'{}' is no path of a socket", socket));
    }
    std::memcpy(address.sun_path, socket.data(), socket.size());
    const auto bounded = std::max(timeout, std::chrono::milliseconds(1));
    ControlClient client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), bounded);
    if (client.fd_ < 0) {
        return tl::unexpected(system_error("socket", errno));
    }
    // Bounds connect(2) too, which waits while the listener's queue is full. 0 would be for ever.
    timeval limit{};
    limit.tv_sec = bounded.count() / 1000;
    limit.tv_usec = bounded.count() % 1000 * 1000;
    ::setsockopt(client.fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(client.fd_, generic, sizeof(address)) != 0) {
        return tl::unexpected(connect_error(socket, errno));
    }
    VPNHA_CHECK(check_listener(client.fd_));
    return client;
}

Result<std::string> ControlClient::request(std::string_view verb, std::string_view arguments_json) {
    VPNHA_TRY(nlohmann::json arguments, adapters::parse_bounded_json(arguments_json));
    if (!arguments.is_object()) {
        return fail(Errc::invalid_argument, "the arguments of a request are a JSON object");
    }
    if (fd_ < 0) {
        return tl::unexpected(lost());
    }
    const std::string message =
        adapters::frame(adapters::encode_control_request({std::string(verb), arguments}));
    const Result<std::string> text = exchange(fd_, message, Clock::now() + timeout_);
    if (!text) {
        // A late answer would be taken for the next request's.
        UniqueFd closing(std::exchange(fd_, -1));
        return tl::unexpected(text.error());
    }
    VPNHA_TRY(const nlohmann::json result, adapters::parse_control_answer(*text));
    return adapters::to_json_text(result);
}

}  // namespace vpnha
