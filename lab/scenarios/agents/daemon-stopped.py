# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad of the promoted node stands still, and another node serves.

Purpose: a daemon that hangs is worse than a dead one, for nothing shows it: Corosync keeps it as a
member, Pacemaker's monitor waits for its answer. Its lease ends, the kernel shuts its gate, and the
standbys, who receive no round of it any more, notify Pacemaker.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; vpnhad of the promoted node gets a SIGSTOP.

Expected: a silence of at most 2.5 s and nothing else; never two owners; the node is a standby in
sync again by itself.
"""
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.promise import REPORTED_MS
from vpnlab.steps.promoted.fault import expect_moved, strike_daemon
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    live = strike_daemon(run, "standstill of vpnhad", lambda node: node.stop_process(DAEMON))
    expect_moved(run, live, REPORTED_MS)
