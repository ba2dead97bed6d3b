// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/xl2tpd_services.hpp"

#include <utility>

#include "adapters/log.hpp"
#include "base/assert.hpp"

namespace vpnha::adapters {

Xl2tpdServices::Xl2tpdServices(const config::Config& config, QbLoop& loop, OnDeath on_death,
                               std::string run_root)
    : config_(config),
      loop_(loop),
      on_death_(std::move(on_death)),
      run_root_(std::move(run_root)),
      background_(loop) {}

Xl2tpdServices::~Xl2tpdServices() {
    for (const auto& [gateway, process] : watched_) {
        loop_.unwatch(process.get());
    }
}

Xl2tpdService Xl2tpdServices::service(GatewayId gateway) const {
    const config::Gateway* const found = config_.find(gateway);
    VPNHA_ASSERT(found != nullptr);
    return Xl2tpdService(found->name, run_root_);
}

Result<void> Xl2tpdServices::wait_idle() const {
    for (const config::Gateway& gateway : config_.gateways) {
        VPNHA_CHECK(service(gateway.id).wait_idle());
    }
    return {};
}

Result<void> Xl2tpdServices::reset(GatewayId gateway, Done done) {
    unwatch(gateway);
    return background_.run([served = service(gateway)]() mutable { return served.reset(); },
                           std::move(done));
}

void Xl2tpdServices::watch(GatewayId gateway) {
    unwatch(gateway);
    auto running = service(gateway).running();
    // One that is dead already is Pacemaker's to find: it looks after it since its start.
    if (!running || !running->process) {
        return;
    }
    const int process = watched_.emplace(gateway, std::move(running->process)).first->second.get();
    const Result<void> watching =
        loop_.watch(process, [this, gateway, resource = std::move(running->resource)] {
            // What the loop holds, this closure among it, ends with unwatch().
            // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
            const std::string name = resource;
            unwatch(gateway);
            on_death_(gateway, name);
        });
    if (!watching) {
        write_log(node::Level::warning, watching.error().detail);
        watched_.erase(gateway);
    }
}

void Xl2tpdServices::unwatch(GatewayId gateway) {
    if (const auto found = watched_.find(gateway); found != watched_.end()) {
        loop_.unwatch(found->second.get());
        watched_.erase(found);
    }
}

Result<void> Xl2tpdServices::end(GatewayId gateway) {
    unwatch(gateway);
    return service(gateway).stop();
}

}  // namespace vpnha::adapters
