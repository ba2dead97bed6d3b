// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/kinds.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vpnha::cli::drill {

namespace {

Ruled by_lease(const Timers& timers) {
    return {fmt::format("the lease ([lease] duration, {:.0f} ms): a standby serves when its own "
                        "promise to the lost node has run out and two questions were answered",
                        timers.lease_ms),
            "a shorter duration, or \"auto\", where `vpnha peers` shows that no node is ever late "
            "by as much"};
}

Ruled by_token(const Timers& timers) {
    return {fmt::format("Corosync's token{} and consensus, then fencing: without three voters, or "
                        "with stand_in = false, nobody serves before fencing is confirmed",
                        timers.token_ms ? fmt::format(" ({:.0f} ms)", *timers.token_ms) : ""),
            "totem.token of corosync.conf; a faster fencing device; a witness for two nodes; "
            "stand_in = true"};
}

Ruled by_noticing(Kind kind, const Timers& timers) {
    switch (kind) {
        case Kind::switchover:
            return {"no timer: the old node serves until the new one is granted the lease",
                    "nothing; where packets were lost, docs/operate/planned-moves.md has the "
                    "causes"};
        case Kind::node_power:
        case Kind::partition:
            return timers.stands_in ? by_lease(timers) : by_token(timers);
        case Kind::daemon:
            return timers.stands_in
                       ? by_lease(timers)
                       : Ruled{
                             "Pacemaker's move: Corosync reports a dead vpnhad at once, and a "
                             "standby informs Pacemaker",
                             "stand_in = true, with three voters"};
        case Kind::service:
            return {
                "ocf:vpnha:probe: the interval of its monitor and its parameters failures and "
                "timeout. Sessions continue meanwhile; new clients are not answered",
                "a shorter interval, or fewer failures. Each probe costs a node a process, and "
                "one failure alone may be packet loss"};
        case Kind::link:
            break;
    }
    return {
        "[gateway.NAME.links] give_away_after, and with neighbours probe_interval and "
        "lost_after before that",
        "a shorter give_away_after, where no link ever flaps for as long"};
}

}  // namespace

const KindOf& kind_of(Kind kind) {
    return *std::ranges::find(kKinds, kind, &KindOf::kind);
}

std::optional<Kind> kind_named(std::string_view name) {
    const auto* const found = std::ranges::find(kKinds, name, &KindOf::name);
    return found == kKinds.end() ? std::nullopt : std::optional(found->kind);
}

Ruled ruled_by(Kind kind, const Timers& timers, const Stages& stages) {
    const bool is_later = kind != Kind::switchover && stages.noticed_ms && stages.served_ms &&
                          *stages.served_ms - *stages.noticed_ms > *stages.noticed_ms;
    // If standbys stand in, the lease expires before anything else has detected the fault.
    if (is_later && !(timers.stands_in && kind != Kind::service && kind != Kind::link)) {
        return {fmt::format("no timer of the detection: the fault was known after {:.0f} ms, and "
                            "the move itself took the other {:.0f} ms",
                            *stages.noticed_ms, *stages.served_ms - *stages.noticed_ms),
                "nothing by itself: look at the moments, at crm_mon and at the nodes' load"};
    }
    return by_noticing(kind, timers);
}

}  // namespace vpnha::cli::drill
