# SPDX-License-Identifier: GPL-2.0-or-later
"""Two of three nodes die under a PPTP session; the promoted one falls silent, and goes on later.

Purpose: the promoted node's stock pptpd lives while the gate is shut, and speaks to nobody. What it
sent in vain has used numbers of TCP, GRE and MPPE. When votes come back it goes on by itself.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials with MPPE-128 and makes traffic; the power of both standbys is cut; for five
seconds pings stay unanswered; the standbys come back, one after the other.

Expected: the promoted node is silent within 400 ms. When a voter is back the same call goes on at
the same node, and nobody was promoted: no RST, FIN or ICMP, no negotiation, nothing in the clear,
the TCP stream is intact. No number of GRE and no index of MPPE is used twice.
"""
from vpnlab.evidence.capture_invariants import cleartext_pptp, pptp_hang_ups
from vpnlab.evidence.expectation import at_most, equals, is_empty
from vpnlab.steps.partition import SILENT_MS
from vpnlab.steps.pptp_live import begin_pptp
from vpnlab.steps.promise import expect_nothing_else
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
SILENCE_S = 5


def steps(run: Run) -> None:
    live = begin_pptp(run)
    promotions = live.stack.promotions()
    run.step(f"both standbys die; {live.active.name} is left alone")
    for node in live.standbys:
        node.power_off()
    alone_at = run.lab.now()
    run.observe(SILENCE_S)
    first, second = live.standbys
    run.step(f"{first.name} is switched on again")
    live.stack.join(first.name)
    live.wait_answered()
    run.step(f"and {second.name}")
    live.stack.rejoin(second.name)
    live.stack.wait_protected(1)
    run.observe(2)
    until = run.lab.now()
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    seen = live.end()
    spoke_until = max(each.end for each in seen.ownerships if each.start <= alone_at)
    run.expect("silent_after_ms", round((spoke_until - alone_at) * 1000), at_most(SILENT_MS))
    outside, vip = live.client.files.outside, live.client.gateway.vip_outside
    run.expect("client1_hung_up_by", pptp_hang_ups(outside, vip, (alone_at, until)), is_empty())
    run.expect("client1_in_the_clear", cleartext_pptp(outside, vip), equals(0))
    expect_nothing_else(run, seen.client("client1"))
