// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/stacks.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::runtime {

using adapters::InNetwork;

bool NamespacedBackend::execute(effects::ProtocolWork& work) {
    if (!has_(work.gateway())) {
        return false;
    }
    const InNetwork within(network_);
    return inner_.execute(work);
}

void NamespacedBackend::hold(GatewayId gateway) {
    if (has_(gateway)) {
        const InNetwork within(network_);
        inner_.hold(gateway);
    }
}

void NamespacedBackend::let_go(GatewayId gateway) {
    if (has_(gateway)) {
        const InNetwork within(network_);
        inner_.let_go(gateway);
    }
}

void NamespacedBackend::announce(GatewayId gateway) {
    if (has_(gateway)) {
        const InNetwork within(network_);
        inner_.announce(gateway);
    }
}

void NamespacedBackend::detach(GatewayId gateway) {
    if (has_(gateway)) {
        const InNetwork within(network_);
        inner_.detach(gateway);
    }
}

void NamespacedBackend::finish() {
    const InNetwork within(network_);
    inner_.finish();
}

std::string NamespacedBackend::interface_of(const wire::RecordKey& session) const {
    const InNetwork within(network_);
    return inner_.interface_of(session);
}

Status NamespacedBackend::status() const {
    const InNetwork within(network_);
    return inner_.status();
}

Status NamespacedBackend::status_of(GatewayId gateway) const {
    if (!has_(gateway)) {
        return {};
    }
    const InNetwork within(network_);
    return inner_.status_of(gateway);
}

std::string_view NamespacedBackend::name() const {
    return inner_.ppp()->name();
}

bool NamespacedBackend::serves(const config::Gateway& gateway) const {
    return has_(gateway.id) && inner_.ppp()->serves(gateway);
}

Result<NamespacedBackend::Session> NamespacedBackend::on_session_up(const Report& report) {
    const InNetwork within(network_);
    return inner_.ppp()->on_session_up(report);
}

void NamespacedBackend::on_pppd_gone(PluginToken plugin, bool announced) {
    const InNetwork within(network_);
    inner_.ppp()->on_pppd_gone(plugin, announced);
}

Result<std::unique_ptr<Stacks>> Stacks::open(const config::Config& config, adapters::QbLoop& loop,
                                             const OnNeighbour& on_neighbour) {
    std::unique_ptr<Stacks> stacks(new Stacks());
    int shares = 0;
    for (const std::string& netns : config.namespaces()) {
        VPNHA_TRY(auto stack,
                  Stack::open(config, loop, {netns, netns.empty() ? 0 : ++shares}, on_neighbour));
        stacks->all_.push_back(std::move(stack));
    }
    return stacks;
}

Result<void> Stacks::open_backends(const Stack::Node& node) {
    for (const auto& stack : all_) {
        VPNHA_CHECK(stack->open_backends(node));
        for (ports::Backend* const each : stack->backends().all()) {
            namespaced_.push_back(std::make_unique<NamespacedBackend>(
                *each, stack->network(),
                [stack = stack.get()](GatewayId gateway) { return stack->has(gateway); }));
            backends_.push_back(namespaced_.back().get());
        }
    }
    return {};
}

Stack& Stacks::of(GatewayId gateway) const {
    const auto found =
        std::ranges::find_if(all_, [gateway](const auto& each) { return each->has(gateway); });
    VPNHA_ASSERT(found != all_.end());
    return **found;
}

template <class Work>
auto Stacks::within(GatewayId gateway, const Work& work) const {
    Stack& stack = of(gateway);
    const InNetwork there(stack.network());
    return work(stack);
}

std::vector<ports::PppProtocol*> Stacks::ppp_protocols() const {
    std::vector<ports::PppProtocol*> protocols;
    for (ports::Backend* const each : backends_) {
        if (ports::PppProtocol* const protocol = each->ppp()) {
            protocols.push_back(protocol);
        }
    }
    return protocols;
}

void Stacks::complete_scripts(std::size_t first, std::function<void()> done) const {
    if (first == all_.size()) {
        return done();
    }
    const InNetwork there(all_[first]->network());
    all_[first]->backends().complete_scripts(
        [this, first, done = std::move(done)] { complete_scripts(first + 1, done); });
}

