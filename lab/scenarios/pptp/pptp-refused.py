# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP call that the successor could not prepare ends at once; its client dials again.

Purpose: what cannot be kept is reported, also where the node has no socket of the call that could
carry the word: it makes the client ask, and its kernel answers with a RST.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.
The standbys have no /dev/net/tun. The client redials by itself.

Steps: client1 dials; the power of the promoted gateway is cut.

Expected: the call is unprotected on the promoted node and quarantined on the standbys, with the
reason. The successor ends the control connection by a RST, once, and sends nothing else. The client
has a new call within 10 s of the power cut. Nothing is left of the old one.
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
DEVICE = "/dev/net/tun"
ENDS = ("RST", "FIN", "ICMP error", "LCP code 5")


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), pptp=True))
    for node in live.standbys:
        node.run("mv", DEVICE, f"{DEVICE}.away")
    dialler = RedialingDialler(run.lab.node("client1"))
    dialler.start()
    wire = run.lab.capture("client1", "outside", run.out / "client1-wire.pcap")
    span = redial_over_power_cut(run, live, dialler, DEVICE, "quarantined")
    wire.stop()
    sent = [each.partition(": ")[2] for each in pptp_hang_ups(wire.path, VIP_OUTSIDE, span)]
    run.expect("sent", [each for each in sent if each in ENDS], equals(["RST"]))
    for node in live.standbys:
        node.run("mv", f"{DEVICE}.away", DEVICE)
    hang_up(run, live, dialler)
