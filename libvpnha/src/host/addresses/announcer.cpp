// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/announcer.hpp"

#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "host/addresses/announce_schedule.hpp"
#include "host/addresses/packet.hpp"
#include "host/netlink/netlink_route.hpp"
#include "host/os/boot_clock.hpp"
#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

class Announcer {
  public:
    Announcer(RouteNetlink route, OwnedNetlink news, const std::string& interface,
              const std::vector<IpPrefix>& addresses)
        : route_(std::move(route)),
          news_(std::move(news)),
          interface_(interface),
          addresses_(addresses) {}

    Result<void> run() {
        VPNHA_CHECK(look());
        schedule_.restart(boot_time());
        schedule_.on_sent(boot_time());
        while (!present_.empty()) {
            pollfd entry{mnl_socket_get_fd(news_.get()), POLLIN, 0};
            if (poll(&entry, 1, patience()) > 0) {
                VPNHA_CHECK(read());
            }
            const auto due = schedule_.due();
            if (due && *due <= boot_time() && !present_.empty()) {
                // A burst that fails is followed by others; link events show the reason.
                static_cast<void>(announce_addresses(interface_, present_));
                schedule_.on_sent(boot_time());
            }
        }
        return {};
    }

  private:
    [[nodiscard]] int patience() const {
        const auto due = schedule_.due();
        if (!due) {
            return -1;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - boot_time());
        return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
    }

    // Reads the present state, whatever the events showed.
    Result<void> look() {
        present_.clear();
        VPNHA_TRY(const auto link, route_.find_link(interface_));
        if (!link) {
            return {};
        }
        link_ = *link;
        VPNHA_TRY(const std::vector<IpPrefix> found, route_.addresses(link->index));
        for (const IpPrefix& address : addresses_) {
            if (std::find(found.begin(), found.end(), address) != found.end()) {
                present_.push_back(address);
            }
        }
        return {};
    }

    Result<void> read() {
        const LinkState before = link_;
        // A link that was down and is up again by now has flapped, too.
        bool was_down = !before.is_up;
        const bool complete = read_news(news_.get(), [&](const nlmsghdr* message) {
            if (message->nlmsg_type == RTM_NEWLINK &&
                mnl_nlmsg_get_payload_len(message) >= sizeof(ifinfomsg)) {
                const LinkState link = link_state_of(message);
                was_down = was_down || (link.index == link_.index && !link.is_up);
            }
        });
        VPNHA_CHECK(look());
        if (!link_.is_up) {
            schedule_.pause();
        } else if (was_down || !complete || link_.index != before.index) {
            schedule_.restart(boot_time());
        }
        return {};
    }

    RouteNetlink route_;
    OwnedNetlink news_;
    const std::string& interface_;
    const std::vector<IpPrefix>& addresses_;
    AnnounceSchedule schedule_;
    LinkState link_;
    std::vector<IpPrefix> present_;
};

}  // namespace

Result<void> keep_announcing(const std::string& interface, const std::vector<IpPrefix>& addresses) {
    OwnedNetlink news(open_netlink(NETLINK_ROUTE, SOCK_NONBLOCK));
    // Before the first check, so that no event is missed in between.
    if (!news || mnl_socket_bind(news.get(), RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
                                 MNL_SOCKET_AUTOPID) < 0) {
        return tl::unexpected(system_error("subscribe to the kernel's news of links", errno));
    }
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    return Announcer(std::move(route), std::move(news), interface, addresses).run();
}

}  // namespace vpnha::adapters
