// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/devices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/os/log.hpp"
#include "host/os/timers.hpp"

namespace vpnha::runtime {

using adapters::GatePresence;
using adapters::write_log;

namespace {

// A kernel that refuses a gate or an address (no memory, disable_ipv6) does not report when it
// would accept it. Nor does tcx report a change of its programs.
constexpr Duration kRetry = std::chrono::seconds(1);

// An administrator's command, or a daemon that starts, undoes a few things at a time: VIPs of both
// families on both sides, a gate in two directions.
constexpr int kPutBackAtOnce = 20;

}  // namespace

Devices::Devices(adapters::QbLoop& loop, Daemon daemon)
    : loop_(loop),
      daemon_(std::move(daemon)),
      barred_(loop, {.config = daemon_.config,
                     .devices =
                         [this] {
                             std::vector<adapters::Link> all;
                             links_->for_each_device(
                                 [&all](const adapters::Link& link) { all.push_back(link); });
                             return all;
                         },
                     .on_left = [this](const auto& device) { on_refused(device); },
                     .on_settled = [this] { on_barred(); }}) {}

Result<std::unique_ptr<Devices>> Devices::watch(adapters::QbLoop& loop, Daemon daemon) {
    std::vector<std::string> interfaces;
    for (const config::Gateway& each : daemon.config.gateways) {
        interfaces.insert(interfaces.end(), {each.outside.interface, each.inside.interface});
    }
    std::unique_ptr<Devices> devices(new Devices(loop, std::move(daemon)));
    VPNHA_TRY(devices->links_, adapters::LinkWatch::open(loop, interfaces, devices->listener()));
    if (devices->daemon_.gate.hook() == adapters::GateHook::tcx) {
        devices->check_gates();
    }
    return devices;
}

Devices::~Devices() {
    loop_.cancel_timer(kAddressTimer);
    loop_.cancel_timer(kGateTimer);
    loop_.cancel_timer(kGateCheckTimer);
    loop_.cancel_timer(kGateTurnTimer);
}

adapters::LinkWatch::Listener Devices::listener() {
    return {.on_device = [this](const adapters::Link& link) { on_device(link); },
            .on_new = [this](const std::string& interface) { on_new(interface); },
            .on_news_lost = [this] { on_news_lost(); },
            .on_filters_changed = [this](const adapters::Link& link) { check_gate(link); },
            .on_addresses_removed = [this](const std::string& interface) { bring_back(interface); },
            .on_rules_removed = [this] { bring_back_all(); },
            .on_carrier = [this](const std::string& interface,
                                 bool carrier) { on_carrier(interface, carrier); }};
}

void Devices::on_device(const adapters::Link& link) {
    if (adapters::is_named(link, daemon_.config)) {
        attach_gate(link);
        return;
    }
    // One in each turn of the loop: the lease has to be renewed meanwhile.
    if (link.is_port || adapters::needs_gate(link, daemon_.config)) {
        changed_.insert_or_assign(link.state.index, link);
        loop_.set_timer(kGateTurnTimer, loop_.now(), [this] { take_changed(); });
    }
}

void Devices::take_changed() {
    const adapters::Link link = changed_.extract(changed_.begin()).mapped();
    if (!changed_.empty()) {
        loop_.set_timer(kGateTurnTimer, loop_.now(), [this] { take_changed(); });
    }
    if (adapters::needs_gate(link, daemon_.config)) {
        attach_gate(link);
    } else {
        // The gate does not handle traffic of others through the bridge.
        if (const Result<void> left = daemon_.gate.leave(link); !left) {
            write_log(LogLevel::warning, left.error().detail);
        }
        ungated_.erase(link.state.index);
        barred_.forget(link.state.index);
    }
}

// Everything on the device of that name was lost with the old one.
void Devices::on_new(const std::string& interface) {
    daemon_.neighbours.forget(interface);
    for (const config::Gateway& gateway : daemon_.config.gateways) {
        if (gateway.is_on(interface)) {
            write_log(LogLevel::warning,
                      fmt::format("device {} is a new one; the gate is attached again "
                                  "event=new-device gateway={}",
                                  interface, gateway.name));
            bring_back(gateway, has_carrier(interface));
        }
    }
}

void Devices::on_news_lost() {
    write_log(LogLevel::info,
              "more news of devices than the kernel keeps: all devices are looked at, and what is "
              "missing is added again event=device-news-lost");
    for (const config::Gateway& gateway : daemon_.config.gateways) {
        daemon_.neighbours.forget(gateway.outside.interface);
        daemon_.neighbours.forget(gateway.inside.interface);
    }
    bring_back_all();
}

bool Devices::serves() const {
    const auto& gateways = daemon_.config.gateways;
    return std::any_of(gateways.begin(), gateways.end(),
                       [this](const config::Gateway& each) { return daemon_.serves(each.id); });
}

void Devices::attach_gate(const adapters::Link& link) {
    Result<void> done = daemon_.gate.stand_on(link);
    if (!done) {
        // Another program may have removed it within that call, too.
        done = daemon_.gate.stand_on(link);
    }
    // A missing device passes nothing; when it comes, on_device() is called.
    if (done || done.error().code == Errc::not_found) {
        const bool was_barred = barred_.forget(link.state.index);
        if ((ungated_.erase(link.state.index) != 0 || was_barred) && done) {
            write_log(LogLevel::info,
                      fmt::format("the gate stands again on {} event=gate-back", link.name));
        }
        return;
    }
    loop_.set_timer(kGateTimer, loop_.now() + kRetry, [this] { attach_gates_again(); });
    if (adapters::is_named(link, daemon_.config)) {
        on_refused({link, done.error()});
    } else {
        barred_.refuse(link, done.error());
    }
}

void Devices::on_refused(const adapters::RefusedDevice& device) {
    if (ungated_.insert_or_assign(device.link.state.index, device).second) {
        write_log(LogLevel::error,
                  fmt::format("{}; the gate is tried again each second event=gate-refused",
                              device.reason.detail));
    }
    if (serves() && lets_pass(device.link)) {
        daemon_.broken(device.reason);
    }
}

void Devices::on_barred() {
    for (const auto& [index, device] : barred_.devices()) {
        ungated_.erase(index);
    }
    bring_back_all();
}

std::vector<DeviceWarning> Devices::warnings() const {
    std::vector<DeviceWarning> found;
    for (const auto& [index, device] : ungated_) {
        found.push_back({device.link.name, "refused", device.reason.detail});
    }
    for (const auto& [index, device] : barred_.devices()) {
        if (!ungated_.contains(index)) {
            const adapters::RefusedDevice& refused = device.refused;
            found.push_back({refused.link.name, "barred", refused.reason.detail});
        }
    }
    std::vector<adapters::Link> ports;
    links_->for_each_device([&](const adapters::Link& link) {
        if (link.is_port && !adapters::needs_gate(link, daemon_.config)) {
            ports.push_back(link);
        }
    });
    const auto hindrances = adapters::gate_hindrances(daemon_.config, ports, daemon_.gate.hook());
    if (hindrances) {
        for (const adapters::GateHindrance& each : *hindrances) {
            found.push_back({each.link.name, "port", each.reason});
        }
    }
    return found;
}

bool Devices::lets_pass(const adapters::Link& link) const {
    const auto found = daemon_.gate.look_at({link});
    return !found || std::any_of(found->begin(), found->end(), [](const auto& device) {
        return device.presence != adapters::GatePresence::attached;
    });
}

void Devices::attach_gates_again() {
    std::map<adapters::LinkIndex, adapters::Link> links;
    for (const auto& [index, device] : ungated_) {
        links.emplace(index, device.link);
    }
    for (const auto& [index, device] : barred_.devices()) {
        links.emplace(index, device.refused.link);
    }
    for (const auto& [index, link] : links) {
        attach_gate(link);
    }
    bring_back_all();
}

void Devices::bring_back(const std::string& interface) {
    for (const config::Gateway& gateway : daemon_.config.gateways) {
        if (gateway.is_on(interface)) {
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
    // No address without the gate: the gate's return restores them, too.
    if (!daemon_.serves(gateway.id) || !ungated_.empty() || !barred_.is_settled()) {
        return;
    }
    const auto missing = daemon_.network.missing(gateway.id);
    if (missing && missing->empty()) {
        return;
    }
    Burst& burst = address_bursts_.try_emplace(gateway.id, kPutBackAtOnce, kRetry).first->second;
    if (!burst.take(loop_.now())) {
        failed_.insert(gateway.id);
        loop_.set_timer(kAddressTimer, loop_.now() + kRetry, [this] { bring_back_all(); });
        return;
    }
    const Result<void> done = missing.map([](const auto&) {}).and_then([&] {
        return daemon_.network.add_addresses(gateway.id);
    });
    if (missing && !again) {
        write_log(LogLevel::warning, fmt::format("missing on this node: {}; added again "
                                                 "event=addresses-removed gateway={}",
                                                 *missing, gateway.name));
    }
    if (!done) {
        if (!again) {
            write_log(LogLevel::error, done.error().detail);
        }
        failed_.insert(gateway.id);
        loop_.set_timer(kAddressTimer, loop_.now() + kRetry, [this] { bring_back_all(); });
    } else if (announce) {
        daemon_.announce(gateway.id);
    }
}

void Devices::check_gate(const adapters::Link& link) {
    // A device without a gate is tried again each second.
    const adapters::LinkIndex index = link.state.index;
    if (!adapters::needs_gate(link, daemon_.config) || ungated_.contains(index) ||
        barred_.contains(index)) {
        return;
    }
    const auto found = daemon_.gate.look_at({link});
    if (!found && found.error().code == Errc::not_found) {
        return;
    }
    if (!found) {
        write_log(
            LogLevel::warning,
            fmt::format("{}; whether the gate stands on {} is not known, it is attached again "
                        "event=gate-removed",
                        found.error().detail, link.name));
        attach_gate(link);
        return;
    }
    for (const adapters::GateDevice& device : *found) {
        if ((device.presence == GatePresence::missing || device.presence == GatePresence::behind) &&
            !may_put_back(link)) {
            return;
        }
        if (device.presence == GatePresence::missing) {
            write_log(LogLevel::warning,
                      fmt::format("somebody has taken the gate off {}; it is attached again "
                                  "event=gate-removed",
                                  link.name));
            attach_gate(link);
            return;
        }
        if (device.presence == GatePresence::behind) {
            write_log(LogLevel::warning,
                      fmt::format("somebody has put {} before the gate on {}; the gate is put "
                                  "first again event=gate-behind",
                                  fmt::join(device.before, ", "), link.name));
            attach_gate(link);
            return;
        }
    }
}

bool Devices::may_put_back(const adapters::Link& link) {
    Burst& burst = gate_bursts_.try_emplace(link.state.index, kPutBackAtOnce, kRetry).first->second;
    if (burst.take(loop_.now())) {
        return true;
    }
    loop_.set_timer(kGateCheckTimer, loop_.now() + kRetry, [this] { check_gates(); });
    return false;
}

void Devices::check_gates() {
    links_->for_each_device([this](const adapters::Link& link) { check_gate(link); });
    if (daemon_.gate.hook() == adapters::GateHook::tcx) {
        loop_.set_timer(kGateCheckTimer, loop_.now() + kRetry, [this] { check_gates(); });
    }
}

void Devices::on_carrier(const std::string& interface, bool carrier) {
    if (carrier) {
        without_carrier_.erase(interface);
        bring_back(interface);  // Settings that the device refused while it was down.
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
