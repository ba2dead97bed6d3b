# SPDX-License-Identifier: GPL-2.0-or-later
"""Of two nodes the standby's vpnhad dies: silence for as long as its vote is away.

Purpose: of two voters both have to answer, and nobody confirms the death of a node that lives. So
everything depends on when vpnhad votes again, and not on when Pacemaker starts the standby anew.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; two_node in corosync.conf;
stonith/two-nodes.crm.

Steps: client1 dials and makes traffic; vpnhad of the standby gets a SIGKILL.

Expected: a silence of at most 1.2 s and nothing else, also while Pacemaker recovers the standby;
the promoted node stays promoted; nobody is switched off.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.power import power_events
from vpnlab.product.cluster import TWO_NODES
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.live import begin
from vpnlab.steps.promise import expect_only_silence
from vpnlab.steps.promoted.fault import DAEMON_BACK_S
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "client1", "server"), faults=1, vpnha=True)
OUTAGE_MS = 1200
OBSERVE_S = 5


def steps(run: Run) -> None:
    live = begin(run, fencing=TWO_NODES)
    stack, standby = live.stack, live.standbys[0]
    promotions = stack.promotions()
    run.step(f"vpnhad of {standby.name}, the standby, is killed")
    standby.kill_process(DAEMON)
    live.wait_answered()
    run.observe(OBSERVE_S)
    stack.wait_in_sync(deadline_s=DAEMON_BACK_S)
    stack.wait_protected(1)
    run.expect("promotions", stack.promotions(), equals(promotions))
    run.expect("switched_off", len(power_events(run.lab)), equals(0))
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
