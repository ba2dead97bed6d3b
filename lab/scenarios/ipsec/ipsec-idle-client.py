# SPDX-License-Identifier: GPL-2.0-or-later
"""An idle client that has deleted its CHILD SA keeps its IKE SA through a takeover.

Purpose: Windows deletes an idle CHILD SA after five minutes, keeps the IKE SA, and makes another
CHILD SA when there is traffic again. It does not dial again when its gateway ends the IKE SA. The
next node ends IKE SAs whose CHILD SA it has not: it must not take this one for such an SA.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. client1 speaks IKEv2.

Steps: client1 dials, makes traffic, and deletes its CHILD SA. The power of the promoted gateway is
cut. 20 s after the promotion client1 makes a CHILD SA.

Expected: the next gateway ends no IKE SA. client1's packets are answered in the new CHILD SA, under
the IKE SA that it has set up once.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.product.charon import Charon, sas
from vpnlab.product.ipsec_client import CONNECTION, Ikev2Client
from vpnlab.steps.ipsec.childless import ended, established
from vpnlab.steps.live import begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
DELETED_S = 10
# An IKE SA is judged 5 s after its charon has become active, or 10 s after a repeated request.
JUDGED_S = 20
OBSERVED_S = 3


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0, ipsec=True)
    node = live.dial("client1", dialler=Ikev2Client).node
    charon = Charon(node)
    run.observe(OBSERVED_S)
    run.step("client1 deletes its CHILD SA")
    charon.terminate_child(CONNECTION)
    run.wait_for("no gateway has an ESP SA",
                 lambda: not any(sas(each) for each in live.stack.cluster.nodes), DELETED_S)

    run.step(f"power cut of {live.active.name}, which is promoted")
    live.active.power_off()
    successor = live.stack.wait_promoted()
    run.observe(JUDGED_S)
    run.expect("ended", ended(live, successor), equals(0))
    run.step("client1 makes a CHILD SA")
    charon.initiate(CONNECTION)
    live.wait_answered()
    run.observe(OBSERVED_S)
    run.expect("established", established(node), equals(1))
    live.end()
