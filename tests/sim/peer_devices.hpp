// SPDX-License-Identifier: GPL-2.0-or-later
// A machine's WireGuard devices, and the clients behind them. As the kernel's, a device tries a
// peer when its keepalive goes from 0 to more. A client answers what passes the gate. It has
// traffic then, and makes new keys every 120 s, or is silent for good.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "cluster/node/node.hpp"
#include "protocols/wireguard/work.hpp"
#include "support/random.hpp"

namespace vpnha::sim {

class PeerDevices {
  public:
    // In the file of every node.
    static constexpr std::uint32_t kPeers = 3;

    struct Ports {
        std::function<bool(GatewayId)> gate_open;
        std::function<void(std::function<effects::Effects(node::Node&, TimePoint)>)> post;
        std::function<void(Duration, std::function<void()>)> later;
        std::function<void(GatewayId)> tried;  // A peer.
    };
    PeerDevices(std::uint64_t seed, Ports ports)
        : random_(seed), of_silence_(seed + 1), ports_(std::move(ports)) {}

    void execute(const node::WireguardWork& work);
    void lose_power() { devices_.clear(); }
    // Peers with an endpoint that were not tried since the device has them.
    [[nodiscard]] std::size_t untried(GatewayId gateway) const;

  private:
    using Key = wireguard::PublicKey;
    struct Peer {
        std::optional<wireguard::Endpoint> endpoint;
        std::uint16_t keepalive_s = 0;
        bool tried = false;
        wireguard::PeerTraffic traffic;
    };

    void carry_out(const node::RaiseDevice& work);
    void carry_out(const node::LowerDevice& work) { devices_.erase(work.gateway); }
    void carry_out(const node::SetPeer& work);
    void carry_out(const node::RemovePeer& work) { devices_[work.gateway].erase(work.key); }
    void carry_out(const node::UseVip& work);
    void carry_out(const node::SetKeepalives& work);
    // From 0 to more: the kernel tries it.
    void set_keepalive(GatewayId gateway, const Key& key, Peer& peer, std::uint16_t keepalive_s);
    void carry_out(const node::ReadPeers& work);
    void carry_out(const node::LoadPeers& work);
    void answer(GatewayId gateway, const Key& key);
    // What the gate lets through.
    void shake_hands(GatewayId gateway, const Key& key, Peer& peer, bool is_silent);

    test::Random random_;
    test::Random of_silence_;
    Ports ports_;
    std::map<GatewayId, std::map<Key, Peer>> devices_;
    std::uint64_t handshakes_ = 0;
};

}  // namespace vpnha::sim
