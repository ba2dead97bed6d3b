// SPDX-License-Identifier: GPL-2.0-or-later
// Removes network devices that end with a descriptor, in a thread. For each removal the kernel
// waits until nobody uses the device any more (netdev_run_todo(), rcu_barrier()): tens of
// milliseconds, in which a loop could not renew its lease. It waits once for all devices that are
// removed together, so devices that came meanwhile are removed together.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "host/netlink/netlink_route.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

class DeviceRemover {
  public:
    struct Device {
        LinkIndex index = 0;
        // Closed in this order, as soon as the device is gone. The device ends with one of them.
        std::vector<UniqueFd> descriptors{};
    };

    // The group of devices that are about to be removed: no other device may be in it.
    static constexpr std::uint32_t kGroup = 0x7670'6e68;

    DeviceRemover() = default;
    // Removes the remaining ones.
    ~DeviceRemover();
    DeviceRemover(const DeviceRemover&) = delete;
    DeviceRemover& operator=(const DeviceRemover&) = delete;

    // In the network namespace of the first call. Without an available thread: at once.
    void remove(Device device);
    // Not removed yet.
    [[nodiscard]] std::size_t waiting() const;

  private:
    void run();

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Device> waiting_;  // Protected by mutex_, as is the next.
    std::size_t under_way_ = 0;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace vpnha::adapters
