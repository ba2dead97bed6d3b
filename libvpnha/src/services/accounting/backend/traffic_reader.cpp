// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/traffic_reader.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "host/os/log.hpp"
#include "services/accounting/backend/device_traffic.hpp"

namespace vpnha::adapters {

void TrafficReader::read(const node::ReadTraffic& wanted) {
    const auto devices = std::make_shared<std::vector<node::DeviceTraffic>>();
    const auto begun = background_.run(
        [devices]() -> Result<void> {
            VPNHA_TRY(*devices, read_device_traffic());
            return {};
        },
        [this, devices, wanted](const Result<void>& result) {
            if (!result) {
                write_log(LogLevel::warning, "counters of devices: " + result.error().detail);
            }
            notify_(wanted.gateway, node::TrafficRead{wanted.ticket, *devices});
        });
    if (!begun) {
        write_log(LogLevel::warning, "counters of devices: " + begun.error().detail);
    }
}

}  // namespace vpnha::adapters
