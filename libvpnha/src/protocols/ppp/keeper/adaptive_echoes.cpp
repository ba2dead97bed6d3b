// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/keeper/adaptive_echoes.hpp"

#include <algorithm>
#include <chrono>

namespace vpnha::keepers {

namespace {

constexpr Duration kPauseMin = std::chrono::seconds(1);

}  // namespace

void AdaptiveEchoes::watch(const Session& session, TimePoint now) {
    if (session.interval == Duration::zero()) {
        return;
    }
    sessions_[session.record] = {session, {}};
    ask_at_ = now;
}

std::vector<wire::RecordKey> AdaptiveEchoes::handle(const node::TrafficRead& read) {
    std::vector<wire::RecordKey> received;
    if (sessions_.empty()) {
        return received;
    }
    std::map<Ipv4Address, std::uint64_t> packets;
    for (const node::DeviceTraffic& device : read.devices) {
        packets.emplace(device.client, device.traffic.packets_in);
    }
    for (auto& [record, watched] : sessions_) {
        const auto found = packets.find(watched.session.client);
        if (found == packets.end()) {
            continue;
        }
        if (watched.packets && *watched.packets != found->second) {
            received.push_back(record);
        }
        watched.packets = found->second;
    }
    return received;
}

void AdaptiveEchoes::ask(GatewayId gateway, TimePoint now, effects::Effects& effects) {
    if (sessions_.empty() || now < ask_at_) {
        return;
    }
    const auto shortest = std::ranges::min_element(
        sessions_, {}, [](const auto& each) { return each.second.session.interval; });
    ask_at_ = now + std::max(kPauseMin, shortest->second.session.interval / 2);
    effects.emplace_back(node::ReadTraffic{gateway, 0});
}

std::optional<TimePoint> AdaptiveEchoes::next_deadline() const {
    return sessions_.empty() ? std::nullopt : std::optional(ask_at_);
}

}  // namespace vpnha::keepers
