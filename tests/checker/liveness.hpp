// SPDX-License-Identifier: GPL-2.0-or-later
// Whether somebody can still be granted the lease: the other half of what the invariants say. A
// protocol that answers nobody would break none of them.
//
// From a world without bounds left good times begin: what was under way is lost, paused nodes thaw,
// all groups are whole, every daemon acts when it is due, and every message arrives once. One node
// is promoted: the first one that is, or can be. Within kTicks it has a deadline ahead. Nothing is
// asked of a world where no majority of the voters lives, or where every node is fenced.
//
// The same of standing in (Run::stands_in). Nobody is promoted any more, dead nodes stay dead, and
// each group stays as it is, except that it loses dead nodes. Within kStandInTicks somebody has a
// deadline ahead, if somebody could stand in: a node with quorum that is not fenced, has no less
// than any other one that lives, and has a majority of the newest list in reach. A voter whose own
// quorate group misses that node is not in its reach. Standbys ask by rank, give up claims in vain
// and ask again, as node::StandIn has them do.
// And of a lapse (runs with changes of groups). Everything stays as it is, but that what was under
// way is lost. Of the one node that is wanted, and whose lease has lapsed, a majority of the voters
// is in reach: somebody has a deadline ahead within kTicks, with quorum, or without it where nobody
// has granted a higher epoch.
#pragma once

#include "checker/visited.hpp"
#include "checker/world.hpp"

namespace vpnha::checker {

class Liveness {
  public:
    explicit Liveness(const Run& run) : run_(run) {}

    [[nodiscard]] bool can_serve(const World& world);
    [[nodiscard]] bool can_stand_in(const World& world);
    [[nodiscard]] bool can_continue(const World& world);

  private:
    const Run& run_;
    Visited known_;       // From these somebody can serve,
    Visited standing_;    // from these somebody stands in,
    Visited continuing_;  // from these a lapse ends.
};

}  // namespace vpnha::checker
