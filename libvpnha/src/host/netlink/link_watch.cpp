// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/netlink/link_watch.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <map>
#include <set>
#include <utility>

#include "base/limits.hpp"
#include "host/netlink/netlink.hpp"
#include "host/netlink/netlink_route.hpp"
#include "host/os/log.hpp"
#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

constexpr unsigned kGroups = RTMGRP_LINK | RTMGRP_TC | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                             RTMGRP_IPV4_RULE | (1U << (RTNLGRP_IPV6_RULE - 1));
constexpr std::array kWanted{RTM_NEWLINK, RTM_DELLINK,  RTM_DELADDR,
                             RTM_DELRULE, RTM_DELQDISC, RTM_DELTFILTER};
// Of a filter: its priority in the upper half, its protocol in the lower.
constexpr std::uint32_t kFilterInfo = NLMSG_HDRLEN + offsetof(tcmsg, tcm_info);
constexpr std::uint32_t kFirstPriority = 1U << 16U;

// Events about additions stay in the kernel, except filters that may precede the gate: each session
// adds an address, and thousands of events would overrun the socket.
Result<void> refuse_additions(mnl_socket* socket) {
    // The program reads in the network's order, the kernel writes in its own.
    const auto is_type = [](int type, std::size_t if_true, std::size_t if_false) {
        return sock_filter{BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint8_t>(if_true),
                           static_cast<std::uint8_t>(if_false),
                           htons(static_cast<std::uint16_t>(type))};
    };
    constexpr std::size_t kBehindTypes = 5;  // Instructions up to the one that accepts.
    std::vector<sock_filter> code{{BPF_LD | BPF_H | BPF_ABS, 0, 0, offsetof(nlmsghdr, nlmsg_type)}};
    for (std::size_t i = 0; i < kWanted.size(); ++i) {
        code.push_back(is_type(kWanted[i], kWanted.size() - i - 1 + kBehindTypes, 0));
    }
    code.push_back(is_type(RTM_NEWTFILTER, 0, 3));
    code.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, kFilterInfo});
    code.push_back({BPF_ALU | BPF_AND | BPF_K, 0, 0, htonl(~std::uint32_t{0xffff})});
    code.push_back({BPF_JMP | BPF_JEQ | BPF_K, 1, 0, htonl(kFirstPriority)});
    code.push_back({BPF_RET | BPF_K, 0, 0, 0});
    code.push_back({BPF_RET | BPF_K, 0, 0, ~std::uint32_t{0}});
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    if (setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_ATTACH_FILTER, &program,
                   sizeof program) != 0) {
        return tl::unexpected(system_error("filter the kernel's news of devices", errno));
    }
    return {};
}

}  // namespace

struct LinkWatch::State {
    QbLoop* loop = nullptr;
    Listener listener;
    OwnedNetlink socket;
    std::map<LinkIndex, Link> devices;
    std::map<std::string, LinkState> links;  // Of the given names; index 0: not there.

    void read();
    void take(const nlmsghdr* message);
    void take(const Link& link);
    void set(const std::string& name, LinkState& link, const LinkState& seen);
    // After events were lost.
    Result<void> look_at_all();
};

void LinkWatch::State::set(const std::string& name, LinkState& link, const LinkState& seen) {
    const LinkState before = std::exchange(link, seen);
    if (seen.index != 0 && seen.index != before.index) {
        listener.on_new(name);
    }
    if (seen.is_up != before.is_up) {
        listener.on_carrier(name, seen.is_up);
    }
}

void LinkWatch::State::take(const Link& link) {
    const auto [place, is_new] = devices.try_emplace(link.state.index, link);
    const Link before = std::exchange(place->second, link);
    if (is_new || before.name != link.name || before.is_port != link.is_port) {
        listener.on_device(link);
    }
    if (const auto renamed = links.find(before.name);
        renamed != links.end() && before.name != link.name) {
        set(renamed->first, renamed->second, LinkState{});
    }
    const auto found = links.find(link.name);
    if (found != links.end()) {
        set(found->first, found->second, link.state);
    }
}

void LinkWatch::State::take(const nlmsghdr* message) {
    // A bridge's message about a port is about the bridge: a port that leaves it is no lost device.
    if (static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message))->ifi_family == AF_BRIDGE) {
        return;
    }
    const Link link = link_of(message);
    if (message->nlmsg_type == RTM_NEWLINK) {
        take(link);
        return;
    }
    devices.erase(link.state.index);
    const auto found = links.find(link.name);
    if (found != links.end()) {
        set(found->first, found->second, LinkState{});
    }
}

