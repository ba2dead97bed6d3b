// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/backend/install_queue.hpp"

#include <algorithm>

namespace vpnha::runtime {

void InstallQueue::add(node::InstallSession wanted) {
    const auto [known, is_new] =
        numbers_.try_emplace({wanted.gateway, wanted.record.key}, next_number_);
    next_number_ += is_new ? 1 : 0;
    waiting_[wanted.gateway].insert_or_assign(known->second, std::move(wanted));
}

void InstallQueue::drop(GatewayId gateway, const l2tp::SessionKey& key) {
    const auto known = numbers_.find({gateway, key});
    if (known == numbers_.end()) {
        return;
    }
    const auto queue = waiting_.find(gateway);
    queue->second.erase(known->second);
    if (queue->second.empty()) {
        waiting_.erase(queue);
    }
    numbers_.erase(known);
}

void InstallQueue::drop(GatewayId gateway) {
    const auto first = numbers_.lower_bound({gateway, {}});
    const auto last = std::find_if(
        first, numbers_.end(), [gateway](const auto& each) { return each.first.first != gateway; });
    numbers_.erase(first, last);
    waiting_.erase(gateway);
}

std::optional<node::InstallSession> InstallQueue::take() {
    const auto queue = next();
    if (queue == waiting_.end()) {
        return std::nullopt;
    }
    node::InstallSession first = std::move(waiting_.at(queue->first).begin()->second);
    drop(first.gateway, first.record.key);
    return first;
}

InstallQueue::PerGateway::const_iterator InstallQueue::next() const {
    auto first = waiting_.end();
    for (auto each = waiting_.begin(); each != waiting_.end(); ++each) {
        if (!held_.contains(each->first) &&
            (first == waiting_.end() ||
             each->second.begin()->first < first->second.begin()->first)) {
            first = each;
        }
    }
    return first;
}

std::size_t InstallQueue::size(GatewayId gateway) const {
    const auto queue = waiting_.find(gateway);
    return queue == waiting_.end() ? 0 : queue->second.size();
}

}  // namespace vpnha::runtime
