# SPDX-License-Identifier: GPL-2.0-or-later
"""L2TP that is to be inside IPsec is never seen outside of it, whatever rules and SAs there are.

Purpose: the gate is the guard. Rules that somebody flushes, policies that are not there yet and SAs
that are gone make no clear text of a session.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 plain L2TP.

Steps: home1 dials and makes traffic; client1 dials; all rules of all gateways are flushed; the
power of the promoted gateway is cut; on its successor all SAs and policies are flushed, while the
server has something to send to home1.

Expected: home1 is served until its SAs are gone, client1 never; not a packet of L2TP leaves a
gateway in the clear, and the gate has dropped some in both directions.
"""
from vpnlab.evidence.capture_invariants import l2tp_sent
from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.host.topology import L2TP
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.sites.home import start_nat
from vpnlab.steps.ipsec.live import IPSEC_NODES
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=IPSEC_NODES, faults=1, vpnha=True)
DIAL_S = 4


def steps(run: Run) -> None:
    start_nat(run.lab)
    live = begin(run, clients=(), place=off_dc, observe_s=0, ipsec=True)
    live.dial("home1", dialler=L2tpIpsecClient)
    run.step("client1 dials by plain L2TP")
    plain = L2tpClient(run.lab.node("client1"))
    plain.start()
    run.wait_for("xl2tpd of client1 is ready", plain.ready, deadline_s=10)
    plain.dial()
    run.observe(DIAL_S)
    run.expect("dropped_in", dropped(live.stack.gate(live.active), "in"), at_least(1))

    run.step("nft flush ruleset on all gateways")
    for node in run.lab.gateways:
        node.run("nft", "flush", "ruleset")
    live.wait_answered()
    successor = live.cut_power(live.active)
    run.observe(2)

    run.step(f"{successor.name} loses all SAs and policies")
    live.client.stop_traffic()
    for what in ("state", "policy"):
        successor.run("ip", "xfrm", what, "flush")
    run.lab.node("server").run("ping", "-c", "10", "-i", "0.2", "-W", "1",
                               live.client.dialled()[-1].local, check=False)
    run.expect("dropped_out", dropped(live.stack.gate(successor), "out"), at_least(1))
    run.expect("client1_is_up", plain.up(), equals(False))

    seen = live.measure()
    run.expect("home1_tcp_intact", seen.client("home1").tcp_intact, is_true())
    run.expect("sent_in_clear", l2tp_sent(run.sent_outside(), L2TP.vip_outside), equals(0))


def dropped(gate: dict, direction: str) -> int:
    """IP packets that the gate has dropped because they were clear text."""
    return gate["drops"][direction]["cleartext"]["ip"]