Result<void> LinkWatch::State::look_at_all() {
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    std::vector<Link> present;
    VPNHA_CHECK(route.for_each_link([&present](Link link) { present.push_back(std::move(link)); }));
    devices.clear();
    std::map<std::string, LinkState> lost = links;
    for (const Link& link : present) {
        lost.erase(link.name);
        take(link);
    }
    for (const auto& [name, state] : lost) {
        set(name, links[name], LinkState{});
    }
    listener.on_news_lost();
    return {};
}

void LinkWatch::State::read() {
    std::set<LinkIndex> other_filters;
    std::set<LinkIndex> without_addresses;
    bool without_rules = false;
    const bool complete = read_news(socket.get(), [&](const nlmsghdr* message) {
        const std::size_t octets = mnl_nlmsg_get_payload_len(message);
        const std::uint16_t type = message->nlmsg_type;
        if ((type == RTM_NEWLINK || type == RTM_DELLINK) && octets >= sizeof(ifinfomsg)) {
            take(message);
        } else if ((type == RTM_DELQDISC || type == RTM_DELTFILTER || type == RTM_NEWTFILTER) &&
                   octets >= sizeof(tcmsg)) {
            other_filters.insert(
                static_cast<const tcmsg*>(mnl_nlmsg_get_payload(message))->tcm_ifindex);
        } else if (type == RTM_DELADDR && octets >= sizeof(ifaddrmsg)) {
            const auto* const address =
                static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
            without_addresses.insert(static_cast<LinkIndex>(address->ifa_index));
        }
        without_rules = without_rules || type == RTM_DELRULE;
    });
    if (!complete) {
        if (const Result<void> looked = look_at_all(); !looked) {
            write_log(LogLevel::error, looked.error().detail);
        }
        return;
    }
    for (const LinkIndex index : other_filters) {
        if (const auto found = devices.find(index); found != devices.end()) {
            listener.on_filters_changed(Link(found->second));
        }
    }
    for (const auto& [name, link] : links) {
        if (link.index != 0 && without_addresses.contains(link.index)) {
            listener.on_addresses_removed(name);
        }
    }
    if (without_rules) {
        listener.on_rules_removed();
    }
}

LinkWatch::LinkWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}

LinkWatch::~LinkWatch() {
    state_->loop->unwatch(mnl_socket_get_fd(state_->socket.get()));
}

void LinkWatch::for_each_device(const std::function<void(const Link&)>& on_link) const {
    for (const auto& [index, link] : state_->devices) {
        on_link(link);
    }
}

Result<std::unique_ptr<LinkWatch>> LinkWatch::open(QbLoop& loop,
                                                   const std::vector<std::string>& interfaces,
                                                   Listener listener) {
    auto state = std::make_unique<State>();
    state->loop = &loop;
    state->listener = std::move(listener);
    state->socket.reset(open_netlink(NETLINK_ROUTE, SOCK_NONBLOCK));
    if (!state->socket) {
        return tl::unexpected(system_error("open a netlink socket", errno));
    }
    VPNHA_CHECK(refuse_additions(state->socket.get()));
    const int room = static_cast<int>(limits::kLinkNewsBytes);
    if (setsockopt(mnl_socket_get_fd(state->socket.get()), SOL_SOCKET, SO_RCVBUFFORCE, &room,
                   sizeof room) != 0) {
        return tl::unexpected(system_error("buffer the kernel's news of devices", errno));
    }
    if (mnl_socket_bind(state->socket.get(), kGroups, MNL_SOCKET_AUTOPID) < 0) {
        return tl::unexpected(system_error("subscribe to the kernel's news of devices", errno));
    }
    for (const std::string& name : interfaces) {
        state->links[name] = LinkState{};
    }
    // After the subscription, so that no event is missed in between.
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    VPNHA_CHECK(route.for_each_link([&state](Link link) {
        if (const auto found = state->links.find(link.name); found != state->links.end()) {
            found->second = link.state;
        }
        state->devices.emplace(link.state.index, std::move(link));
    }));
    for (const auto& [index, link] : state->devices) {
        state->listener.on_device(link);
    }
    for (const auto& [name, link] : state->links) {
        if (!link.is_up) {
            state->listener.on_carrier(name, false);
        }
    }
    const int fd = mnl_socket_get_fd(state->socket.get());
    VPNHA_CHECK(loop.watch(fd, [opened = state.get()] { opened->read(); }));
    return std::unique_ptr<LinkWatch>(new LinkWatch(std::move(state)));
}

}  // namespace vpnha::adapters
