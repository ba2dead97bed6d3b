// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/backend/wireguard_kernel.hpp"

#include <fmt/format.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "host/netlink/generic_family.hpp"
#include "host/netlink/secret_listing.hpp"
#include "protocols/wireguard/model/key_text.hpp"

namespace vpnha::adapters {

namespace {

using wireguard::Peer;
using wireguard::PeerState;
using wireguard::PublicKey;

constexpr std::string_view kKind = "wireguard";
// One send call has room for so many of the longest, with limits::kWireguardAllowedIpsMax nets.
constexpr std::size_t kPeersPerTrain = 12;
constexpr std::size_t kKeepalivesPerRequest = 256;

Result<void> result_of(int answer, const std::string& what) {
    return answer == 0 ? Result<void>() : tl::unexpected(system_error(what, answer));
}

}  // namespace

Result<std::unique_ptr<ports::PeerKernel>> WireguardKernel::open(Settings settings, SecretBox box) {
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_GENERIC));
    VPNHA_TRY(NetlinkTrain train,
              NetlinkTrain::open({.bus = NETLINK_GENERIC,
                                  .requests_max = kPeersPerTrain,
                                  .request_bytes_max = kWireguardRequestBytesMax,
                                  .what = "set WireGuard's device " + settings.device,
                                  .is_secret = true}));
    return std::unique_ptr<ports::PeerKernel>(
        new WireguardKernel(std::move(settings), std::move(box), std::move(route),
                            std::move(socket), std::move(train)));
}

Result<void> WireguardKernel::ask(const std::string& what, const NetlinkTrain::Write& write) {
    VPNHA_TRY(const std::vector<int> answers, train_.ask(1, write));
    return result_of(answers.front(), what);
}

Result<void> WireguardKernel::raise() {
    link_ = 0;
    routed_.clear();
    VPNHA_TRY(const wireguard::SecretKey key, read_private_key(settings_.files.private_key));
    VPNHA_CHECK(guard_port(settings_.listen));
    auto added = route_.add_device(settings_.device, std::string(kKind));
    if (!added && added.error().code == Errc::already_exists) {
        return fail(Errc::already_exists,
                    fmt::format("{} is a device of another kind; give another name in "
                                "vpnha.toml",
                                settings_.device));
    }
    if (!added && added.error().code == Errc::unsupported) {
        return fail(Errc::unsupported,
                    "this kernel has no WireGuard: modprobe wireguard (Debian: linux-image-amd64)");
    }
    VPNHA_CHECK(added);
    VPNHA_TRY(const auto link, route_.find_link(settings_.device));
    if (!link) {
        return fail(Errc::not_found, settings_.device + " disappeared at once");
    }
    VPNHA_TRY(const GenericFamily family, find_generic_family(socket_, kKind));
    family_ = family.id;
    VPNHA_CHECK(
        ask("set the key and the port of " + settings_.device, [&](char* buffer, std::size_t) {
            return PeerRequest(buffer, family_, settings_.device)
                .set_device({.private_key = ByteView(key.data(), key.size()),
                             .listen_port = settings_.listen.port,
                             .mark = settings_.vip.mark})
                .finish();
        }));
    VPNHA_CHECK(route_.set_link_up(link->index));
    link_ = link->index;
    return {};
}

Result<void> WireguardKernel::lower() {
    routed_.clear();
    if (const LinkIndex link = std::exchange(link_, 0); link != 0) {
        VPNHA_CHECK(route_.delete_link(link));
    }
    return leave_port_alone(settings_.listen);
}

std::vector<Result<void>> WireguardKernel::set(std::span<const node::SetPeer> peers) {
    std::vector<Result<void>> results;
    results.reserve(peers.size());
    while (!peers.empty()) {
        const auto part = peers.first(std::min(kPeersPerTrain, peers.size()));
        peers = peers.subspan(part.size());
        for (Result<void>& each : set_train(part)) {
            results.push_back(std::move(each));
        }
    }
    return results;
}

