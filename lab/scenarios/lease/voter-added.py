# SPDX-License-Identifier: GPL-2.0-or-later
"""A fourth node is added to three that serve, and its vote counts.

Purpose: a cluster grows without a pause. The voters are the nodes of corosync.conf; when it is
reloaded and the new node runs, the node that holds the lease adds it, with majorities of the old
and the new list.

Topology: client1 -- outside -- gw1, gw2, gw3, gw4 -- inside -- server; gw4 has no power at first.

Steps: client1 dials and makes traffic; the administrator adds gw4 to corosync.conf of all nodes and
reloads it; then gw4 is switched on and starts; the power of the promoted node is cut.

Expected: from the start of gw4 until the power cut no gap longer than 50 ms, or twice the longest
of the time before; all four nodes name the same four voters. After it a silence of at most 1 s
and nothing else: three of four votes are a majority, and gw4's is one of them. The reload belongs
to the time before: it makes nobody a voter, and what Corosync does then stops a node of the lab,
with its one core, for 50 to 80 ms.
"""
from vpnlab.host.node import Node
from vpnlab.steps.live import Live
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.voters import change_voters, set_members, start_new

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "gw4", "client1", "server"), faults=1, vpnha=True)


def add(live: Live, new: Node) -> None:
    live.run.step(f"{new.name} is added to corosync.conf")
    set_members(live, ("gw1", "gw2", "gw3", new.name))


def steps(run: Run) -> None:
    change_voters(run, start_new, calm=add)
