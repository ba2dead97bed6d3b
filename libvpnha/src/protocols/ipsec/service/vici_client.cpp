// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/vici_client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::size_t kLengthBytes = 4;

tl::unexpected<Error> charon_is_lost() {
    return fail(Errc::unreachable, "charon has closed its vici socket");
}

}  // namespace

Result<ViciClient> ViciClient::connect(const std::string& socket,
                                       std::chrono::milliseconds timeout) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket.empty() || socket.size() >= sizeof(address.sun_path)) {
        return fail(Errc::invalid_argument, fmt::format("'{}' is no path of a socket", socket));
    }
    std::memcpy(address.sun_path, socket.data(), socket.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
        return tl::unexpected(system_error("socket", errno));
    }
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    // connect() does not wait on a local socket; EAGAIN: its queue is full, charon does not accept.
    if (::connect(fd.get(), generic, sizeof(address)) != 0) {
        return fail(errno == EAGAIN ? Errc::timeout : Errc::unreachable,
                    system_error(fmt::format("no charon answers at {}", socket), errno).detail);
    }
    return ViciClient(std::move(fd), Clock::now() + timeout);
}

Result<void> ViciClient::wait_for(short events) const {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
        pollfd waiting{socket_.get(), events, 0};
        const int ready =
            ::poll(&waiting, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000)));
        if (ready > 0) {
            return {};
        }
        if (ready == 0) {
            return fail(Errc::timeout, "charon does not answer at its vici socket in time");
        }
        if (errno != EINTR) {
            return tl::unexpected(system_error("poll", errno));
        }
    }
}

Result<void> ViciClient::send(ByteView bytes) const {
    while (!bytes.empty()) {
        VPNHA_CHECK(wait_for(POLLOUT));
        const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        } else if (errno != EAGAIN && errno != EINTR) {
            return charon_is_lost();
        }
    }
    return {};
}

Result<Bytes> ViciClient::receive(std::size_t count) const {
    Bytes bytes(count);
    for (std::size_t filled = 0; filled < count;) {
        VPNHA_CHECK(wait_for(POLLIN));
        const ssize_t got = ::recv(socket_.get(), bytes.data() + filled, count - filled, 0);
        if (got > 0) {
            filled += static_cast<std::size_t>(got);
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            return charon_is_lost();
        }
    }
    return bytes;
}

Result<void> ViciClient::send(const ViciPacket& packet) const {
    const Bytes bytes = encode_vici_packet(packet);
    ByteWriter framed;
    framed.u32(static_cast<std::uint32_t>(bytes.size())).bytes(bytes);
    return send(framed.view());
}

Result<ViciPacket> ViciClient::receive_packet() const {
    VPNHA_TRY(const Bytes header, receive(kLengthBytes));
    const std::size_t length = ByteReader(header).u32();
    if (length > limits::kViciPacketBytesMax) {
        return fail(Errc::limit, fmt::format("charon announces an answer of {} octets", length));
    }
    VPNHA_TRY(const Bytes body, receive(length));
    return parse_vici_packet(body);
}

Result<ViciSection> ViciClient::ask(std::string_view command, const ViciSection& arguments) {
    VPNHA_CHECK(send(
        {.type = ViciPacketType::command, .name = std::string(command), .message = arguments}));
    VPNHA_TRY(ViciPacket answer, receive_packet());
    if (answer.type != ViciPacketType::response) {
        return fail(Errc::unsupported, fmt::format("charon does not know vici's {}", command));
    }
    if (answer.message.value("success") == "no") {
        return fail(Errc::system,
                    fmt::format("charon: {}: {}", command, answer.message.value("errmsg")));
    }
    return std::move(answer.message);
}

Result<std::vector<ViciSection>> ViciClient::list(std::string_view command,
                                                  std::string_view event) {
    VPNHA_CHECK(send({.type = ViciPacketType::subscription, .name = std::string(event)}));
    VPNHA_TRY(const ViciPacket subscribed, receive_packet());
    if (subscribed.type != ViciPacketType::subscribed) {
        return fail(Errc::unsupported, fmt::format("charon does not know vici's {}", event));
    }
    VPNHA_CHECK(send({.type = ViciPacketType::command, .name = std::string(command)}));
    std::vector<ViciSection> all;
    for (;;) {
        VPNHA_TRY(ViciPacket packet, receive_packet());
        if (packet.type == ViciPacketType::response) {
            return all;
        }
        if (packet.type != ViciPacketType::event || packet.name != event) {
            return fail(Errc::unsupported, fmt::format("charon does not know vici's {}", command));
        }
        all.push_back(std::move(packet.message));
    }
}

}  // namespace vpnha::adapters
