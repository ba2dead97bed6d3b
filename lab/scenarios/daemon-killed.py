# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad dies on the promoted node, and another node serves.

Purpose: a session's sockets go with the daemon that holds them; every other node holds the session
hot, so its death is a failover. Corosync tells the standbys at once, and one of them tells
Pacemaker.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; vpnhad of the promoted node is killed.

Expected: a silence of at most 1.5 s and nothing else; exactly one standby tells; never two owners;
the node is a standby in sync again by itself.
"""
from vpnlab.expectation import equals
from vpnlab.promoted_fault import expect_moved, strike_daemon
from vpnlab.run import Run
from vpnlab.scenario import Scenario
from vpnlab.vpnha_stack import DAEMON

SCENARIO = Scenario(faults=1, vpnha=True)
OUTAGE_MS = 1500


def steps(run: Run) -> None:
    live = strike_daemon(run, "death of vpnhad", lambda node: node.kill_process(DAEMON))
    run.expect("reports", sum(live.stack.daemon_log(node).count("event=reported")
                              for node in run.lab.gateways), equals(1))
    expect_moved(run, live, OUTAGE_MS)
