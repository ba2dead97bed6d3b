// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/gateway_services.hpp"

#include <utility>

#include "protocols/ipsec/service/charon_service.hpp"
#include "protocols/l2tp/service/xl2tpd_service.hpp"
#include "protocols/pptp/service/pptpd_service.hpp"

namespace vpnha::adapters {

std::vector<StockService> gateway_services(const std::string& gateway,
                                           const std::string& run_root) {
    return {StockService(xl2tpd_kind(), gateway, run_root),
            StockService(pptpd_kind(), gateway, run_root),
            StockService(charon_kind(), gateway, run_root)};
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
