# SPDX-License-Identifier: GPL-2.0-or-later
"""A fourth node is added to three that serve, and its vote counts.

Purpose: a cluster grows without a pause. The voters are the nodes of corosync.conf; when it is
reloaded, the node that holds the lease adds the new one, with majorities of the old and the new
list.

Topology: client1 -- outside -- gw1, gw2, gw3, gw4 -- inside -- server; gw4 has no power at first.

Steps: client1 dials and makes traffic; the administrator adds gw4 to corosync.conf of all nodes and
reloads it; gw4 is switched on and starts; the power of the promoted node is cut.

Expected: until the power cut no gap longer than 50 ms, or twice the longest of a fault-free time,
in which Corosync reloads a file that has not changed; all four nodes name the same four voters.
After it a silence of at most 2.5 s and nothing else: three of four votes are a majority, and gw4's
is one of them.
"""
from vpnlab.live import Live
from vpnlab.node import Node
from vpnlab.run import Run
from vpnlab.scenario import Scenario
from vpnlab.voters import change_voters, set_voters, start_new

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "gw4", "client1", "server"), faults=1, vpnha=True)


def add(live: Live, new: Node) -> None:
    live.run.step(f"{new.name} is added to corosync.conf")
    set_voters(live, ("gw1", "gw2", "gw3", new.name))
    start_new(live, new)


def steps(run: Run) -> None:
    change_voters(run, add)
