// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/lease/grants.hpp"

#include <utility>

#include "base/assert.hpp"

namespace vpnha::node {

Epoch Grants::add(const lease::Granted& granted, TimePoint now) {
    VPNHA_ASSERT(granted.epoch > epoch_);
    at_ = now;
    margin_ = granted.margin;
    return std::exchange(epoch_, granted.epoch);
}

bool Grants::shares_number(const lease::Granted& granted) {
    const Epoch& elsewhere = granted.elsewhere;
    return elsewhere.number == granted.epoch.number && elsewhere.node != NodeId{} &&
           elsewhere.node != granted.epoch.node;
}

bool Grants::served_since(const lease::Granted& granted, const Epoch& own, TimePoint now) const {
    using Kind = lease::Margin::Kind;
    // While the returned lease would have lasted, no other node was granted one. The exception is
    // a clock that stood still, as in a suspended virtual machine. Then a node that served hands
    // over, or a voter received its rounds, or a voter answered its claim and received no more.
    const bool another = granted.margin.kind == Kind::handed_over ||
                         granted.margin.kind == Kind::largest ||
                         (granted.margin.kind == Kind::bounded && granted.margin.epoch > own);
    return granted.elsewhere > own && (another || now >= given_back_until_);
}

}  // namespace vpnha::node
