// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/devices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/log.hpp"

namespace vpnha::runtime {

using adapters::write_log;

Result<std::unique_ptr<Devices>> Devices::watch(adapters::QbLoop& loop, Daemon daemon) {
    std::vector<std::string> interfaces;
    for (const config::Gateway& each : daemon.config.gateways) {
        interfaces.insert(interfaces.end(), {each.outside.interface, each.inside.interface});
    }
    std::unique_ptr<Devices> devices(new Devices(std::move(daemon)));
    VPNHA_TRY(devices->links_,
              adapters::LinkWatch::open(
                  loop, interfaces,
                  {.on_new = [self = devices.get()](
                                 const std::string& interface) { self->on_new(interface); },
                   .on_filters_removed =
                       [self = devices.get()](const std::string& interface) {
                           self->on_filters_removed(interface);
                       },
                   .on_carrier = [self = devices.get()](
                                     const std::string& interface,
                                     bool carrier) { self->on_carrier(interface, carrier); }}));
    return devices;
}

// Whatever was attached to the device of that name went with the old one.
void Devices::on_new(const std::string& interface) {
    daemon_.neighbours.forget(interface);
    for (const config::Gateway& gateway : daemon_.config.gateways) {
        if (gateway.outside.interface != interface && gateway.inside.interface != interface) {
            continue;
        }
        write_log(node::Level::warning,
                  fmt::format("device {} is a new one; the gate is attached again "
                              "event=new-device gateway={}",
                              interface, gateway.name));
        Result<void> done = daemon_.gate.attach(gateway.id);
        if (done && daemon_.serves(gateway.id)) {
            done = daemon_.network.add_addresses(gateway.id).and_then([&] {
                return daemon_.network.announce(gateway.id);
            });
        }
        if (!done) {
            write_log(node::Level::error, done.error().detail);
        }
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
