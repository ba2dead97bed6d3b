// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/runs.hpp"

namespace vpnha::checker {

namespace {

constexpr int kTwoTicks = 4;
constexpr int kThreeTicks = 6;

// Those that take longest first.
const Run kRuns[] = {
    {.name = "claims-4", .bounds = {.claims = 4}, .lease = kTwoTicks, .liveness = false},
    {.name = "crashes",
     .bounds = {.claims = 3, .crashes = 1},
     .lease = kTwoTicks,
     .liveness = false},
    // Node 4 comes to vote, and was not there when the others marked node 1.
    {.name = "fenced-changes",
     .bounds = {.claims = 2, .changes = 2},
     .lease = kTwoTicks,
     .nodes = 4,
     .voters = 3,
     .claimants = 2,
     .start = Start::fenced},
    {.name = "stales",
     .bounds = {.claims = 3},
     .lease = kTwoTicks,
     .start = Start::stale_pause,
     .liveness = false},
    {.name = "marks-crash",
     .bounds = {.claims = 1, .crashes = 1, .marks = 1},
     .lease = kTwoTicks,
     .start = Start::held,
     .liveness = false},
    {.name = "break-marks",
     .bounds = {.claims = 1, .breaks = 1, .marks = 1},
     .lease = kTwoTicks,
     .start = Start::held,
     .liveness = false},
    {.name = "pauses", .bounds = {.claims = 3, .pauses = 1}, .lease = kTwoTicks, .liveness = false},
    {.name = "marks",
     .bounds = {.claims = 1, .marks = 1},
     .lease = kTwoTicks,
     .start = Start::held},
    {.name = "releases", .bounds = {.claims = 3, .releases = 1}, .lease = kTwoTicks},
    {.name = "margins",
     .bounds = {.claims = 1, .crashes = 1},
     .lease = kTwoTicks,
     .start = Start::held,
     .margins = true,
     .liveness = false},
    // Of an epoch that was given up before its grant nobody is told that it served.
    {.name = "margins-release",
     .bounds = {.claims = 1, .releases = 1},
     .lease = kTwoTicks,
     .start = Start::held,
     .margins = true,
     .liveness = false},
    {.name = "claims", .bounds = {.claims = 3}, .lease = kTwoTicks},
    {.name = "three-ticks", .bounds = {.claims = 2}, .lease = kThreeTicks},
    {.name = "slow-voters-3", .bounds = {.claims = 3}, .lease = kTwoTicks, .rates = {3, 2, 2}},
    {.name = "voter-added",
     .bounds = {.claims = 1, .crashes = 1, .changes = 1},
     .lease = kTwoTicks,
     .voters = 2,
     .start = Start::held},
    // Three nodes of corosync.conf, of which only the first remembers: itself, as the only voter.
    {.name = "fresh", .bounds = {.claims = 3}, .lease = kTwoTicks, .start = Start::fresh},
    {.name = "fresh-grows",
     .bounds = {.claims = 2, .changes = 1},
     .lease = kTwoTicks,
     .start = Start::fresh},
    {.name = "all-fresh", .bounds = {.claims = 2}, .lease = kTwoTicks, .start = Start::all_fresh},
    {.name = "all-fresh-crash",
     .bounds = {.claims = 1, .crashes = 1},
     .lease = kTwoTicks,
     .start = Start::all_fresh},
    {.name = "edited",
     .bounds = {.claims = 1, .crashes = 1},
     .lease = kTwoTicks,
     .start = Start::edited,
     .quick = true},
    {.name = "disks-lost", .bounds = {.claims = 2, .losses = 2}, .lease = kTwoTicks},
    {.name = "disk-lost-change",
     .bounds = {.claims = 1, .changes = 1, .losses = 1},
     .lease = kTwoTicks,
     .start = Start::held},
    {.name = "disk-lost", .bounds = {.claims = 2, .losses = 1}, .lease = kTwoTicks, .quick = true},
    {.name = "break-list",
     .bounds = {.claims = 1, .breaks = 1, .changes = 1},
     .lease = kTwoTicks,
     .voters = 2,
     .start = Start::held},
    {.name = "break", .bounds = {.claims = 2, .breaks = 1, .releases = 1}, .lease = kTwoTicks},
    {.name = "break-handover",
     .bounds = {.claims = 2, .breaks = 1, .demotions = 1},
     .lease = kTwoTicks},
    {.name = "fenced-removed",
     .bounds = {.claims = 2, .changes = 1},
     .lease = kTwoTicks,
     .start = Start::fenced},
    {.name = "crash", .bounds = {.claims = 2, .crashes = 2}, .lease = kTwoTicks},
    {.name = "voter-removed", .bounds = {.claims = 2, .changes = 1}, .lease = kTwoTicks},
    {.name = "late-answers",
     .bounds = {.claims = 2, .releases = 1},
     .lease = kTwoTicks,
     .answers = Answers::late},
    {.name = "two-nodes",
     .bounds = {.claims = 2, .crashes = 1, .deaths = 1},
     .lease = kTwoTicks,
     .voters = 2},
    // Who is off is left out of the voters, before its death is confirmed, or then.
    {.name = "two-nodes-change",
     .bounds = {.claims = 2, .changes = 1, .deaths = 1},
     .lease = kTwoTicks,
     .voters = 2},
    {.name = "release", .bounds = {.claims = 2, .crashes = 1, .releases = 1}, .lease = kTwoTicks},
    {.name = "stale", .bounds = {.claims = 2}, .lease = kTwoTicks, .start = Start::stale_pause},
    {.name = "ring", .bounds = {.claims = 2, .rings = 1}, .lease = kTwoTicks, .quick = true},
    {.name = "fenced",
     .bounds = {.claims = 2, .crashes = 1},
     .lease = kTwoTicks,
     .start = Start::fenced,
     .quick = true},
    {.name = "five-voters",
     .bounds = {.claims = 1},
     .lease = kTwoTicks,
     .nodes = 5,
     .claimants = 2,
     .start = Start::held,
     .quick = true},
    {.name = "slow-holder",
     .bounds = {.claims = 2},
     .lease = kThreeTicks,
     .rates = {2, 3, 3},
     .quick = true},
    // Node 1 has twice the others' lease, or half of it.
    {.name = "longer-lease", .bounds = {.claims = 2}, .lease = 3, .first_lease = 6, .quick = true},
    {.name = "shorter-lease", .bounds = {.claims = 2}, .lease = 6, .first_lease = 3, .quick = true},
    {.name = "pause", .bounds = {.claims = 2, .pauses = 1}, .lease = kTwoTicks, .quick = true},
    {.name = "handover",
     .bounds = {.claims = 2, .demotions = 1},
     .lease = kTwoTicks,
     .quick = true},
    {.name = "slow-voters",
     .bounds = {.claims = 2},
     .lease = kTwoTicks,
     .rates = {3, 2, 2},
     .quick = true},
    // Beside a lease held, a node that nobody has promoted asks for it.
    {.name = "inquiries",
     .bounds = {.claims = 2, .inquiries = 2},
     .lease = kTwoTicks,
     .start = Start::held},
    {.name = "inquiry-crash",
     .bounds = {.claims = 1, .crashes = 1, .inquiries = 1},
     .lease = kTwoTicks,
     .start = Start::held},
    {.name = "inquiry-pause",
     .bounds = {.claims = 1, .pauses = 1, .inquiries = 1},
     .lease = kTwoTicks,
     .start = Start::held},
    {.name = "inquiry",
     .bounds = {.claims = 1, .inquiries = 1},
     .lease = kTwoTicks,
     .start = Start::held,
     .quick = true},
    {.name = "yields",
     .bounds = {.claims = 2, .yields = 1},
     .lease = kTwoTicks,
     .start = Start::held},
    {.name = "yield",
     .bounds = {.claims = 1, .yields = 1},
     .lease = kTwoTicks,
     .start = Start::held,
     .quick = true},
    // A holder has not noticed yet that its lease has ended.
    {.name = "handover-late",
     .bounds = {.claims = 2, .demotions = 1},
     .lease = kTwoTicks,
     .start = Start::held,
     .late_lapses = true},
    {.name = "fenced-handover",
     .bounds = {.claims = 2, .demotions = 1},
     .lease = kTwoTicks,
     .start = Start::fenced,
     .quick = true},
    // Beside it groups change, nodes lose their power, and those that stand in give up.
    {.name = "inquiry-ring",
     .bounds = {.claims = 1, .rings = 1, .inquiries = 1, .cuts = 1},
     .lease = kTwoTicks,
     .claimants = 1,
     .start = Start::held,
     .stands_in = true},
    {.name = "inquiry-rings",
     .bounds = {.claims = 1, .rings = 2, .inquiries = 1},
     .lease = kTwoTicks,
     .claimants = 1,
     .start = Start::held,
     .stands_in = true},
    {.name = "inquiry-change",
     .bounds = {.claims = 1, .changes = 1, .inquiries = 1, .cuts = 1},
     .lease = kTwoTicks,
     .voters = 2,
     .claimants = 1,
     .start = Start::held,
     .stands_in = true},
    {.name = "inquiry-behind",
     .bounds = {.claims = 1, .inquiries = 1, .cuts = 1},
     .lease = kTwoTicks,
     .claimants = 1,
     .start = Start::held,
     .behind = 0b100,
     .stands_in = true,
     .quick = true},
    {.name = "stand-in-ring",
     .bounds = {.rings = 1, .cuts = 1},
     .lease = kTwoTicks,
     .claimants = 1,
     .start = Start::held,
     .stands_in = true,
     .quick = true},
    {.name = "stand-in-change",
     .bounds = {.changes = 1, .cuts = 1},
     .lease = kTwoTicks,
     .voters = 2,
     .claimants = 1,
     .start = Start::held,
     .stands_in = true,
     .quick = true},
    // 29 073 733 states, five minutes: by its name alone.
    {.name = "margins-twice",
     .bounds = {.claims = 2},
     .lease = kTwoTicks,
     .start = Start::held,
     .margins = true,
     .liveness = false,
     .open = true},
};

}  // namespace

lease::Timing timing_of(const Run& run, std::size_t node) {
    const int first = run.first_lease.value_or(run.lease);
    const int own = node == 0 ? first : run.lease;
    lease::Timing timing;
    timing.lease = Duration(own);
    timing.lease_max = Duration(std::max(first, run.lease));
    timing.renew = Duration((own - 1) / 2);
    timing.rate_ppm = 500'000;   // 2 : 3.
    timing.grain = Duration(0);  // Clocks are read exactly.
    timing.lame = Duration(own);
    timing.absence = Duration(1);
    timing.ask = Duration(2);
    timing.ask_max = Duration(2);
    timing.ask_open = Duration(3);
    timing.punctual = Duration(1);
    timing.unheld = Duration(1'000'000);  // No run lasts so long.
    timing.unheld_lapsed = timing.unheld;
    return timing;
}

std::optional<lease::Durable> first_disk(const Run& run, const lease::Setup& setup) {
    const bool is_first = setup.self.node == id_of(0);
    if (run.start == Start::all_fresh || run.start == Start::edited ||
        (run.start == Start::fresh && !is_first)) {
        return std::nullopt;
    }
    lease::Durable durable;
    durable.voters.current = {{Epoch{0, id_of(0)}, 0},
                              run.start == Start::fresh ? std::vector{id_of(0)} : setup.voters};
    return durable;
}

std::span<const Run> all_runs() {
    return kRuns;
}

}  // namespace vpnha::checker
