// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/devices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/log.hpp"
#include "runtime/timers.hpp"

namespace vpnha::runtime {

using adapters::write_log;

namespace {

// A kernel that refuses a gate or an address (no memory, disable_ipv6) tells nobody when it would
// take it.
constexpr Duration kRetry = std::chrono::seconds(1);

bool is_on(const config::Gateway& gateway, const std::string& interface) {
    return gateway.outside.interface == interface || gateway.inside.interface == interface;
}

}  // namespace

Result<std::unique_ptr<Devices>> Devices::watch(adapters::QbLoop& loop, Daemon daemon) {
    std::vector<std::string> interfaces;
    for (const config::Gateway& each : daemon.config.gateways) {
        interfaces.insert(interfaces.end(), {each.outside.interface, each.inside.interface});
    }
    std::unique_ptr<Devices> devices(new Devices(loop, std::move(daemon)));
    VPNHA_TRY(devices->links_, adapters::LinkWatch::open(loop, interfaces, devices->listener()));
    return devices;
}

Devices::~Devices() {
    loop_.cancel_timer(kAddressTimer);
    loop_.cancel_timer(kGateTimer);
}

adapters::LinkWatch::Listener Devices::listener() {
    return {.on_new = [this](const std::string& interface) { on_new(interface); },
            .on_filters_removed =
                [this](const std::string& interface) { on_filters_removed(interface); },
            .on_addresses_removed = [this](const std::string& interface) { bring_back(interface); },
            .on_rules_removed = [this] { bring_back_all(); },
            .on_carrier = [this](const std::string& interface,
                                 bool carrier) { on_carrier(interface, carrier); }};
}

// Whatever was attached to the device of that name went with the old one.
void Devices::on_new(const std::string& interface) {
    daemon_.neighbours.forget(interface);
    for (const config::Gateway& gateway : daemon_.config.gateways) {
        if (!is_on(gateway, interface)) {
            continue;
        }
        write_log(node::Level::warning,
                  fmt::format("device {} is a new one; the gate is attached again "
                              "event=new-device gateway={}",
                              interface, gateway.name));
        if (attach_gate(gateway)) {
            bring_back(gateway, has_carrier(interface));
        }
    }
}

bool Devices::attach_gate(const config::Gateway& gateway) {
    Result<void> done = daemon_.gate.attach(gateway.id);
    if (!done) {
        // Whoever takes it off may have done so within that call, too.
        done = daemon_.gate.attach(gateway.id);
    }
    // By a device that is not there nothing passes; when it comes, on_new() does.
    if (done || done.error().code == Errc::not_found) {
        if (ungated_.erase(gateway.id) != 0) {
            write_log(
                node::Level::info,
                fmt::format("the gate stands again event=gate-back gateway={}", gateway.name));
        }
        return true;
    }
    if (ungated_.insert(gateway.id).second) {
        write_log(node::Level::error, fmt::format("{}; the gate is tried again each second "
                                                  "event=gate-refused gateway={}",
                                                  done.error().detail, gateway.name));
    }
    loop_.set_timer(kGateTimer, loop_.now() + kRetry, [this] { attach_gates_again(); });
    if (daemon_.serves(gateway.id) && lets_pass(gateway.id)) {
        daemon_.broken(done.error());
    }
    return false;
}

bool Devices::lets_pass(GatewayId gateway) const {
    const Result<adapters::GateState> state = daemon_.gate.state(gateway);
    return !state || std::any_of(state->devices.begin(), state->devices.end(),
                                 [](const adapters::GateState::Device& device) {
                                     return device.presence == adapters::GatePresence::missing ||
                                            device.presence == adapters::GatePresence::foreign;
                                 });
}

void Devices::attach_gates_again() {
    for (const config::Gateway& gateway : daemon_.config.gateways) {
        if (ungated_.contains(gateway.id) && attach_gate(gateway)) {
            bring_back(gateway, true);
        }
    }
}

void Devices::bring_back(const std::string& interface) {
    for (const config::Gateway& gateway : daemon_.config.gateways) {
        if (is_on(gateway, interface)) {
            bring_back(gateway, has_carrier(interface));
        }
    }
}

void Devices::bring_back_all() {
    for (const config::Gateway& gateway : daemon_.config.gateways) {
        bring_back(gateway, true);
    }
}

void Devices::bring_back(const config::Gateway& gateway, bool announce) {
    const bool again = failed_.erase(gateway.id) != 0;
    // No address without the gate: the gate's return brings them back, too.
    if (!daemon_.serves(gateway.id) || ungated_.contains(gateway.id)) {
        return;
    }
    const auto missing = daemon_.network.missing(gateway.id);
    if (missing && missing->empty()) {
        return;
    }
    const Result<void> done = missing.map([](const auto&) {}).and_then([&] {
        return daemon_.network.add_addresses(gateway.id);
    });
    if (missing && !again) {
        write_log(node::Level::warning, fmt::format("gone from this node: {}; added again "
                                                    "event=addresses-removed gateway={}",
                                                    *missing, gateway.name));
    }
    if (!done) {
        if (!again) {
            write_log(node::Level::error, done.error().detail);
        }
        failed_.insert(gateway.id);
        loop_.set_timer(kAddressTimer, loop_.now() + kRetry, [this] { bring_back_all(); });
    } else if (announce) {
        daemon_.announce(gateway.id);
    }
}

void Devices::on_filters_removed(const std::string& interface) {
    for (const config::Gateway& gateway : daemon_.config.gateways) {
        if (!is_on(gateway, interface)) {
            continue;
        }
        const Result<adapters::GateState> state = daemon_.gate.state(gateway.id);
        const bool stands =
            state && std::none_of(state->devices.begin(), state->devices.end(),
                                  [&interface](const adapters::GateState::Device& device) {
                                      return device.interface == interface &&
                                             device.presence == adapters::GatePresence::missing;
                                  });
        if (stands) {
            continue;  // Somebody else's filters.
        }
        if (!ungated_.contains(gateway.id)) {
            write_log(node::Level::warning,
                      state
                          ? fmt::format("somebody has taken the gate off {}; it is attached again "
                                        "event=gate-removed gateway={}",
                                        interface, gateway.name)
                          : fmt::format("{}; whether the gate stands on {} is not known, it is "
                                        "attached again event=gate-removed gateway={}",
                                        state.error().detail, interface, gateway.name));
        }
        attach_gate(gateway);
    }
}

void Devices::on_carrier(const std::string& interface, bool carrier) {
    if (carrier) {
        without_carrier_.erase(interface);
        bring_back(interface);  // What the device could not take while it was down.
    } else {
        without_carrier_.insert(interface);
    }
    for (const config::Gateway& gateway : daemon_.config.gateways) {
        if (gateway.outside.interface == interface) {
            daemon_.on_carrier(gateway.id, LinkSide::outside, carrier);
        }
        if (gateway.inside.interface == interface) {
            daemon_.on_carrier(gateway.id, LinkSide::inside, carrier);
        }
    }
}

}  // namespace vpnha::runtime
