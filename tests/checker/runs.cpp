// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/runs.hpp"

namespace vpnha::checker {

namespace {

constexpr int kTwoTicks = 4;
constexpr int kThreeTicks = 6;

// Those that take longest first.
const Run kRuns[] = {
    {.name = "claims-4", .bounds = {.claims = 4}, .lease = kTwoTicks},
    {.name = "crashes", .bounds = {.claims = 3, .crashes = 1}, .lease = kTwoTicks},
    {.name = "stales", .bounds = {.claims = 3}, .lease = kTwoTicks, .start = Start::stale_pause},
    {.name = "marks-crash",
     .bounds = {.claims = 1, .crashes = 1, .marks = 1},
     .lease = kTwoTicks,
     .start = Start::held},
    {.name = "pauses", .bounds = {.claims = 3, .pauses = 1}, .lease = kTwoTicks},
    {.name = "marks",
     .bounds = {.claims = 1, .marks = 1},
     .lease = kTwoTicks,
     .start = Start::held},
    {.name = "releases", .bounds = {.claims = 3, .releases = 1}, .lease = kTwoTicks},
    {.name = "margins",
     .bounds = {.claims = 1, .crashes = 1},
     .lease = kTwoTicks,
     .start = Start::held,
     .margins = true},
    {.name = "claims", .bounds = {.claims = 3}, .lease = kTwoTicks},
    {.name = "three-ticks", .bounds = {.claims = 2}, .lease = kThreeTicks},
    {.name = "slow-voters-3", .bounds = {.claims = 3}, .lease = kTwoTicks, .rates = {3, 2, 2}},
    {.name = "voter-added",
     .bounds = {.claims = 1, .crashes = 1, .changes = 1},
     .lease = kTwoTicks,
     .voters = 2,
     .start = Start::held},
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
    {.name = "release", .bounds = {.claims = 2, .crashes = 1, .releases = 1}, .lease = kTwoTicks},
    {.name = "stale", .bounds = {.claims = 2}, .lease = kTwoTicks, .start = Start::stale_pause},
    {.name = "ring", .bounds = {.claims = 2, .rings = 1}, .lease = kTwoTicks, .quick = true},
    {.name = "fenced",
     .bounds = {.claims = 2, .crashes = 1},
     .lease = kTwoTicks,
     .start = Start::fenced,
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
    // Never visited to the end: more than 20 000 000 states.
    {.name = "margins-twice",
     .bounds = {.claims = 2},
     .lease = kTwoTicks,
     .start = Start::held,
     .margins = true,
     .open = true},
};

}  // namespace

std::span<const Run> all_runs() {
    return kRuns;
}

}  // namespace vpnha::checker
