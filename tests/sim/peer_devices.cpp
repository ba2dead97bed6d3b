// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/peer_devices.hpp"

#include <algorithm>
#include <variant>

#include "sim/plan.hpp"
#include "support/sample_peer.hpp"

namespace vpnha::sim {

namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kInitiationBytes = 148;
constexpr std::uint64_t kAnswerBytes = 92;
constexpr std::chrono::seconds kRekey{120};  // REKEY_AFTER_TIME.

}  // namespace

void PeerDevices::execute(const node::WireguardWork& work) {
    std::visit([this](const auto& each) { carry_out(each); }, work);
}

std::size_t PeerDevices::untried(GatewayId gateway) const {
    const auto device = devices_.find(gateway);
    return device == devices_.end() ? 0
                                    : static_cast<std::size_t>(std::ranges::count_if(
                                          device->second, [](const auto& each) {
                                              return each.second.endpoint && !each.second.tried;
                                          }));
}

void PeerDevices::carry_out(const node::RaiseDevice& work) {
    devices_[work.gateway].clear();
    ports_.post([gateway = work.gateway](node::Node& node, TimePoint now) {
        return node.on_event(gateway, node::DeviceRaised{}, now);
    });
}

void PeerDevices::carry_out(const node::SetPeer& work) {
    std::map<Key, Peer>& device = devices_[work.gateway];
    if (work.anew) {
        device.erase(work.peer.key);
    }
    Peer& peer = device[work.peer.key];
    peer.endpoint = work.peer.endpoint ? work.peer.endpoint : peer.endpoint;
    set_keepalive(work.gateway, work.peer.key, peer, work.keepalive_s);
    ports_.post([gateway = work.gateway, key = work.peer.key, ticket = work.ticket](
                    node::Node& node, TimePoint now) {
        return node.on_event(gateway, node::PeerSet{key, ticket, {}}, now);
    });
}

void PeerDevices::carry_out(const node::UseVip& work) {
    if (work.on) {
        ports_.post([gateway = work.gateway](node::Node& node, TimePoint now) {
            return node.on_event(gateway, node::VipUsed{}, now);
        });
    }
}

void PeerDevices::carry_out(const node::SetKeepalives& work) {
    std::map<Key, Peer>& device = devices_[work.gateway];
    for (const auto& [key, keepalive_s] : work.keepalives) {
        const auto found = device.find(key);
        if (found == device.end()) {
            continue;
        }
        set_keepalive(work.gateway, key, found->second, keepalive_s);
    }
}

void PeerDevices::set_keepalive(GatewayId gateway, const Key& key, Peer& peer,
                                std::uint16_t keepalive_s) {
    const bool is_tried = peer.keepalive_s == 0 && keepalive_s != 0;
    peer.keepalive_s = keepalive_s;
    if (is_tried) {
        peer.tried = true;
        peer.traffic.octets_out += kInitiationBytes;
        ports_.tried(gateway);
        ports_.later(between(random_, milliseconds(1), milliseconds(40)),
                     [this, gateway, key] { answer(gateway, key); });
    }
}

void PeerDevices::answer(GatewayId gateway, const Key& key) {
    std::map<Key, Peer>& device = devices_[gateway];
    const auto found = device.find(key);
    if (found != device.end() && ports_.gate_open(gateway) && random_.chance(80)) {
        shake_hands(gateway, key, found->second, of_silence_.chance(25));
    }
}

void PeerDevices::shake_hands(GatewayId gateway, const Key& key, Peer& peer, bool is_silent) {
    peer.traffic.octets_in += kAnswerBytes;
    peer.traffic.last_handshake_unix_ms = ++handshakes_;
    if (is_silent) {
        return;
    }
    ports_.later(kRekey, [this, gateway, key, number = handshakes_] {
        const auto found = devices_[gateway].find(key);
        if (found != devices_[gateway].end() && ports_.gate_open(gateway) &&
            found->second.traffic.last_handshake_unix_ms == number) {
            shake_hands(gateway, key, found->second, false);
        }
    });
}

void PeerDevices::carry_out(const node::ReadPeers& work) {
    std::vector<wireguard::PeerState> states;
    for (const auto& [key, peer] : devices_[work.gateway]) {
        states.push_back({key, peer.endpoint, peer.traffic});
    }
    ports_.post([gateway = work.gateway, ticket = work.ticket, states = std::move(states)](
                    node::Node& node, TimePoint now) {
        return node.on_event(gateway, node::PeersRead{ticket, states, true}, now);
    });
}

void PeerDevices::carry_out(const node::LoadPeers& work) {
    std::vector<wireguard::Peer> peers;
    for (std::uint32_t number = 1; number <= kPeers; ++number) {
        peers.push_back(wireguard::test::sample_peer(number));
        peers.back().keepalive_s = number == 1 ? std::uint16_t{25} : std::uint16_t{0};
        peers.back().allowed = {{IpAddress(Ipv4Address{0x0ac80000 + number}), 32}};
    }
    ports_.post(
        [gateway = work.gateway, peers = std::move(peers)](node::Node& node, TimePoint now) {
            return node.on_event(gateway, node::PeersLoaded{peers, true}, now);
        });
}

}  // namespace vpnha::sim