std::vector<Result<void>> WireguardKernel::set_train(std::span<const node::SetPeer> peers) {
    std::vector<Result<void>> results(peers.size());
    auto keys = SecretBytes::with_room(peers.size() * wireguard::kKeyBytes);
    if (!keys || link_ == 0) {
        const Error error =
            keys ? Error{Errc::not_found, "there is no device " + settings_.device} : keys.error();
        std::ranges::fill(results, tl::unexpected(error));
        return results;
    }
    std::vector<std::size_t> asked;
    std::vector<PeerChange> changes;
    for (std::size_t n = 0; n < peers.size(); ++n) {
        const Peer& peer = peers[n].peer;
        const std::size_t before = keys->view().size();
        if (!peer.sealed_preshared.empty()) {
            results[n] = open_preshared(box_, peer, *keys);
        }
        if (results[n]) {
            asked.push_back(n);
            changes.push_back({.key = peer.key,
                               .preshared = keys->view().subspan(before),
                               .endpoint = peer.endpoint,
                               .keepalive_s = peers[n].keepalive_s,
                               .allowed = std::span(peer.allowed)});
        }
    }
    const auto answers = train_.ask(asked.size(), [&](char* buffer, std::size_t i) {
        PeerRequest request(buffer, family_, settings_.device);
        const PeerChange& change = changes[i];
        const bool fits =
            (!peers[asked[i]].anew || request.add({.key = change.key, .is_removed = true})) &&
            request.add(change);
        VPNHA_ASSERT(fits);  // kWireguardRequestBytesMax has room for any record.
        return request.finish();
    });
    for (std::size_t i = 0; i < asked.size(); ++i) {
        Result<void>& result = results[asked[i]];
        const Peer& peer = peers[asked[i]].peer;
        result = answers ? result_of((*answers)[i], "set peer " + to_string(peer.key))
                         : tl::unexpected(answers.error());
        if (result) {
            result = route_to(peer.key, peer.allowed);
        }
    }
    return results;
}

Result<void> WireguardKernel::route_to(const PublicKey& key, const std::vector<IpPrefix>& allowed) {
    std::vector<IpPrefix>& routed = routed_[key];
    for (const IpPrefix& net : std::exchange(routed, allowed)) {
        if (std::ranges::find(allowed, net) == allowed.end()) {
            VPNHA_CHECK(route_.delete_route(link_, {net, std::nullopt, settings_.route_table}));
        }
    }
    for (const IpPrefix& net : allowed) {
        VPNHA_CHECK(route_.add_route(link_, {net, std::nullopt, settings_.route_table}));
    }
    return {};
}

Result<void> WireguardKernel::remove(const PublicKey& key) {
    if (link_ == 0) {
        return {};
    }
    VPNHA_CHECK(ask("remove peer " + to_string(key), [&](char* buffer, std::size_t) {
        PeerRequest request(buffer, family_, settings_.device);
        VPNHA_ASSERT(request.add({.key = key, .is_removed = true}));
        return request.finish();
    }));
    VPNHA_CHECK(route_to(key, {}));
    routed_.erase(key);
    return {};
}

Result<void> WireguardKernel::set_keepalives(std::span<const node::Keepalive> keepalives) {
    while (!keepalives.empty() && link_ != 0) {
        const auto part = keepalives.first(std::min(kKeepalivesPerRequest, keepalives.size()));
        keepalives = keepalives.subspan(part.size());
        VPNHA_CHECK(ask("set keepalives of " + settings_.device, [&](char* buffer, std::size_t) {
            PeerRequest request(buffer, family_, settings_.device);
            for (const auto& [key, seconds] : part) {
                VPNHA_ASSERT(
                    request.add({.key = key, .only_if_there = true, .keepalive_s = seconds}));
            }
            return request.finish();
        }));
    }
    return {};
}

Result<void> WireguardKernel::use_vip(bool on) {
    return on ? add_vip_routes(route_, settings_.vip) : remove_vip_routes(route_, settings_.vip);
}

Result<std::vector<PeerState>> WireguardKernel::read() {
    const std::string what = "list the peers of " + settings_.device;
    if (link_ == 0) {
        return fail(Errc::not_found, "there is no device " + settings_.device);
    }
    VPNHA_CHECK(keep_port_guarded(settings_.listen));
    std::vector<char> request(kWireguardRequestBytesMax);
    std::vector<PeerState> peers;
    VPNHA_TRY(
        const int error,
        list_secrets(NETLINK_GENERIC, put_device_listing(request.data(), family_, settings_.device),
                     what, [&peers](const nlmsghdr* message) {
                         for_each_peer(message,
                                       [&peers](const PeerState& peer) { peers.push_back(peer); });
                     }));
    if (error == ENODEV) {
        return fail(Errc::not_found, "there is no device " + settings_.device);
    }
    VPNHA_CHECK(result_of(error, what));
    return peers;
}

Result<std::vector<Peer>> WireguardKernel::load() {
    return read_peers(settings_.files, settings_.listen.port, box_);
}

}  // namespace vpnha::adapters
