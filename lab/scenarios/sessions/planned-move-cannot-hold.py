# SPDX-License-Identifier: GPL-2.0-or-later
"""A node that cannot hold packets takes a gateway all the same, and some are lost.

Purpose: a kernel may have no veth, sch_prio or sch_plug. Then a planned move is what it was before
there was any holding; it must not be worse.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. On each gateway a device has the
name that vpnhad needs for its own.

Steps: as planned-move-lossless. No fault.

Expected: each vpnhad writes why it cannot hold; nothing is sent on; a move loses what a client
sends in 100 ms at most; none overtakes another one; the session is the same.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import L2TP
from vpnlab.steps.live import begin
from vpnlab.steps.lossless import move_unheld, moved_packets
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        node.run("ip", "link", "add", f"vpnh-{L2TP.id}-far", "type", "dummy")
    live = begin(run)
    run.expect("cannot_hold", {node.name: live.stack.daemon_log(node).count("event=cannot-hold")
                               for node in live.stack.cluster.nodes},
               equals({node.name: 1 for node in live.stack.cluster.nodes}))
    move_unheld(run, live)
    run.expect("sent_on_and_held", moved_packets(live), equals([0, 0, 0]))
