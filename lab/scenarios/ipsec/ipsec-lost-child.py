# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway takes an IKE SA over without its CHILD SA, and the client is connected again.

Purpose: the gateway's charon answers the client's dead peer detection, so the client would not
notice until its own rekey that nothing of what it sends arrives. The gateway ends the IKE SA.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. client1 speaks IKEv2, and dials
again when the gateway ends its SAs.

Steps: client1 dials and makes traffic; the power of the promoted gateway is cut. The kernel of its
successor loses the ESP SAs as soon as it is promoted; its charon does not notice.

Expected: 5 s later the successor ends the IKE SA. client1 is connected again within 15 s of the
loss, by one new IKE SA, and its packets are answered.
"""
import functools

from vpnlab.evidence.expectation import at_most, equals
from vpnlab.product.charon import lose_esp
from vpnlab.product.ipsec_client import TENACIOUS, Ikev2Client
from vpnlab.steps.ipsec.childless import ended, established
from vpnlab.steps.live import begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
BACK_S = 15
OBSERVED_S = 3


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0, ipsec=True)
    client = live.dial("client1", dialler=functools.partial(Ikev2Client, kind=TENACIOUS))
    run.observe(OBSERVED_S)

    live.stack.cluster.spare_successors(live.active)
    run.step(f"power cut of {live.active.name}, which is promoted")
    live.active.power_off()
    successor = live.stack.wait_promoted()
    lose_esp(successor)
    lost_at = run.lab.now()
    run.step(f"the kernel of {successor.name} has lost the ESP SAs")
    run.wait_for("client1 has another IKE SA", lambda: established(client.node) > 1, BACK_S)
    live.wait_answered()
    back_s = run.lab.now() - lost_at
    live.stack.wait_protected(1)
    run.observe(OBSERVED_S)

    run.expect("ended", ended(live, successor), equals(1))
    run.expect("back_s", round(back_s, 1), at_most(BACK_S))
    run.expect("established", established(client.node), equals(2))
    live.end()
