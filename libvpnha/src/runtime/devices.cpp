// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/devices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/log.hpp"
#include "runtime/timers.hpp"

namespace vpnha::runtime {

using adapters::write_log;

namespace {

// A kernel that refuses an address (no memory, disable_ipv6) tells nobody when it would take it.
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
        if (const Result<void> done = daemon_.gate.attach(gateway.id); !done) {
            write_log(node::Level::error, done.error().detail);
            continue;  // No address without it.
        }
        bring_back(gateway, has_carrier(interface));
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
    if (!daemon_.serves(gateway.id)) {
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
        const Result<adapters::GateState> state = daemon_.gate.state(gateway.id);
        const bool removed =
            state && std::any_of(state->devices.begin(), state->devices.end(),
                                 [&interface](const adapters::GateState::Device& device) {
                                     return device.interface == interface &&
                                            device.presence == adapters::GatePresence::missing;
                                 });
        if (!removed) {
            continue;  // Somebody else's filters.
        }
        write_log(node::Level::warning,
                  fmt::format("somebody has taken the gate off {}; it is attached again "
                              "event=gate-removed gateway={}",
                              interface, gateway.name));
        if (const Result<void> done = daemon_.gate.attach(gateway.id); !done) {
            write_log(node::Level::error, done.error().detail);
        }
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
