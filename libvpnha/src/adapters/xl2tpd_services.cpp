// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/xl2tpd_services.hpp"

#include "base/assert.hpp"

namespace vpnha::adapters {

Xl2tpdServices::Xl2tpdServices(const config::Config& config, std::string run_root)
    : config_(config), run_root_(std::move(run_root)) {}

Result<void> Xl2tpdServices::reset(GatewayId gateway) {
    const config::Gateway* const found = config_.find(gateway);
    VPNHA_ASSERT(found != nullptr);
    return Xl2tpdService(found->name, run_root_).reset();
}

}  // namespace vpnha::adapters
