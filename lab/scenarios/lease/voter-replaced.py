# SPDX-License-Identifier: GPL-2.0-or-later
"""A node dies for good and another one takes its place, and its vote.

Purpose: hardware ends. The voters change one at a time: the dead node is taken out first, then the
new one is added; a new node with the dead one's id and an empty disk is no more than another node
then.

Topology: client1 -- outside -- gw1, gw2, gw3, gw4 -- inside -- server; gw4 has no power at first.

Steps: client1 dials and makes traffic; gw4 is added to corosync.conf and taken out again. The power
of a standby is cut, for good. The administrator takes it out of corosync.conf and reloads it, makes
Pacemaker forget it, adds gw4 and reloads again; gw4 is switched on and starts; the power of the
promoted node is cut.

Expected: between the two power cuts no gap longer than 50 ms, or twice the longest of a time in
which corosync.conf was reloaded as often and nobody became a voter by it; all nodes name the same
three voters. After the second a silence of at most 1 s and nothing else: two of three votes are a
majority, and gw4's is one of them.

What gaps there are come with the reload that adds a node, and with Pacemaker's connections to
Corosync when that one joins: the kernels map memory for Corosync then, page by page, two that share
a core of the host at once (lab/README.md). Nothing of vpnha happens in them.
"""
from vpnlab.host.node import Node
from vpnlab.steps.live import Live
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.voters import change_voters, set_members, standing, start_new, wait_voters

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "gw4", "client1", "server"), faults=2, vpnha=True)
RELOADED_S = 1.0
SETTLED_S = 3.0


def reload_as_often(live: Live, new: Node) -> None:
    names = [node.name for node in live.stack.cluster.nodes]
    live.run.step(f"{new.name} is added to corosync.conf, and taken out again")
    set_members(live, (*names, new.name))
    live.run.observe(RELOADED_S)
    set_members(live, names)


def steps(run: Run) -> None:
    lost: list[Node] = []

    def lose(live: Live) -> None:
        # The DC lives on: what its election costs is not to be measured.
        dead = live.plain_standby
        lost.append(dead)
        run.step(f"{dead.name}, a standby, dies for good")
        live.lose(dead)
        # Nor what its fencing costs.
        run.observe(SETTLED_S)

    def replace(live: Live, new: Node) -> None:
        dead = lost[0]
        kept = [node.name for node in live.stack.cluster.nodes if node is not dead]
        run.step(f"{dead.name} is taken out, then {new.name} added to corosync.conf")
        set_members(live, kept)
        wait_voters(live, kept)
        standing(live).run("crm_node", "--force", "--remove", dead.name)
        set_members(live, (*kept, new.name))
        start_new(live, new)
    change_voters(run, replace, before=lose, calm=reload_as_often)
