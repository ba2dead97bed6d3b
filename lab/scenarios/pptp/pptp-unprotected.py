# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP call that no other node can resume ends at once with its node; its client dials again.

Purpose: what cannot be kept is reported. Where pppd authenticates its client again and again,
nobody else can do that, so the call ends with its node. A client that receives nothing dials again
when its LCP echoes are unanswered, half a minute and more later.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.
The gateways' pppds have chap-interval. The client has MPPE-128, and redials by itself.

Steps: client1 dials; the power of the promoted gateway is cut.

Expected: the call is shown as unprotected on every node, with the reason. The successor
sends its client PPP's Terminate-Request, once, and then the end of the control connection. The
client has a new call within 10 s of the power cut. Nothing is left of the old one.
"""
from vpnlab.evidence.capture_invariants import pptp_hang_ups
from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import VIP_OUTSIDE
from vpnlab.product.cluster import Cluster
from vpnlab.product.pptp_client import RedialingDialler
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.unprotected import hang_up, redial_over_power_cut

SCENARIO = Scenario(faults=1, vpnha=True)
# RFC 1661 5.5.
TERMINATE_REQUEST, FIN = "LCP code 5", "FIN"


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), pptp=True, ppp=["chap-interval 600"]))
    dialler = RedialingDialler(run.lab.node("client1"))
    dialler.start()
    wire = run.lab.capture("client1", "outside", run.out / "client1-wire.pcap")
    span = redial_over_power_cut(run, live, dialler, "chap-interval")
    wire.stop()
    sent = [each.partition(": ")[2] for each in pptp_hang_ups(wire.path, VIP_OUTSIDE, span)]
    run.expect("sent_in_order", [each for each in sent if each in (TERMINATE_REQUEST, FIN)],
               equals([TERMINATE_REQUEST, FIN]))
    hang_up(run, live, dialler)
