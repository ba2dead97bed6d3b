// SPDX-License-Identifier: GPL-2.0-or-later
// What is done with charon and the kernel's ESP SAs.
#include <fmt/format.h>

#include <utility>
#include <variant>

#include "adapters/os/log.hpp"
#include "base/assert.hpp"
#include "runtime/executor.hpp"

namespace vpnha::runtime {

namespace {

void complain(std::string_view what, const Error& error) {
    adapters::write_log(node::Level::warning, fmt::format("{}: {}", what, error.detail));
}

}  // namespace

node::Effects Executor::execute(node::IpsecWork& work) {
    // Only the keeper of a gateway that has IPsec asks for it.
    VPNHA_ASSERT(ports_.charon != nullptr && ports_.sas != nullptr && ports_.port_map != nullptr &&
                 ports_.ike_watch != nullptr);
    return std::visit([this](auto& each) { return execute(each); }, work);
}

node::Effects Executor::execute(node::FeedCharon& effect) {
    ports_.charon->feed(std::move(effect.messages), effect.ticket);
    return {};
}

node::Effects Executor::execute(node::TurnCharon& effect) {
    ports_.charon->turn(effect.active);
    return {};
}

node::Effects Executor::execute(node::ListSas& effect) {
    ports_.sas->list([this, gateway = effect.gateway,
                      ticket = effect.ticket](const Result<ports::SaTable::Sas>& listed) {
        if (listed) {
            run(node_.on_event(gateway, node::SasListed{*listed, ticket}, loop_.now()));
        } else {
            complain("listing the ESP SAs", listed.error());
        }
    });
    return {};
}

node::Effects Executor::execute(node::SetCounters& effect) {
    ports_.sas->set(
        std::move(effect.counters), effect.exact,
        [this, gateway = effect.gateway, ticket = effect.ticket](const Result<void>& result) {
            run(node_.on_event(gateway, node::CountersSet{ticket, result}, loop_.now()));
        });
    return {};
}

node::Effects Executor::execute(node::FlushSas& effect) {
    ports_.sas->flush(
        [this, gateway = effect.gateway, ticket = effect.ticket](const Result<void>& result) {
            run(node_.on_event(gateway, node::SasFlushed{ticket, result}, loop_.now()));
        });
    return {};
}

node::Effects Executor::execute(node::HoldEsp& effect) {
    const Result<void> result = ports_.gate.hold_esp(effect.gateway, effect.spis, effect.held);
    return node_.on_event(effect.gateway, node::EspHeld{effect.ticket, result}, loop_.now());
}

node::Effects Executor::execute(node::MapPorts& effect) {
    ports_.port_map->map(std::move(effect.mappings));
    return {};
}

node::Effects Executor::execute(node::RekeyChildren& effect) {
    ports_.charon->rekey(std::move(effect.spis), std::move(effect.refusing));
    return {};
}

node::Effects Executor::execute(node::EndIkeSas& effect) {
    ports_.charon->end(std::move(effect.sas));
    return {};
}

node::Effects Executor::execute(node::WatchIke& effect) {
    const Result<void> watched = ports_.ike_watch->watch(effect.on);
    if (!watched) {
        complain("requests within IKE SAs are not seen", watched.error());
    }
    return {};
}

node::Effects Executor::execute(node::SendIke& effect) {
    const Result<void> sent = ports_.ike_watch->send(effect.from, effect.to, effect.datagram);
    if (!sent) {
        complain("a request of the gateway before is not sent again", sent.error());
    }
    return {};
}

}  // namespace vpnha::runtime
