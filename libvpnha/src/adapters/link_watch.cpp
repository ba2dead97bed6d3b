// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/link_watch.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <map>
#include <utility>

#include "adapters/netlink.hpp"

namespace vpnha::adapters {

struct LinkWatch::State {
    QbLoop* loop = nullptr;
    OnNew on_new;
    OwnedNetlink socket;
    std::map<std::string, int> indices;  // 0: there is none.

    void read();
    void take(const nlmsghdr* message);
    void look_at_all();
};

void LinkWatch::State::take(const nlmsghdr* message) {
    std::string name;
    for_each_attribute(message, sizeof(ifinfomsg), [&name](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == IFLA_IFNAME &&
            mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0) {
            name = mnl_attr_get_str(attribute);
        }
    });
    const auto found = indices.find(name);
    if (found == indices.end()) {
        return;
    }
    const auto* const link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
    if (message->nlmsg_type == RTM_DELLINK) {
        found->second = 0;
    } else if (std::exchange(found->second, link->ifi_index) != link->ifi_index) {
        on_new(name);
    }
}

void LinkWatch::State::look_at_all() {
    for (auto& [name, index] : indices) {
        index = static_cast<int>(if_nametoindex(name.c_str()));
        if (index != 0) {
            on_new(name);
        }
    }
}

void LinkWatch::State::read() {
    const bool complete = read_news(socket.get(), [this](const nlmsghdr* message) {
        if ((message->nlmsg_type == RTM_NEWLINK || message->nlmsg_type == RTM_DELLINK) &&
            mnl_nlmsg_get_payload_len(message) >= sizeof(ifinfomsg)) {
            take(message);
        }
    });
    if (!complete) {
        look_at_all();
    }
}

LinkWatch::LinkWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}

LinkWatch::~LinkWatch() {
    state_->loop->unwatch(mnl_socket_get_fd(state_->socket.get()));
}

Result<std::unique_ptr<LinkWatch>> LinkWatch::open(QbLoop& loop,
                                                   const std::vector<std::string>& interfaces,
                                                   OnNew on_new) {
    auto state = std::make_unique<State>();
    state->loop = &loop;
    state->on_new = std::move(on_new);
    state->socket.reset(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!state->socket ||
        mnl_socket_bind(state->socket.get(), RTMGRP_LINK, MNL_SOCKET_AUTOPID) < 0) {
        return tl::unexpected(system_error("subscribe to the kernel's news of devices", errno));
    }
    // After the subscription, so that nothing falls in between.
    for (const std::string& name : interfaces) {
        state->indices[name] = static_cast<int>(if_nametoindex(name.c_str()));
    }
    const int fd = mnl_socket_get_fd(state->socket.get());
    VPNHA_CHECK(loop.watch(fd, [opened = state.get()] { opened->read(); }));
    return std::unique_ptr<LinkWatch>(new LinkWatch(std::move(state)));
}

}  // namespace vpnha::adapters
