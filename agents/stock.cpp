// SPDX-License-Identifier: GPL-2.0-or-later
#include "stock.hpp"

#include <utility>

#include "vpnhad.hpp"

namespace vpnha::agents {

using adapters::StockService;
using ocf::Code;
using ocf::Outcome;

Outcome outcome(const Result<void>& result) {
    return result ? Outcome{} : ocf::outcome_of(result.error());
}

Outcome start_stock(
    const ocf::Call& call, StockService service,
    const std::function<Result<adapters::StockStarted>(const StockService&)>& plan) {
    if (Outcome refused = refused_if_fenced(call); refused.code != Code::success) {
        return refused;
    }
    const auto wanted = plan(service);
    return wanted ? outcome(service.start(*wanted)) : ocf::outcome_of(wanted.error());
}

Outcome stop_stock(const ocf::Call& call, StockService service) {
    // On a draining node its sessions go on until another one serves them; vpnhad ends them then.
    const auto draining = [&call] {
        return is_lame(call.parameter("socket"), call.parameter("gateway"));
    };
    if (draining()) {
        const Result<void> later = service.stop_later();
        // Unless the lease has ended in between.
        if (later && draining()) {
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
