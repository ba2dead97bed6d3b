// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers that were used, whoever used them.
#include <algorithm>
#include <iterator>

#include "sim/oracle.hpp"

namespace vpnha::sim {

void Oracle::on_numbers(const Machine& machine, const Numbers::Key& sa, std::uint64_t first,
                        std::uint64_t count) {
    tally_.numbers += count;
    std::map<std::uint64_t, std::uint64_t>& used = used_[sa];
    const std::uint64_t end = first + count;
    const auto next = used.upper_bound(first);
    const auto before = next == used.begin() ? used.end() : std::prev(next);
    if ((next != used.end() && next->first < end) ||
        (before != used.end() && before->second > first)) {
        fail("counters", machine.id(),
             fmt::format("uses {}..{} of SA {}, of which some were used before", first, end - 1,
                         sa.second));
    }
    if (before != used.end() && before->second == first) {
        before->second = end;
    } else {
        used[first] = end;
    }
}

void Oracle::on_warm(const Machine& machine, GatewayId gateway, const keepers::Margin& margin) {
    const bool exact = margin.run_on == Duration{};
    ++(exact           ? tally_.margins_exact
       : margin.run_on ? tally_.margins_bounded
                       : tally_.margins_unknown);
    exact_[gateway] = exact;
    const Epoch known = machine.gateway(gateway)->cores().replica.epoch();
    std::set<Epoch>& granted = granted_[gateway];
    if (std::distance(granted.upper_bound(known), granted.end()) >= 2) {
        ++tally_.silent_twice;
    }
    const auto same = std::ranges::find_if(granted, [&](const Epoch& each) {
        return each.number == margin.granted.number && each.node != margin.granted.node;
    });
    // Of two voters one may have served alone, and the other one after it
    // (docs/explain/failure-model.md, "Two nodes"): it began without a record whose numbers it
    // could continue. All records that it has later are of sessions that came since then, until it
    // follows somebody else.
    BeganEmpty& began = began_empty_[{gateway, machine.id()}];
    if (machine.gateway(gateway)->cores().replica.store().count() == 0) {
        began = {margin.granted, granted};
    }
    const bool continues = known != Epoch{} && known >= began.epoch && known.node == machine.id();
    const bool has_none = margin.granted == began.epoch || continues;
    if (same != granted.end() && !(has_none && began.before.contains(*same))) {
        fail("counters", machine.id(),
             fmt::format("counts from epoch {}, and another node did from {}",
                         to_string(margin.granted), to_string(*same)));
    }
    granted.insert(margin.granted);
    story_.notify(machine.id(), "counters of gateway {} are warm: records are {}", gateway.value,
                  exact           ? "exact"
                  : margin.run_on ? fmt::format("{} ms old", *margin.run_on / kPerNumber)
                                  : "of an unknown age");
}

void Oracle::on_number_set(const Machine& machine, const Numbers::Key& sa, std::uint64_t next) {
    const auto used = used_.find(sa);
    if (!exact_[sa.first]) {
        // Who hands over before it has used one hands over what it left out itself.
        std::uint64_t& begun = begun_[sa];
        begun = std::max(begun, next);
        return;
    }
    // Who thaws may have used some that nobody counts.
    if (used == used_.end() || plan_.has(Fault::pause)) {
        return;
    }
    const std::uint64_t end = std::max(std::prev(used->second.end())->second, begun_[sa]);
    if (next > end) {
        fail("counters", machine.id(),
             fmt::format("leaves out {}..{} of SA {} after a handover", end, next - 1, sa.second));
    }
}

}  // namespace vpnha::sim
