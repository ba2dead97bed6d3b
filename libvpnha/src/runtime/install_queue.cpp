// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/install_queue.hpp"

#include <algorithm>

namespace vpnha::runtime {

void InstallQueue::add(node::InstallSession wanted) {
    const auto [known, is_new] =
        numbers_.try_emplace({wanted.gateway, wanted.record.key}, next_number_);
    next_number_ += is_new ? 1 : 0;
    waiting_.insert_or_assign(known->second, std::move(wanted));
}

void InstallQueue::drop(GatewayId gateway, const l2tp::SessionKey& key) {
    if (const auto known = numbers_.find({gateway, key}); known != numbers_.end()) {
        waiting_.erase(known->second);
        numbers_.erase(known);
    }
}

void InstallQueue::drop(GatewayId gateway) {
    const auto first = numbers_.lower_bound({gateway, {}});
    const auto last = std::find_if(
        first, numbers_.end(), [gateway](const auto& each) { return each.first.first != gateway; });
    std::for_each(first, last, [this](const auto& each) { waiting_.erase(each.second); });
    numbers_.erase(first, last);
}

std::optional<node::InstallSession> InstallQueue::take() {
    if (waiting_.empty()) {
        return std::nullopt;
    }
    node::InstallSession first = std::move(waiting_.begin()->second);
    drop(first.gateway, first.record.key);
    return first;
}

std::size_t InstallQueue::size(GatewayId gateway) const {
    return static_cast<std::size_t>(
        std::count_if(waiting_.begin(), waiting_.end(),
                      [gateway](const auto& each) { return each.second.gateway == gateway; }));
}

}  // namespace vpnha::runtime
