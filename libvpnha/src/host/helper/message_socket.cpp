// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/helper/message_socket.hpp"

#include <fcntl.h>
#include <strings.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/assert.hpp"

namespace vpnha::adapters {

namespace {

// cmsg(3): room for the most descriptors that a message has.
struct alignas(cmsghdr) ControlRoom {
    std::array<char, CMSG_SPACE(MessageSocket::kDescriptorsMax * sizeof(int))> octets{};
};

void wipe(Bytes& message) {
    ::explicit_bzero(message.data(), message.size());
}

// EAGAIN: later.
int send_now(int socket, ByteView message, std::span<const int> with) {
    iovec part{const_cast<std::uint8_t*>(message.data()), message.size()};
    ControlRoom room;
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!with.empty()) {
        header.msg_control = room.octets.data();
        header.msg_controllen = CMSG_SPACE(with.size_bytes());
        cmsghdr* const control = CMSG_FIRSTHDR(&header);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(with.size_bytes());
        std::memcpy(CMSG_DATA(control), with.data(), with.size_bytes());
    }
    for (;;) {
        if (::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
            return 0;
        }
        if (errno != EINTR) {
            // The kernel counts descriptors that nobody has received yet (ETOOMANYREFS), and the
            // octets of all sockets (ENOBUFS): the other end will receive them.
            return errno == ETOOMANYREFS || errno == ENOBUFS ? EAGAIN : errno;
        }
    }
}

std::vector<UniqueFd> take_descriptors(msghdr& header) {
    std::vector<UniqueFd> taken;
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
         control = CMSG_NXTHDR(&header, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS) {
            const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (std::size_t i = 0; i < count; ++i) {
                int fd = -1;
                std::memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
                taken.emplace_back(fd);
            }
        }
    }
    return taken;
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> MessageSocket::make_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
        return tl::unexpected(system_error("socketpair", errno));
    }
    return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

MessageSocket::~MessageSocket() {
    for (Waiting& each : queue_) {
        wipe(each.message);
    }
}

Result<void> MessageSocket::post(Bytes message, std::span<const int> with) {
    VPNHA_ASSERT(message.size() <= kMessageBytesMax && with.size() <= kDescriptorsMax);
    const int error = queue_.empty() ? send_now(fd_.get(), message, with) : EAGAIN;
    if (error == EAGAIN) {
        Waiting& last = queue_.emplace_back(Waiting{std::move(message), {}});
        for (const int fd : with) {
            last.with.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
            if (!last.with.back()) {
                return tl::unexpected(system_error("copy a descriptor for a helper", errno));
            }
        }
        return {};
    }
    wipe(message);
    if (error != 0) {
        return tl::unexpected(system_error("send a message", error));
    }
    return {};
}

Result<void> MessageSocket::flush() {
    while (!queue_.empty()) {
        std::array<int, kDescriptorsMax> with{};
        std::size_t count = 0;
        for (const UniqueFd& fd : queue_.front().with) {
            with[count++] = fd.get();
        }
        const int error = send_now(fd_.get(), queue_.front().message, std::span(with).first(count));
        if (error == EAGAIN) {
            return {};
        }
        if (error != 0) {
            return tl::unexpected(system_error("send a message", error));
        }
        wipe(queue_.front().message);
        queue_.pop_front();
    }
    return {};
}

Result<void> MessageSocket::receive(std::size_t messages_max, const OnMessage& on_message) {
    for (std::size_t i = 0; i < messages_max; ++i) {
        iovec part{room_.data(), room_.size()};
        ControlRoom control;
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        if (descriptors_ == Descriptors::taken) {
            header.msg_control = control.octets.data();
            header.msg_controllen = control.octets.size();
        }
        const ssize_t got = ::recvmsg(fd_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return {};
        }
        if (got < 0 && errno != ECONNRESET) {
            return tl::unexpected(system_error("receive a message", errno));
        }
        if (got <= 0) {
            return fail(Errc::unreachable, "the other end is closed");
        }
        const auto size = static_cast<std::size_t>(got);
        std::vector<UniqueFd> with = take_descriptors(header);
        if (size > kMessageBytesMax || (header.msg_flags & MSG_TRUNC) != 0) {
            return fail(Errc::malformed, "a message that is too long");
        }
        Result<void> done = on_message(ByteView(room_).first(size), with);
        ::explicit_bzero(room_.data(), size);
        VPNHA_CHECK(done);
    }
    return {};
}

}  // namespace vpnha::adapters
