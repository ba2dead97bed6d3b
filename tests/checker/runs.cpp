// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/runs.hpp"

namespace vpnha::checker {

namespace {

constexpr int kTwoTicks = 4;
constexpr int kThreeTicks = 6;

const Run kRuns[] = {
    {.name = "claims", .bounds = {.claims = 3}, .lease = kTwoTicks},
    {.name = "crash", .bounds = {.claims = 2, .crashes = 2}, .lease = kTwoTicks},
    {.name = "release", .bounds = {.claims = 2, .crashes = 1, .releases = 1}, .lease = kTwoTicks},
    {.name = "handover",
     .bounds = {.claims = 2, .demotions = 1},
     .lease = kTwoTicks,
     .quick = true},
    {.name = "pause", .bounds = {.claims = 2, .pauses = 1}, .lease = kTwoTicks, .quick = true},
    {.name = "marks",
     .bounds = {.claims = 1, .crashes = 1, .marks = 1},
     .lease = kTwoTicks,
     .start = Start::held},
    {.name = "fenced",
     .bounds = {.claims = 2, .crashes = 1},
     .lease = kTwoTicks,
     .start = Start::fenced,
     .quick = true},
    {.name = "voter-removed", .bounds = {.claims = 2, .changes = 1}, .lease = kTwoTicks},
    {.name = "voter-added",
     .bounds = {.claims = 1, .crashes = 1, .changes = 1},
     .lease = kTwoTicks,
     .voters = 2,
     .start = Start::held},
    {.name = "ring", .bounds = {.claims = 2, .rings = 1}, .lease = kTwoTicks, .quick = true},
    {.name = "stale", .bounds = {.claims = 2}, .lease = kTwoTicks, .start = Start::stale_pause},
    {.name = "two-nodes",
     .bounds = {.claims = 2, .crashes = 1, .deaths = 1},
     .lease = kTwoTicks,
     .voters = 2},
    {.name = "slow-holder",
     .bounds = {.claims = 2},
     .lease = kThreeTicks,
     .rates = {2, 3, 3},
     .quick = true},
    {.name = "slow-voters",
     .bounds = {.claims = 2},
     .lease = kTwoTicks,
     .rates = {3, 2, 2},
     .quick = true},
    {.name = "late-answers",
     .bounds = {.claims = 2, .releases = 1},
     .lease = kTwoTicks,
     .answers = Answers::late},
    {.name = "margins",
     .bounds = {.claims = 1, .crashes = 1},
     .lease = kTwoTicks,
     .start = Start::held,
     .margins = true},
    {.name = "margins-twice",
     .bounds = {.claims = 2},
     .lease = kTwoTicks,
     .start = Start::held,
     .margins = true},
    {.name = "three-ticks", .bounds = {.claims = 2}, .lease = kThreeTicks},
};

}  // namespace

std::span<const Run> all_runs() {
    return kRuns;
}

}  // namespace vpnha::checker
