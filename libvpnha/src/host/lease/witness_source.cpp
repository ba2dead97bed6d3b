// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/witness_source.hpp"

#include <fmt/format.h>
#include <ifaddrs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

bool is_covered(const IpAddress& address, const std::vector<IpPrefix>& covered) {
    return std::any_of(covered.begin(), covered.end(),
                       [&](const IpPrefix& net) { return contains(net, address); });
}

// Of one link only, so it cannot reach any other network.
bool is_of_the_link(const IpAddress& address) {
    static const IpPrefix kLinkLocal = {link_local_address(0), 10};
    return contains(kLinkLocal, address);
}

struct OwnAddress {
    std::string device;
    SocketAddress address;
};

std::vector<OwnAddress> own_addresses(int family) {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) {
        return {};
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> kept(list, freeifaddrs);
    std::vector<OwnAddress> own;
    for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
        if (each->ifa_addr != nullptr && each->ifa_addr->sa_family == family) {
            OwnAddress& added = own.emplace_back();
            added.device = each->ifa_name;
            added.address.size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
            std::memcpy(&added.address.storage, each->ifa_addr, added.address.size);
        }
    }
    return own;
}

Result<SocketAddress> source_by_routes(const SocketAddress& to) {
    const UniqueFd fd = open_network_socket(to.family(), SOCK_DGRAM);
    SocketAddress source;
    source.size = sizeof source.storage;
    if (!fd || connect(fd.get(), to.get(), to.size) != 0 ||
        getsockname(fd.get(), reinterpret_cast<sockaddr*>(&source.storage), &source.size) != 0) {
        return fail(Errc::unreachable, std::strerror(errno));
    }
    return source;
}

}  // namespace

Result<SocketAddress> source_to(const SocketAddress& to, const std::vector<IpPrefix>& covered) {
    VPNHA_TRY(SocketAddress source, source_by_routes(to));
    if (!is_covered(source.ip(), covered)) {
        return source;
    }
    const std::vector<OwnAddress> own = own_addresses(to.family());
    const auto with = std::find_if(
        own.begin(), own.end(), [&](const OwnAddress& each) { return each.address.is_at(source); });
    const auto other = std::find_if(own.begin(), own.end(), [&](const OwnAddress& each) {
        return with != own.end() && each.device == with->device &&
               !is_covered(each.address.ip(), covered) && !is_of_the_link(each.address.ip());
    });
    if (other == own.end()) {
        return fail(
            Errc::unsupported,
            fmt::format("the way there leaves from {}, which is a gateway's own, and {} "
                        "has no other address of that family; give it one",
                        to_string(source.ip()), with == own.end() ? "its device" : with->device));
    }
    return other->address;
}

}  // namespace vpnha::adapters
