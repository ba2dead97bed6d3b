# SPDX-License-Identifier: GPL-2.0-or-later
"""A session that no other node can go on with ends at once with its node; its client dials again.

Purpose: what cannot be kept is told. The sequence numbers of L2TP's data are in the kernel of the
node that counts them, and a session that requires them ends with it. A client that hears nothing
dials again when its LCP echoes are unanswered, half a minute and more later.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. The gateways' pppds send and
require sequence numbers, and the client follows; it redials by itself.

Steps: client1 dials; the power of the promoted gateway is cut.

Expected: the session is shown as unprotected on every node, with the reason on its own. Its client
hears PPP's Terminate-Request of the successor, once, and has a new session within 10 s of the power
cut. Nothing is left of the old one.
"""
from vpnlab.evidence.expectation import at_most, equals, is_true
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import PPPD_LOG, L2tpClient, Redial
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
DIAL_LIMIT_S, READY_LIMIT_S, PATIENCE_S = 15, 15, 60
REDIALLED_S = 10
REDIAL = Redial(timeout_s=2)


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), ppp=["pppol2tp_send_seq", "pppol2tp_recv_seq"]))
    dialler = L2tpClient(run.lab.node("client1"), redial=REDIAL)
    dialler.start()
    run.wait_for("client1's xl2tpd is ready", dialler.ready, READY_LIMIT_S)
    dialler.dial()
    run.wait_for("client1 has a session", dialler.up, DIAL_LIMIT_S)
    for node in run.lab.gateways:
        run.wait_for(f"{node.name} shows the session as unprotected", lambda node=node: [
            each["state"] for each in live.stack.sessions(node)] == ["unprotected"], DIAL_LIMIT_S)
    reason = live.stack.sessions(live.active)[0]["reason"]
    run.expect("reason_names_sequencing", "sequencing" in reason, is_true())

    run.step(f"power cut of {live.active.name}, which is promoted")
    begun = run.lab.now()
    live.active.power_off()
    run.wait_for("client1 has dialled again", lambda: len(dialler.dialled()) == 2 and dialler.up(),
                 PATIENCE_S)
    run.expect("redialled_s", round(run.lab.now() - begun, 2), at_most(REDIALLED_S))
    said = dialler.node.read(PPPD_LOG) or ""
    run.expect("terminate_requests", said.count("rcvd [LCP TermReq"), equals(1))
    dialler.hang_up()
    run.wait_for("client1 has hung up", dialler.gone, DIAL_LIMIT_S)
    live.end()
