# SPDX-License-Identifier: GPL-2.0-or-later
"""A session that no other node can go on with ends at once with its node; its client dials again.

Purpose: what cannot be kept is told. A session with Van Jacobson's compression has state that
nobody replicates; a client that hears nothing dials again after its LCP echoes are unanswered, half
a minute and more later.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. The gateways allow the
compression, client2 asks for it and redials by itself, client1 does neither.

Steps: both dial; the power of the promoted gateway is cut.

Expected: client2's session is shown as unprotected on every node, with the reason on its own. Its
client hears PPP's Terminate-Request and L2TP's CDN of the successor, and has a new session within
10 s of the power cut. client1 sees a silence and nothing else.
"""
from vpnlab.evidence.expectation import at_most, equals, is_true
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import PPPD_LOG, L2tpClient, Redial
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
DIAL_LIMIT_S, READY_LIMIT_S, PATIENCE_S = 15, 15, 60
REDIALLED_S = 10
REDIAL = Redial(timeout_s=2)


def steps(run: Run) -> None:
    live = begin(run, stack=VpnhaStack(run.lab, Cluster(run.lab), vj=True))
    dialler = L2tpClient(run.lab.node("client2"), redial=REDIAL, vj=True)
    dialler.start()
    run.wait_for("client2's xl2tpd is ready", dialler.ready, READY_LIMIT_S)
    dialler.dial()
    run.wait_for("client2 has a session", dialler.up, DIAL_LIMIT_S)
    for node in run.lab.gateways:
        run.wait_for(f"{node.name} shows client2's session as unprotected", lambda node=node: len(
            [each for each in live.stack.sessions(node) if each["state"] == "unprotected"]) == 1,
            DIAL_LIMIT_S)
    reason = next(each["reason"] for each in live.stack.sessions(live.active)
                  if each["state"] == "unprotected")
    run.expect("reason_names_novj", "novj" in reason, is_true())
    run.observe(2)

    begun = run.lab.now()
    live.cut_power(live.active)
    run.wait_for("client2 has dialled again", lambda: len(dialler.dialled()) == 2 and dialler.up(),
                 PATIENCE_S)
    run.expect("redialled_s", round(run.lab.now() - begun, 2), at_most(REDIALLED_S))
    said = dialler.node.read(PPPD_LOG) or ""
    run.expect("terminate_requests", said.count("rcvd [LCP TermReq"), equals(1))
    run.observe(2)
    dialler.hang_up()
    run.wait_for("client2 has hung up", dialler.gone, DIAL_LIMIT_S)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
