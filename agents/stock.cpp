// SPDX-License-Identifier: GPL-2.0-or-later
#include "stock.hpp"

#include <utility>

#include "vpnhad.hpp"

namespace vpnha::agents {

using adapters::StockService;
using ocf::Code;
using ocf::Outcome;

namespace {

Sessions sessions_of(const ocf::Call& call) {
    return sessions_here(call.parameter("socket"), call.parameter("gateway"));
}

// Sessions of the daemon are served, until another node serves them. Then vpnhad ends the daemon.
// Where the node is promoted, either an operator stops this resource alone, or Pacemaker does so
// because a monitor failed: so the daemon is looked at as closely as the closest monitor does. The
// stop of a daemon that is not well has to end it.
bool continues(const ocf::Call& call, const StockService& service) {
    const Sessions sessions = sessions_of(call);
    if (sessions == Sessions::served) {
        const auto state = service.status(StockService::Depth::answers);
        return state && *state != StockService::State::dead;
    }
    return sessions == Sessions::draining;
}

// A stop was put off, and the daemon still serves the gateway's sessions.
bool takes_stop_back(const ocf::Call& call, StockService& service) {
    const Sessions sessions = sessions_of(call);
    const bool is_served = sessions == Sessions::served || sessions == Sessions::draining;
    return is_served && service.take_back().value_or(false);
}

}  // namespace

Outcome outcome(const Result<void>& result) {
    return result ? Outcome{} : ocf::outcome_of(result.error());
}

Outcome start_stock(
    const ocf::Call& call, StockService service,
    const std::function<Result<adapters::StockStarted>(const StockService&)>& plan) {
    if (Outcome refused = refused_if_fenced(call); refused.code != Code::success) {
        return refused;
    }
    if (takes_stop_back(call, service)) {
        call.log(ocf::Level::warning,
                 "it has run on since its stop, because it serves sessions of the gateway: it has "
                 "the parameters of its last start");
        return {};
    }
    return in_network(call, [&](const std::string& netns) {
        auto wanted = plan(service);
        if (!wanted) {
            return ocf::outcome_of(wanted.error());
        }
        wanted->netns = netns;
        return outcome(service.start(*wanted, start_patience(call)));
    });
}

Outcome stop_stock(const ocf::Call& call, StockService service) {
    if (continues(call, service)) {
        const Result<void> later = service.stop_later();
        // Unless the lease has ended in between.
        if (later && continues(call, service)) {
            return {};
        }
    }
    return outcome(service.stop());
}

Outcome monitor_stock(const StockService& service, StockService::Depth depth,
                      const std::string& death) {
    const auto state = service.status(depth);
    if (!state) {
        return ocf::outcome_of(state.error());
    }
    switch (*state) {
        case StockService::State::running:
            return {};
        case StockService::State::stopped:
            return {Code::not_running};
        case StockService::State::dead:
            break;
    }
    return {Code::error, death};
}

}  // namespace vpnha::agents
