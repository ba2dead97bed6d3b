// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/stock_services.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/assert.hpp"
#include "host/os/log.hpp"
#include "host/services/systemd_run.hpp"
#include "protocols/gateway_services.hpp"

namespace vpnha::adapters {

namespace {

using Action = Result<void> (StockService::*)();

// A thousand pppds end in less. A node that is to be fenced waits for it.
constexpr auto kSystemdTimeout = std::chrono::seconds(20);

Result<void> act(StockServices::By by, const std::string& gateway,
                 const std::vector<StockService>& services, Action action) {
    if (by == StockServices::By::systemd) {
        std::vector<std::string> program{VPNHA_RELEASE_PROGRAM};
        if (action == &StockService::stop) {
            program.emplace_back("--end");
        }
        program.push_back(gateway);
        const Result<void> done = run_by_systemd(
            fmt::format("Stock daemons of gateway {}", gateway), program, kSystemdTimeout);
        if (done) {
            return {};
        }
        write_log(LogLevel::warning, done.error().detail + "; vpnhad does it itself");
    }
    return for_each_service(services, action);
}

}  // namespace

StockServices::StockServices(const config::Config& config, QbLoop& loop, OnDeath on_death, By by,
                             std::string run_root)
    : config_(config),
      loop_(loop),
      on_death_(std::move(on_death)),
      by_(by),
      run_root_(std::move(run_root)),
      background_(loop) {}

StockServices::~StockServices() {
    for (const auto& [gateway, process] : watched_) {
        loop_.unwatch(process.get());
    }
}

const std::string& StockServices::name_of(GatewayId gateway) const {
    const config::Gateway* const found = config_.find(gateway);
    VPNHA_ASSERT(found != nullptr);
    return found->name;
}

std::vector<StockService> StockServices::services(GatewayId gateway) const {
    return gateway_services(name_of(gateway), run_root_);
}

Result<void> StockServices::wait_idle() const {
    for (const config::Gateway& gateway : config_.gateways) {
        for (const StockService& service : services(gateway.id)) {
            VPNHA_CHECK(service.wait_idle());
        }
    }
    return {};
}

Result<void> StockServices::reset(GatewayId gateway, Done done) {
    unwatch(gateway);
    return background_.run(
        [by = by_, name = name_of(gateway), served = services(gateway)] {
            return act(by, name, served, &StockService::release);
        },
        std::move(done));
}

void StockServices::watch(GatewayId gateway) {
    unwatch(gateway);
    for (const StockService& service : services(gateway)) {
        // Pacemaker finds one that is dead already: it monitors it since its start.
        if (auto running = service.running(); running && running->process) {
            watch(gateway, std::move(*running));
        }
    }
}

void StockServices::watch(GatewayId gateway, StockService::Running running) {
    const auto place = watched_.emplace(gateway, std::move(running.process));
    const Result<void> watching =
        loop_.watch(place->second.get(), [this, gateway, resource = std::move(running.resource)] {
            // unwatch() destroys what the loop holds, including this closure.
            // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
            const std::string name = resource;
            unwatch(gateway);
            on_death_(gateway, name);
        });
    if (!watching) {
        write_log(LogLevel::warning, watching.error().detail);
        watched_.erase(place);
    }
}

void StockServices::unwatch(GatewayId gateway) {
    const auto [first, last] = watched_.equal_range(gateway);
    for (auto watched = first; watched != last; ++watched) {
        loop_.unwatch(watched->second.get());
    }
    watched_.erase(first, last);
}

Result<void> StockServices::end(GatewayId gateway) {
    unwatch(gateway);
    return act(by_, name_of(gateway), services(gateway), &StockService::stop);
}

}  // namespace vpnha::adapters
