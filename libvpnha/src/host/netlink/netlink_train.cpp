// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/netlink/netlink_train.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

// The most that one answer takes of a socket's receive buffer, with the kernel's overhead.
constexpr std::size_t kAnswerBytesMax = 4096;

}  // namespace

Result<OwnedNetlink> open_netlink(int bus, std::size_t receive_bytes) {
    OwnedNetlink socket(open_netlink(bus));
    if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
        return tl::unexpected(system_error("open a netlink socket", errno));
    }
    // A refused request returns without its content: a train's refusals fit into the buffer.
    int on = 1;
    static_cast<void>(mnl_socket_setsockopt(socket.get(), NETLINK_CAP_ACK, &on, sizeof on));
    const int bytes = static_cast<int>(receive_bytes);
    static_cast<void>(setsockopt(mnl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVBUFFORCE,
                                 &bytes, sizeof bytes));
    return socket;
}

int error_of(const nlmsghdr* message) {
    return mnl_nlmsg_get_payload_len(message) < sizeof(nlmsgerr)
               ? EBADMSG
               : -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message))->error;
}

Result<NetlinkTrain> NetlinkTrain::open(Options options) {
    VPNHA_TRY(OwnedNetlink socket,
              open_netlink(options.bus, options.requests_max * kAnswerBytesMax));
    return NetlinkTrain(std::move(options), std::move(socket));
}

Result<std::vector<int>> NetlinkTrain::ask(std::size_t count, const Write& write,
                                           const OnMessage& on_message) {
    VPNHA_ASSERT(count <= options_.requests_max);
    std::vector<int> answers(count, 0);
    if (count == 0) {
        return answers;
    }
    requests_.resize(options_.requests_max * options_.request_bytes_max);
    const std::uint32_t first = sequence_ + 1;
    std::size_t size = 0;
    for (std::size_t n = 0; n < count; ++n) {
        nlmsghdr* const message = write(requests_.data() + size, n);
        message->nlmsg_seq = ++sequence_;
        if (n + 1 == count) {
            message->nlmsg_flags |= NLM_F_ACK;
        }
        size += NLMSG_ALIGN(message->nlmsg_len);
    }
    const bool is_sent = mnl_socket_sendto(socket_.get(), requests_.data(), size) >= 0;
    const int why = errno;
    if (options_.is_secret) {
        ::explicit_bzero(requests_.data(), size);
    }
    if (!is_sent) {
        return tl::unexpected(system_error(options_.what, why));
    }
    VPNHA_CHECK(read_answers(first, answers, on_message));
    return answers;
}

// Refusals have an answer each, in order; the last request has one in any case.
Result<void> NetlinkTrain::read_answers(std::uint32_t first, std::vector<int>& answers,
                                        const OnMessage& on_message) {
    answers_.resize(limits::kNetlinkAnswerBytesMax);
    for (;;) {
        const ssize_t got = mnl_socket_recvfrom(socket_.get(), answers_.data(), answers_.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return tl::unexpected(system_error(options_.what, errno));
        }
        int left = static_cast<int>(got);
        for (auto* message = reinterpret_cast<const nlmsghdr*>(answers_.data());
             mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            const std::uint32_t n = message->nlmsg_seq - first;
            if (n >= answers.size()) {
                continue;  // Of a train that failed half-way.
            }
            if (message->nlmsg_type == NLMSG_ERROR) {
                answers[n] = error_of(message);
                if (n + 1 == answers.size()) {
                    return {};
                }
            } else if (on_message) {
                on_message(n, message);
            }
        }
    }
}

}  // namespace vpnha::adapters
