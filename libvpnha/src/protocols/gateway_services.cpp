// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/gateway_services.hpp"

#include <utility>

namespace vpnha::adapters {

std::vector<StockService> gateway_services(const std::string& gateway,
                                           const std::string& run_root) {
    std::vector<StockService> services;
    for (const StockKind* const kind : {
#define VPNHA_STOCK_KIND(protocol) protocol::stock_kind(),
             VPNHA_PROTOCOLS(VPNHA_STOCK_KIND)
#undef VPNHA_STOCK_KIND
         }) {
        if (kind != nullptr) {
            services.emplace_back(*kind, gateway, run_root);
        }
    }
    return services;
}

Result<void> for_each_service(std::vector<StockService> services,
                              Result<void> (StockService::*action)()) {
    Result<void> result;
    for (StockService& service : services) {
        Result<void> done = (service.*action)();
        if (result && !done) {
            result = std::move(done);
        }
    }
    return result;
}

}  // namespace vpnha::adapters
