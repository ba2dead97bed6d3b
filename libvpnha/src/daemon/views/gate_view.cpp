// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/gate_view.hpp"

#include <chrono>
#include <string_view>

namespace vpnha::runtime {

namespace {

using adapters::GateDevice;
using adapters::GatePresence;
using adapters::GateState;
using nlohmann::json;
using ports::GateDirection;
using ports::GateKind;
using ports::GateReason;

std::string_view word_for(GateDirection direction) {
    return direction == GateDirection::in ? "in" : "out";
}

std::string_view word_for(GateReason reason) {
    switch (reason) {
        case GateReason::standby:
            return "standby";
        case GateReason::expired:
            return "expired";
        case GateReason::ending:
            return "ending";
        case GateReason::cleartext:
            return "cleartext";
        case GateReason::held:
            return "held";
        case GateReason::drained:
            return "drained";
    }
    return "standby";
}

std::string_view word_for(GateKind kind) {
    switch (kind) {
        case GateKind::ip:
            return "ip";
        case GateKind::arp:
            return "arp";
        case GateKind::nd:
            return "nd";
    }
    return "ip";
}

std::string_view word_for(GatePresence presence) {
    switch (presence) {
        case GatePresence::attached:
            return "attached";
        case GatePresence::behind:
            return "behind";
        case GatePresence::missing:
            return "missing";
        case GatePresence::foreign:
            return "foreign";
        case GatePresence::barred:
            return "barred";
        case GatePresence::no_device:
            return "no_device";
    }
    return "missing";
}

json devices_view(const std::vector<GateDevice>& found) {
    json devices = json::array();
    for (const GateDevice& device : found) {
        if (devices.empty() || devices.back().at("interface") != device.interface) {
            devices.push_back({{"interface", device.interface}, {"before", json::object()}});
        }
        const std::string direction(word_for(device.direction));
        devices.back()[direction] = word_for(device.presence);
        devices.back()["before"][direction] = device.before;
    }
    return devices;
}

json drops_view(const ports::GateCounters& drops) {
    json view;
    for (const GateDirection direction : ports::kGateDirections) {
        for (const GateReason reason : ports::kGateReasons) {
            for (const GateKind kind : ports::kGateKinds) {
                view[std::string(word_for(direction))][std::string(word_for(reason))]
                    [std::string(word_for(kind))] = drops.at(direction, reason, kind);
            }
        }
    }
    return view;
}

json state_view(const GateState& state, TimePoint now) {
    json covered = json::array();
    for (const IpPrefix& net : state.covered) {
        covered.push_back(to_string(net));
    }
    json view{{"state", "shut"},
              {"left_ms", nullptr},
              {"covered", std::move(covered)},
              {"drops", drops_view(state.drops)},
              {"moved",
               {{"sent_on", state.drops.moved.sent_on},
                {"held", state.drops.moved.held},
                {"looped", state.drops.moved.looped}}}};
    if (state.deadline) {
        const Duration left = *state.deadline - now;
        view["state"] = left > Duration::zero() ? "open" : "expired";
        view["left_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
    }
    return view;
}

}  // namespace

Result<json> gate_view(const config::Config& config, const adapters::BpfGate& gate, TimePoint now) {
    json gateways = json::array();
    for (const config::Gateway& gateway : config.gateways) {
        VPNHA_TRY(const GateState state, gate.state(gateway.id));
        json view{{"name", gateway.name}, {"id", gateway.id.value}};
        view.update(state_view(state, now));
        gateways.push_back(std::move(view));
    }
    VPNHA_TRY(const std::vector<GateDevice> devices, gate.devices());
    return json{{"gateways", std::move(gateways)}, {"devices", devices_view(devices)}};
}

Result<json> gate_view(const Stacks& stacks, TimePoint now) {
    json view{{"gateways", json::array()}, {"devices", json::array()}};
    for (const auto& stack : stacks.all()) {
        const adapters::InNetwork within(stack->network());
        VPNHA_TRY(json part, gate_view(stack->config(), stack->gate(), now));
        for (json& device : part["devices"]) {
            device["interface"] = stack->name_of(device["interface"].get<std::string>());
        }
        for (auto& [name, list] : view.items()) {
            list.insert(list.end(), part[name].begin(), part[name].end());
        }
    }
    return view;
}

json drops_by_reason(const ports::GateCounters& drops) {
    json view;
    for (const GateDirection direction : ports::kGateDirections) {
        for (const GateReason reason : ports::kGateReasons) {
            view[std::string(word_for(direction))][std::string(word_for(reason))] =
                drops.dropped(direction, reason);
        }
    }
    return view;
}

}  // namespace vpnha::runtime
