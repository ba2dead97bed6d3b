# SPDX-License-Identifier: GPL-2.0-or-later
"""Pacemaker promotes a node before its replica is complete.

Purpose: a constraint that a move has left behind counts more than any score. When its node returns
from a power cut, Pacemaker promotes it at once, while complete standbys live. Its records may not
replace theirs.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic. The role is moved to a standby by `crm_resource --move`, and
the constraint stays. The power of that node is cut. Three thousand sessions more come to its
successor, announced by a program that speaks as pppd's plugin does, with peers on client2 that
acknowledge; the other survivor holds all of them. The cluster links of both survivors are slow from
then on (the lease's datagrams are spared), and the dead node returns. Pacemaker moves the role to
it.

Expected: in the end all three nodes hold all sessions, and no session was counted as lost. client1
is silent for as long as that takes, and nothing else happens to it.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.crowd import AnnouncedSessions
from vpnlab.product.vpnha_stack import LEASE_PORT
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.partition import CLUSTER_LINKS
from vpnlab.steps.promise import expect_nothing_else
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=5, vpnha=True)
SESSIONS = 3000
ALL = 1 + SESSIONS
# The snapshot takes 8.6 s then: longer than the agents' starts before the promotion (3 s), and
# shorter than a promotion may take (20 s).
KBIT = 2500
ANNOUNCED_S, HOT_S, PROMOTED_S, SETTLED_S = 60, 90, 60, 120


def steps(run: Run) -> None:
    live = begin(run, place=off_dc, observe_s=0)
    stack = live.stack
    # Not the DC, which decides how soon the role moves.
    returning = live.plain_standby
    run.step(f"the role is moved to {returning.name}; the constraint stays")
    stack.order_move(returning)
    stack.wait_promoted([returning.name])
    stack.wait_in_sync()
    live.wait_answered()
    cut_at = run.lab.now()
    successor = live.cut_power(returning)
    live.wait_fenced(returning, cut_at)
    survivors = [node for node in stack.cluster.nodes if node is not returning]
    run.step(f"{SESSIONS} sessions come to {successor.name}")
    AnnouncedSessions(run.lab, successor, run.lab.node("client2"),
                      SESSIONS).start(deadline_s=ANNOUNCED_S)
    stack.wait_protected(ALL, HOT_S)

    run.step(f"the cluster links are slow, and {returning.name} returns")
    stack.cluster.relax()
    for node in survivors:
        for link in CLUSTER_LINKS:
            node.slow_link(link, KBIT, spared_port=LEASE_PORT)
    stack.join(returning.name)
    stack.wait_promoted([returning.name], PROMOTED_S)
    live.wait_answered()
    stack.wait_in_sync(SETTLED_S)
    run.expect("sessions", {node.name: len(stack.sessions(node)) for node in stack.cluster.nodes},
               equals({node.name: ALL for node in stack.cluster.nodes}))
    run.expect("sessions_lost", sum(stack.daemon_log(node).count("event=lost")
                                    for node in stack.cluster.nodes), equals(0))
    live.hang_up()
    seen = live.measure()
    expect_nothing_else(run, seen.client("client1"))
