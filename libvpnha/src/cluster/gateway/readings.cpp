// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/readings.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::node {

void Readings::add(const Epoch& epoch, std::uint64_t sequence, TimePoint at) {
    if (at <= newest_) {
        return;
    }
    newest_ = at;
    if (!waiting_.empty() && waiting_.back().epoch != epoch) {
        waiting_.clear();
    }
    VPNHA_ASSERT(waiting_.empty() || waiting_.back().sequence <= sequence);
    if (waiting_.size() == limits::kReadingsMax) {
        waiting_.pop_back();
    }
    waiting_.push_back({epoch, sequence, at});
}

std::optional<lease::Checkpoint> Readings::confirm(const Epoch& epoch, std::uint64_t sequence) {
    std::optional<lease::Checkpoint> newest;
    while (!waiting_.empty() && waiting_.front().epoch == epoch &&
           waiting_.front().sequence <= sequence) {
        newest = waiting_.front();
        waiting_.pop_front();
    }
    return newest;
}

}  // namespace vpnha::node
