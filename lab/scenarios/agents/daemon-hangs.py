# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad of the promoted node hangs, and nothing shows it: another node serves.

Purpose: a daemon in a deadlock looks like one that works. Corosync has it as a member, its control
socket takes connections, its process is not stopped. Its lease ends; the standbys miss its rounds
and notify Pacemaker; the agent must not wait for its answer.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. All run vpnhad-frail.

Steps: client1 dials and makes traffic; vpnhad of the promoted node hangs.

Expected: a silence of at most 2.5 s and nothing else; never two owners; the node is a standby in
sync again by itself.
"""
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.frail import HANG, make_frail
from vpnlab.steps.promise import REPORTED_MS
from vpnlab.steps.promoted.fault import expect_moved, strike_daemon
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    make_frail(run.lab.gateways)
    live = strike_daemon(run, "a deadlock in vpnhad",
                         lambda node: node.signal_process(DAEMON, HANG))
    expect_moved(run, live, REPORTED_MS)
