// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/announced_prefixes.hpp"

#include <fmt/format.h>

namespace vpnha::adapters {

Result<void> AnnouncedPrefixes::check(RouteNetlink& route, const std::string& interface) {
    VPNHA_TRY(const auto device, route.find_device(interface));
    if (!device) {
        return fail(Errc::invalid_argument, fmt::format("there is no device {}; "
                                                        "docs/use/announce.md has how it is made",
                                                        interface));
    }
    std::optional<Link> upper;
    if (device->upper != 0) {
        VPNHA_TRY(upper, route.find_device(device->upper));
    }
    if (!upper || upper->kind != "vrf") {
        return fail(Errc::invalid_argument,
                    fmt::format("device {} is in no VRF, so the node would take packets to the "
                                "prefixes for its own; 'ip link set {} master VRF'",
                                interface, interface));
    }
    return {};
}

Result<void> AnnouncedPrefixes::turn(bool is_served, TimePoint now) {
    if (!is_served) {
        return may_be_there_ ? withdraw() : Result<void>{};
    }
    if (now < renew_at_) {
        return {};
    }
    may_be_there_ = true;
    VPNHA_CHECK(lend());
    renew_at_ = now + kRenewal;
    return {};
}

Result<void> AnnouncedPrefixes::withdraw() {
    renew_at_ = {};
    VPNHA_TRY(const auto link, route_.find_link(interface_));
    if (link) {
        for (const IpPrefix& prefix : prefixes_) {
            VPNHA_CHECK(route_.delete_address(link->index, prefix));
        }
    }
    may_be_there_ = false;
    return {};
}

Result<void> AnnouncedPrefixes::lend() {
    VPNHA_TRY(const auto link, route_.find_link(interface_));
    if (!link) {
        return fail(Errc::not_found, fmt::format("there is no device {}", interface_));
    }
    for (const IpPrefix& prefix : prefixes_) {
        VPNHA_CHECK(route_.lend_address(link->index, prefix, kLent));
    }
    return {};
}

}  // namespace vpnha::adapters
