// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "host/os/background.hpp"
#include "host/os/qb_loop.hpp"
#include "host/services/stock_service.hpp"
#include "ports/services.hpp"

namespace vpnha::adapters {

// The services of all gateways, for vpnhad. Configuration and loop must outlive it.
class StockServices : public ports::Services {
  public:
    // A watched daemon has died; `resource` is its name in the cluster.
    using OnDeath = std::function<void(GatewayId, const std::string& resource)>;

    // How daemons are ended and started anew: by systemd, outside of this process's unit, which
    // requires systemd; or by this process, which does it as well if systemd fails.
    enum class By { this_process, systemd };

    StockServices(const config::Config& config, QbLoop& loop, OnDeath on_death, By by,
                  std::string run_root = StockService::kRunRoot);
    ~StockServices() override;

    // Returns when each begin_reset() of any gateway is over.
    [[nodiscard]] Result<void> wait_idle() const;
    Result<void> reset(GatewayId gateway, Done done) override;
    Result<void> end(GatewayId gateway) override;
    void watch(GatewayId gateway) override;

  private:
    [[nodiscard]] std::vector<StockService> services(GatewayId gateway) const;
    [[nodiscard]] const std::string& name_of(GatewayId gateway) const;
    void watch(GatewayId gateway, StockService::Running running);
    void unwatch(GatewayId gateway);

    const config::Config& config_;
    QbLoop& loop_;
    OnDeath on_death_;
    By by_;
    std::string run_root_;
    std::multimap<GatewayId, UniqueFd> watched_;
    Background background_;
};

}  // namespace vpnha::adapters
