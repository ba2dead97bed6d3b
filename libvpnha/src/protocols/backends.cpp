// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/backends.hpp"

#include <utility>

#include "host/os/timers.hpp"

namespace vpnha::ports {

Result<std::vector<std::unique_ptr<Backend>>> open_backends(BackendHost host) {
    std::vector<std::unique_ptr<Backend>> all;
    host.first_timer = runtime::kBackendTimer;
    for (const auto open : {
#define VPNHA_OPEN(protocol) &protocol::open_backend,
             VPNHA_PROTOCOLS(VPNHA_OPEN)
#undef VPNHA_OPEN
         }) {
        VPNHA_TRY(std::unique_ptr<Backend> backend, open(host));
        host.first_timer += runtime::kTimersOfABackend;
        if (backend) {
            all.push_back(std::move(backend));
        }
    }
    return all;
}

}  // namespace vpnha::ports
