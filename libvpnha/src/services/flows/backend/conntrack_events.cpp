// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/backend/conntrack_events.hpp"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "host/os/network_descriptor.hpp"
#include "services/flows/backend/conntrack_expectation_message.hpp"
#include "services/flows/backend/conntrack_filter.hpp"
#include "services/flows/backend/conntrack_message.hpp"

namespace vpnha::adapters {

namespace {

// Each event is a separate datagram, and libmnl reads one per call: several per call take a third
// less time.
constexpr std::size_t kEventsAtOnce = 64;
// NLMSG_GOODSIZE for an event; the largest has ~700 octets.
constexpr std::size_t kEventBytesMax = 4096;

Result<void> prepare(int fd, const conntrack::Policy& policy, std::size_t buffer_bytes) {
    std::vector<sock_filter> program = flow_event_filter(policy);
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
        return tl::unexpected(system_error("filter the kernel's events of flows", errno));
    }
    // The kernel doubles the value, for its own overhead.
    const int bytes = static_cast<int>(buffer_bytes / 2);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0) {
        return tl::unexpected(system_error("buffer the kernel's events of flows", errno));
    }
    return {};
}

}  // namespace

Result<ConntrackEvents> ConntrackEvents::open(const conntrack::Policy& policy,
                                              std::size_t buffer_bytes) {
    OwnedNetlink socket(open_netlink(NETLINK_NETFILTER, SOCK_NONBLOCK));
    if (!socket) {
        return fail(errno == EPROTONOSUPPORT ? Errc::unsupported : Errc::system,
                    system_error("open a netfilter socket", errno).detail);
    }
    VPNHA_CHECK(prepare(mnl_socket_get_fd(socket.get()), policy, buffer_bytes));
    if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
        return tl::unexpected(system_error("bind a netfilter socket", errno));
    }
    for (int group : {NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY,
                      NFNLGRP_CONNTRACK_EXP_NEW, NFNLGRP_CONNTRACK_EXP_DESTROY}) {
        if (mnl_socket_setsockopt(socket.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0) {
            return tl::unexpected(system_error("subscribe to the kernel's events of flows", errno));
        }
    }
    return ConntrackEvents(std::move(socket));
}

ConntrackEvents::Turn ConntrackEvents::read(const OnNews& on_news,
                                            const OnExpectation& on_expectation) {
    buffer_.resize(kEventsAtOnce * kEventBytesMax);
    std::array<iovec, kEventsAtOnce> places{};
    std::array<mmsghdr, kEventsAtOnce> events{};
    for (std::size_t i = 0; i < kEventsAtOnce; ++i) {
        places[i] = {buffer_.data() + i * kEventBytesMax, kEventBytesMax};
        events[i].msg_hdr.msg_iov = &places[i];
        events[i].msg_hdr.msg_iovlen = 1;
    }
    Turn turn;
    for (std::size_t done = 0; done < limits::kFlowEventsPerTurnMax;) {
        const int got = recvmmsg(fd(), events.data(), events.size(), MSG_DONTWAIT, nullptr);
        if (got < 0 && (errno == ENOBUFS || errno == EINTR)) {
            turn.whole = turn.whole && errno == EINTR;
            continue;
        }
        if (got <= 0) {
            turn.drained = true;
            break;
        }
        for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
            int left = static_cast<int>(events[i].msg_len);
            for (auto* message = static_cast<const nlmsghdr*>(places[i].iov_base);
                 mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
                if (is_expectation_message(message)) {
                    const auto news = parse_expectation_message(message);
                    if (news && on_expectation) {
                        on_expectation(*news);
                    }
                } else if (const auto news = parse_flow_message(message, false)) {
                    on_news(*news);
                }
            }
        }
        done += static_cast<std::size_t>(got);
    }
    return turn;
}

}  // namespace vpnha::adapters
