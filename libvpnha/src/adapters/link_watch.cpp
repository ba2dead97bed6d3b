// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/link_watch.hpp"

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

#include "adapters/log.hpp"
#include "adapters/netlink.hpp"
#include "adapters/netlink_route.hpp"

namespace vpnha::adapters {

namespace {

constexpr unsigned kGroups = RTMGRP_LINK | RTMGRP_TC | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                             RTMGRP_IPV4_RULE | (1U << (RTNLGRP_IPV6_RULE - 1));
constexpr std::array kWanted{RTM_NEWLINK, RTM_DELLINK,  RTM_DELADDR,
                             RTM_DELRULE, RTM_DELQDISC, RTM_DELTFILTER};

// What is added stays in the kernel: each session brings an address, and the news of thousands
// would overrun the socket.
Result<void> refuse_additions(mnl_socket* socket) {
    std::array<sock_filter, kWanted.size() + 3> code{};
    auto* next = code.data();
    *next++ = {BPF_LD | BPF_H | BPF_ABS, 0, 0, offsetof(nlmsghdr, nlmsg_type)};
    for (std::size_t i = 0; i < kWanted.size(); ++i) {
        // The program reads in the network's order, the kernel writes in its own.
        const std::uint32_t type = htons(static_cast<std::uint16_t>(kWanted[i]));
        *next++ = {BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint8_t>(kWanted.size() - i), 0,
                   type};
    }
    *next++ = {BPF_RET | BPF_K, 0, 0, 0};
    *next++ = {BPF_RET | BPF_K, 0, 0, ~std::uint32_t{0}};
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
    std::map<std::string, LinkState> links;

    void read();
    void take(const nlmsghdr* message);
    void set(const std::string& name, LinkState& link, const LinkState& seen);
    // Whatever is there counts as new.
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

void LinkWatch::State::take(const nlmsghdr* message) {
    // What a bridge says of its ports is about the bridge: a port that leaves it is no lost device.
    if (static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message))->ifi_family == AF_BRIDGE) {
        return;
    }
    std::string name;
    for_each_attribute(message, sizeof(ifinfomsg), [&name](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == IFLA_IFNAME &&
            mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0) {
            name = mnl_attr_get_str(attribute);
        }
    });
    const auto found = links.find(name);
    if (found != links.end()) {
        set(name, found->second,
            message->nlmsg_type == RTM_DELLINK ? LinkState{} : link_state_of(message));
    }
}

Result<void> LinkWatch::State::look_at_all() {
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    for (auto& [name, link] : links) {
        VPNHA_TRY(const auto found, route.find_link(name));
        link.index = 0;
        set(name, link, found.value_or(LinkState{}));
    }
    return {};
}

void LinkWatch::State::read() {
    std::set<int> without_filters;
    std::set<int> without_addresses;
    bool without_rules = false;
    const bool complete = read_news(socket.get(), [&](const nlmsghdr* message) {
        const std::size_t octets = mnl_nlmsg_get_payload_len(message);
        if ((message->nlmsg_type == RTM_NEWLINK || message->nlmsg_type == RTM_DELLINK) &&
            octets >= sizeof(ifinfomsg)) {
            take(message);
        } else if ((message->nlmsg_type == RTM_DELQDISC || message->nlmsg_type == RTM_DELTFILTER) &&
                   octets >= sizeof(tcmsg)) {
            without_filters.insert(
                static_cast<const tcmsg*>(mnl_nlmsg_get_payload(message))->tcm_ifindex);
        } else if (message->nlmsg_type == RTM_DELADDR && octets >= sizeof(ifaddrmsg)) {
            const auto* const address =
                static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
            without_addresses.insert(static_cast<int>(address->ifa_index));
        }
        without_rules = without_rules || message->nlmsg_type == RTM_DELRULE;
    });
    if (complete) {
        for (const auto& [name, link] : links) {
            if (link.index != 0 && without_filters.contains(link.index)) {
                listener.on_filters_removed(name);
            }
            if (link.index != 0 && without_addresses.contains(link.index)) {
                listener.on_addresses_removed(name);
            }
        }
        if (without_rules) {
            listener.on_rules_removed();
        }
        return;
    }
    if (const Result<void> looked = look_at_all(); !looked) {
        write_log(node::Level::error, looked.error().detail);
    }
}

LinkWatch::LinkWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}

LinkWatch::~LinkWatch() {
    state_->loop->unwatch(mnl_socket_get_fd(state_->socket.get()));
}

Result<std::unique_ptr<LinkWatch>> LinkWatch::open(QbLoop& loop,
                                                   const std::vector<std::string>& interfaces,
                                                   Listener listener) {
    auto state = std::make_unique<State>();
    state->loop = &loop;
    state->listener = std::move(listener);
    state->socket.reset(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!state->socket) {
        return tl::unexpected(system_error("open a netlink socket", errno));
    }
    VPNHA_CHECK(refuse_additions(state->socket.get()));
    if (mnl_socket_bind(state->socket.get(), kGroups, MNL_SOCKET_AUTOPID) < 0) {
        return tl::unexpected(system_error("subscribe to the kernel's news of devices", errno));
    }
    // After the subscription, so that nothing falls in between.
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    for (const std::string& name : interfaces) {
        VPNHA_TRY(const auto found, route.find_link(name));
        state->links[name] = found.value_or(LinkState{});
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
