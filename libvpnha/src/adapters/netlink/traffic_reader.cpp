// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/netlink/traffic_reader.hpp"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "adapters/netlink/device_traffic.hpp"
#include "adapters/os/log.hpp"

namespace vpnha::adapters {

void TrafficReader::read(const node::ReadTraffic& wanted) {
    struct Reading {
        std::uint64_t unix_ms = 0;
        std::vector<node::DeviceTraffic> devices;
    };
    const auto reading = std::make_shared<Reading>();
    const auto begun = background_.run(
        [reading]() -> Result<void> {
            auto devices = read_device_traffic();
            const auto now = std::chrono::system_clock::now().time_since_epoch();
            reading->unix_ms = static_cast<std::uint64_t>(
                std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
            VPNHA_TRY(reading->devices, std::move(devices));
            return {};
        },
        [this, reading, wanted](const Result<void>& result) {
            if (!result) {
                write_log(node::Level::warning, "counters of devices: " + result.error().detail);
            }
            tell_(wanted.gateway,
                  node::TrafficRead{wanted.ticket, reading->unix_ms, reading->devices});
        });
    if (!begun) {
        write_log(node::Level::warning, "counters of devices: " + begun.error().detail);
    }
}

}  // namespace vpnha::adapters