SideMacs Stacks::macs(GatewayId gateway) const {
    return within(gateway, [&](Stack& stack) { return stack.gate().macs(gateway); });
}

std::vector<const Admission*> Stacks::admissions() const {
    std::vector<const Admission*> admissions;
    for (const auto& stack : all_) {
        admissions.push_back(&stack->admission());
    }
    return admissions;
}

std::vector<const adapters::AuthorizationCounters*> Stacks::authorizations() const {
    std::vector<const adapters::AuthorizationCounters*> counters;
    for (const auto& stack : all_) {
        if (const adapters::AuthorizationServer* const server = stack->authorization()) {
            counters.push_back(&server->counters());
        }
    }
    return counters;
}

std::vector<DeviceWarning> Stacks::device_warnings() const {
    std::vector<DeviceWarning> warnings;
    for (const auto& stack : all_) {
        for (DeviceWarning& each : stack->device_warnings()) {
            each.interface = stack->name_of(each.interface);
            warnings.push_back(std::move(each));
        }
    }
    return warnings;
}

Result<void> Stacks::attach(GatewayId gateway) {
    return within(gateway, [&](Stack& stack) { return stack.gate().attach(gateway); });
}

Result<void> Stacks::open_until(GatewayId gateway, TimePoint deadline) {
    return within(gateway,
                  [&](Stack& stack) { return stack.gate().open_until(gateway, deadline); });
}

Result<void> Stacks::shut(GatewayId gateway) {
    return within(gateway, [&](Stack& stack) { return stack.gate().shut(gateway); });
}

Result<void> Stacks::leave(GatewayId gateway, const ports::GateLeave& leave) {
    return within(gateway, [&](Stack& stack) { return stack.gate().leave(gateway, leave); });
}

Result<void> Stacks::hold(GatewayId gateway, const ports::GateHold& hold) {
    return within(gateway, [&](Stack& stack) { return stack.gate().hold(gateway, hold); });
}

Result<void> Stacks::release(GatewayId gateway, ports::HoldQueue queue) {
    return within(gateway, [&](Stack& stack) { return stack.gate().release(gateway, queue); });
}

Result<void> Stacks::hold_esp(GatewayId gateway, const std::vector<std::uint32_t>& spis,
                              bool held) {
    return within(gateway,
                  [&](Stack& stack) { return stack.gate().hold_esp(gateway, spis, held); });
}

Result<void> Stacks::drain(GatewayId gateway, bool drained) {
    return within(gateway, [&](Stack& stack) { return stack.gate().drain(gateway, drained); });
}

Result<std::optional<TimePoint>> Stacks::deadline(GatewayId gateway) const {
    return within(gateway, [&](Stack& stack) { return stack.gate().deadline(gateway); });
}

Result<ports::GateCounters> Stacks::counters(GatewayId gateway) const {
    return within(gateway, [&](Stack& stack) { return stack.gate().counters(gateway); });
}

Result<void> Stacks::add_addresses(GatewayId gateway) {
    return within(gateway, [&](Stack& stack) { return stack.addresses().add_addresses(gateway); });
}

Result<void> Stacks::remove_addresses(GatewayId gateway) {
    return within(gateway,
                  [&](Stack& stack) { return stack.addresses().remove_addresses(gateway); });
}

Result<std::string> Stacks::missing(GatewayId gateway) {
    return within(gateway, [&](Stack& stack) { return stack.addresses().missing(gateway); });
}

Result<void> Stacks::forget_unresolved(GatewayId gateway) {
    return within(gateway,
                  [&](Stack& stack) { return stack.addresses().forget_unresolved(gateway); });
}

Result<void> Stacks::announce(GatewayId gateway) {
    return within(gateway, [&](Stack& stack) { return stack.addresses().announce(gateway); });
}

void Stacks::ask(GatewayId gateway, LinkSide side) {
    within(gateway, [&](Stack& stack) { stack.neighbours().ask(gateway, side); });
}

}  // namespace vpnha::runtime
