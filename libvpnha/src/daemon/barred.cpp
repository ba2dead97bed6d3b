// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/barred.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "host/os/log.hpp"

namespace vpnha::runtime {

using adapters::BarredDevices;
using adapters::LinkIndex;
using adapters::RefusedDevice;

namespace {

// Attempts to bar a device again after somebody has removed its table.
constexpr int kFailuresMax = 3;

// Although the check failed, for lack of memory or files for instance.
bool is_barred_still(LinkIndex link) {
    const auto there = adapters::barred_devices();
    return there && there->contains(link);
}

}  // namespace

void Barred::refuse(const adapters::Link& link, const Error& reason) {
    devices_[link.state.index].refused = {link, reason};
    look();
}

bool Barred::forget(LinkIndex link) {
    const auto found = devices_.extract(link);
    if (found.empty()) {
        return false;
    }
    look();
    return found.mapped().is_barred;
}

bool Barred::is_settled() const {
    return std::all_of(devices_.begin(), devices_.end(),
                       [](const auto& device) { return device.second.is_barred; });
}

void Barred::look() {
    if (std::exchange(is_looking_, true)) {
        again_ = true;
        return;
    }
    std::vector<RefusedDevice> refused;
    for (const auto& [index, device] : devices_) {
        refused.push_back(device.refused);
    }
    const auto outcome = std::make_shared<BarredDevices>();
    const Result<void> begun = background_.run(
        [outcome, refused, all = daemon_.devices(), &config = daemon_.config]() -> Result<void> {
            *outcome = adapters::bar_refused(config, refused, all, true);
            return {};
        },
        [this, outcome](const Result<void>&) { finish(*outcome); });
    if (!begun) {
        for (const RefusedDevice& each : refused) {
            outcome->failed.push_back({each.link, begun.error()});
        }
        finish(*outcome);
    }
}

void Barred::finish(const BarredDevices& outcome) {
    is_looking_ = false;
    for (const adapters::Link& link : outcome.barred) {
        const auto found = devices_.find(link.state.index);
        if (found == devices_.end()) {
            continue;
        }
        found->second.failures = 0;
        if (!std::exchange(found->second.is_barred, true)) {
            adapters::write_log(
                LogLevel::warning,
                fmt::format("device {} cannot have the gate, and carries no gateway: what comes "
                            "there to the gateways' addresses, or leaves from them, is dropped by "
                            "nftables: {} event=device-barred",
                            link.name, found->second.refused.reason.detail));
        }
    }
    std::vector<RefusedDevice> left = outcome.carrying;
    for (const RefusedDevice& each : outcome.failed) {
        const LinkIndex link = each.link.state.index;
        const auto found = devices_.find(link);
        if (found == devices_.end() || (found->second.is_barred && is_barred_still(link))) {
            continue;
        }
        if (!found->second.is_barred || ++found->second.failures >= kFailuresMax) {
            left.push_back(each);
        }
    }
    for (const RefusedDevice& each : left) {
        if (devices_.erase(each.link.state.index) != 0) {
            daemon_.on_left(each);
        }
    }
    if (std::exchange(again_, false)) {
        look();
    }
    if (is_settled()) {
        daemon_.on_settled();
    }
}

}  // namespace vpnha::runtime
