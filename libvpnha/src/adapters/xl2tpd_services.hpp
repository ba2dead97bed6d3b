// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "adapters/xl2tpd_service.hpp"
#include "config/config.hpp"
#include "ports/services.hpp"

namespace vpnha::adapters {

// The services of all gateways, for vpnhad's demotion. The configuration must outlive it.
class Xl2tpdServices : public ports::Services {
  public:
    explicit Xl2tpdServices(const config::Config& config,
                            std::string run_root = Xl2tpdService::kRunRoot);

    Result<void> reset(GatewayId gateway) override;

  private:
    const config::Config& config_;
    std::string run_root_;
};

}  // namespace vpnha::adapters
