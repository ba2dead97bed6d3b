# SPDX-License-Identifier: GPL-2.0-or-later
"""xl2tpd of the promoted node lives and answers nobody: the gateway moves, and its session lives.

Purpose: a hung daemon has its process, its port and its pipe, so no monitor of its own misses
anything. ocf:vpnha:probe dials as a client does, marks the node, and a rule moves the gateway.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; cib-templates/probe.crm for l2tp.

Steps: client1 dials and makes traffic; xl2tpd of the promoted node gets a SIGSTOP.

Expected: another node serves within 45 s, which are the 30 s of the probe and Pacemaker; one move;
the node is marked as dead and its successor as alive; the probe never fails; to the client it was a
silence of at most 2.5 s and nothing else.
"""
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.steps.promoted.dead_service import (
    begin_probed, expect_marked, expect_moved_alive, hang_service)
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    live = begin_probed(run, "l2tp", {"client1": L2tpClient})
    successor = hang_service(run, live, "a SIGSTOP of xl2tpd",
                             lambda node: node.stop_process("xl2tpd"))
    expect_marked(run, live, successor)
    expect_moved_alive(run, live)
