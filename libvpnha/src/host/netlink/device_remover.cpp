// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/netlink/device_remover.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/limits.hpp"
#include "host/os/thread.hpp"

namespace vpnha::adapters {

namespace {

// If it fails, closing the descriptors removes the devices, one by one.
void remove_together(Result<RouteNetlink>& netlink, const std::vector<DeviceRemover::Device>& all) {
    if (!netlink) {
        return;
    }
    for (const DeviceRemover::Device& device : all) {
        static_cast<void>(netlink->set_link_group(device.index, DeviceRemover::kGroup));
    }
    static_cast<void>(netlink->delete_link_group(DeviceRemover::kGroup));
}

}  // namespace

DeviceRemover::~DeviceRemover() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void DeviceRemover::remove(Device device) {
    if (!thread_.joinable()) {
        Result<std::thread> started = start_thread([this] { run(); });
        if (!started) {
            return;
        }
        thread_ = std::move(*started);
    }
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(device));
    }
    changed_.notify_one();
}

std::size_t DeviceRemover::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size() + under_way_;
}

void DeviceRemover::run() {
    become_background();
    Result<RouteNetlink> netlink = RouteNetlink::open();
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        if (waiting_.empty()) {
            return;
        }
        const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                waiting_.size(), limits::kDevicesRemovedAtOnce));
        std::vector<Device> together(std::make_move_iterator(waiting_.begin()),
                                     std::make_move_iterator(end));
        waiting_.erase(waiting_.begin(), end);
        under_way_ = together.size();
        lock.unlock();
        remove_together(netlink, together);
        for (Device& device : together) {
            for (UniqueFd& descriptor : device.descriptors) {
                descriptor.reset();
            }
        }
        lock.lock();
        under_way_ = 0;
    }
}

}  // namespace vpnha::adapters
