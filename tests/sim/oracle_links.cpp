// SPDX-License-Identifier: GPL-2.0-or-later
// Gateways move to better links only; hellos are true.
#include <algorithm>

#include "sim/oracle.hpp"

namespace vpnha::sim {

void Oracle::on_hello(const Machine& machine, const wire::Hello& hello) const {
    for (const wire::GatewayState& state : hello.gateways) {
        if (state.epoch > machine.gateway(state.gateway)->cores().replica.epoch()) {
            fail("old-epoch", machine.id(), "says its level of an epoch that it knows nothing of");
        }
        for (const LinkSide side : kLinkSides) {
            const bool emitted = side == LinkSide::outside ? state.outside_lost : state.inside_lost;
            if (!emitted && machine.must_count_as_lost(side)) {
                fail("links", machine.id(),
                     fmt::format("says that its {} link is good", to_string(side)));
            }
        }
    }
}

void Oracle::check_links(const Machine& machine, const node::GatewayNode& gateway) {
    const GatewayId id = gateway.cores().settings.id;
    std::uint64_t& before = given_away_[{machine.id(), machine.process(), id}];
    const std::uint64_t after = gateway.view().counters().given_away;
    if (std::exchange(before, after) == after) {
        return;
    }
    ++tally_.given_away;
    if (gateway.view().state() != takeover::State::promoted) {
        fail("links", machine.id(), "gives away what it does not have");
    }
    if (!was_notified_of_better(machine, gateway)) {
        fail("links", machine.id(), "gives a gateway away, and nobody has better links");
    }
}

bool Oracle::was_notified_of_better(const Machine& machine,
                                    const node::GatewayNode& gateway) const {
    const auto lost_here = static_cast<unsigned>(
        std::count_if(std::begin(kLinkSides), std::end(kLinkSides),
                      [&](LinkSide side) { return machine.must_count_as_lost(side); }));
    const auto notified = notified_.find(machine.id());
    return notified != notified_.end() &&
           std::any_of(notified->second.begin(), notified->second.end(), [&](const auto& each) {
               const auto& [node, hello] = each;
               return machine.node()->members().contains(node) && node != machine.id() &&
                      std::any_of(hello.gateways.begin(), hello.gateways.end(),
                                  [&](const wire::GatewayState& state) {
                                      const unsigned lost = (state.outside_lost ? 1U : 0U) +
                                                            (state.inside_lost ? 1U : 0U);
                                      return state.gateway == gateway.cores().settings.id &&
                                             state.standing == wire::Level::complete &&
                                             state.epoch == gateway.cores().replica.epoch() &&
                                             lost < lost_here;
                                  });
           });
}

}  // namespace vpnha::sim
