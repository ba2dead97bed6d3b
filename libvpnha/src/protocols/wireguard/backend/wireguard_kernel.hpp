// SPDX-License-Identifier: GPL-2.0-or-later
// A WireGuard device of this node's kernel, by rtnetlink and generic netlink. One thread at a time
// calls it. The kernel admits nobody else to its devices while it sets a peer (rtnl, and the
// device's lock). It loads its module when the first device is made.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "host/netlink/netlink_route.hpp"
#include "host/netlink/netlink_train.hpp"
#include "host/secrets/secret_box.hpp"
#include "protocols/wireguard/backend/peer_kernel.hpp"
#include "protocols/wireguard/backend/port_guard.hpp"
#include "protocols/wireguard/backend/vip_routes.hpp"
#include "protocols/wireguard/backend/wireguard_files.hpp"
#include "protocols/wireguard/backend/wireguard_message.hpp"

namespace vpnha::adapters {

class WireguardKernel final : public ports::PeerKernel {
  public:
    struct Settings {
        std::string device;
        PortGuard listen;
        WireguardFiles files;
        std::uint32_t route_table = 0;  // The gateway's: routes to the peers' allowed IPs.
        VipRoutes vip;
    };
    // Must be called in the network namespace of the gateway.
    [[nodiscard]] static Result<std::unique_ptr<ports::PeerKernel>> open(Settings settings,
                                                                         SecretBox box);

    [[nodiscard]] Result<void> raise() override;
    [[nodiscard]] Result<void> lower() override;
    [[nodiscard]] std::vector<Result<void>> set(std::span<const node::SetPeer> peers) override;
    [[nodiscard]] Result<void> remove(const wireguard::PublicKey& key) override;
    [[nodiscard]] Result<void> set_keepalives(std::span<const node::Keepalive> keepalives) override;
    [[nodiscard]] Result<void> use_vip(bool on) override;
    [[nodiscard]] Result<std::vector<wireguard::PeerState>> read() override;
    [[nodiscard]] Result<std::vector<wireguard::Peer>> load() override;

  private:
    WireguardKernel(Settings settings, SecretBox box, RouteNetlink route, NetlinkSocket socket,
                    NetlinkTrain train)
        : settings_(std::move(settings)),
          box_(std::move(box)),
          route_(std::move(route)),
          socket_(std::move(socket)),
          train_(std::move(train)) {}

    // One request; `what` opens the detail of an error.
    [[nodiscard]] Result<void> ask(const std::string& what, const NetlinkTrain::Write& write);
    [[nodiscard]] std::vector<Result<void>> set_train(std::span<const node::SetPeer> peers);
    // Routes the allowed IPs of the peer, and nothing else.
    [[nodiscard]] Result<void> route_to(const wireguard::PublicKey& key,
                                        const std::vector<IpPrefix>& allowed);

    Settings settings_;
    SecretBox box_;
    RouteNetlink route_;
    NetlinkSocket socket_;
    NetlinkTrain train_;
    std::uint16_t family_ = 0;
    LinkIndex link_ = 0;  // 0: it has not been raised.
    std::map<wireguard::PublicKey, std::vector<IpPrefix>> routed_;
};

}  // namespace vpnha::adapters
