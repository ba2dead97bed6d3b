// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/neighbour_watch.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "host/addresses/neighbour.hpp"
#include "host/os/log.hpp"
#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

const std::string& interface_of(const config::Gateway& gateway, LinkSide side) {
    return side == LinkSide::outside ? gateway.outside.interface : gateway.inside.interface;
}

const std::vector<IpAddress>& neighbours_of(const config::Gateway& gateway, LinkSide side) {
    return side == LinkSide::outside ? gateway.links.outside_neighbours
                                     : gateway.links.inside_neighbours;
}

bool is_vip(const config::Config& config, const IpAddress& address) {
    const auto has = [&](const config::Side& side) {
        return std::any_of(side.addresses.begin(), side.addresses.end(),
                           [&](const IpPrefix& vip) { return vip.address == address; });
    };
    return std::any_of(
        config.gateways.begin(), config.gateways.end(),
        [&](const config::Gateway& each) { return has(each.outside) || has(each.inside); });
}

// The kernel's source address towards a neighbour on that link: read from a socket that sends
// nothing.
Result<Ipv6Address> link_local_address(const std::string& interface) {
    const UniqueFd fd = open_network_socket(AF_INET6, SOCK_DGRAM);
    sockaddr_in6 there{};
    there.sin6_family = AF_INET6;
    there.sin6_port = htons(9);
    there.sin6_addr.s6_addr[0] = 0xfe;
    there.sin6_addr.s6_addr[1] = 0x80;
    there.sin6_addr.s6_addr[15] = 1;
    there.sin6_scope_id = if_nametoindex(interface.c_str());
    sockaddr_in6 here{};
    socklen_t bytes = sizeof here;
    if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0 ||
        getsockname(fd.get(), reinterpret_cast<sockaddr*>(&here), &bytes) != 0) {
        return tl::unexpected(
            system_error(fmt::format("find the link-local address of {}", interface), errno));
    }
    Ipv6Address address;
    std::copy(std::begin(here.sin6_addr.s6_addr), std::end(here.sin6_addr.s6_addr),
              address.octets.begin());
    return address;
}

}  // namespace

NeighbourWatch::NeighbourWatch(const config::Config& config, QbLoop& loop, OnAnswer on_answer)
    : config_(config), loop_(loop), on_answer_(std::move(on_answer)) {}

NeighbourWatch::~NeighbourWatch() {
    for (const auto& [place, socket] : sockets_) {
        loop_.unwatch(socket.fd());
    }
}

void NeighbourWatch::ask(GatewayId gateway, LinkSide side) {
    const config::Gateway* const found = config_.find(gateway);
    if (found == nullptr) {
        return;
    }
    for (const IpAddress& address : neighbours_of(*found, side)) {
        const std::string& interface = interface_of(*found, side);
        if (const Result<void> asked = ask(interface, address); !asked) {
            // This is frequent: the link is about to be reported as down.
            write_log(LogLevel::debug, asked.error().detail);
            close({interface, !address.is_v4()});
        }
    }
}

Result<void> NeighbourWatch::ask(const std::string& interface, const IpAddress& address) {
    VPNHA_TRY(const PacketSocket* const socket, socket_of({interface, !address.is_v4()}));
    if (const auto v4 = address.v4()) {
        return socket->send_frame(encode_arp_question({socket->mac(), own_address(interface)}, *v4),
                                  "ask a neighbour");
    }
    VPNHA_TRY(const Ipv6Address own, link_local_address(interface));
    return socket->send_frame(encode_solicitation_of(socket->mac(), own, *address.v6()),
                              "ask a neighbour");
}

Result<PacketSocket*> NeighbourWatch::socket_of(const Place& place) {
    if (const auto found = sockets_.find(place); found != sockets_.end()) {
        return &found->second;
    }
    VPNHA_TRY(PacketSocket opened, open_answers(place.first, place.second));
    VPNHA_CHECK(loop_.watch(opened.fd(), [this, place] { read(place); }));
    return &sockets_.emplace(place, std::move(opened)).first->second;
}

Ipv4Address NeighbourWatch::own_address(const std::string& interface) const {
    const UniqueFd fd = open_network_socket(AF_INET, SOCK_DGRAM);
    ifreq request{};
    interface.copy(request.ifr_name, sizeof request.ifr_name - 1);
    if (!fd || ioctl(fd.get(), SIOCGIFADDR, &request) != 0) {
        return {};
    }
    sockaddr_in found{};
    std::memcpy(&found, &request.ifr_addr, sizeof found);
    const Ipv4Address address{ntohl(found.sin_addr.s_addr)};
    return is_vip(config_, IpAddress(address)) ? Ipv4Address{} : address;
}

void NeighbourWatch::read(const Place& place) {
    const auto found = sockets_.find(place);
    if (found == sockets_.end()) {
        return;
    }
    std::vector<IpAddress> answered;
    for (const NeighbourClaim& claim : read_claims(found->second)) {
        answered.push_back(claim.address);
    }
    for (const config::Gateway& gateway : config_.gateways) {
        for (const LinkSide side : kLinkSides) {
            const std::vector<IpAddress>& all = neighbours_of(gateway, side);
            for (const IpAddress& address : answered) {
                if (interface_of(gateway, side) == place.first &&
                    std::find(all.begin(), all.end(), address) != all.end()) {
                    on_answer_(gateway.id, side, address);
                }
            }
        }
    }
}

void NeighbourWatch::close(const Place& place) {
    if (const auto found = sockets_.find(place); found != sockets_.end()) {
        loop_.unwatch(found->second.fd());
        sockets_.erase(found);
    }
}

void NeighbourWatch::forget(const std::string& interface) {
    close({interface, false});
    close({interface, true});
}

}  // namespace vpnha::adapters
