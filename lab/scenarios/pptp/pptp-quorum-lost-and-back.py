# SPDX-License-Identifier: GPL-2.0-or-later
"""Two of three nodes die under a PPTP session; the promoted one falls silent, and continues later.

Purpose: while the gate is shut the client continues sending, and the promoted node takes nothing.
What stock pptpd has sent in vain has used numbers of TCP, GRE and MPPE. A call that vpnhad carries
may have lost more of its client's packets than an MPPE packet's 12 bits can show: half a circle of
them is 2 048. When votes come back the node continues by itself.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials with MPPE-128 and makes traffic; the power of both standbys is cut; for five
seconds pings stay unanswered; the standbys come back, one after the other. Then the power of the
promoted node is cut, and another one continues with the call. Once more both standbys of it die and
come back; in the five seconds of silence the client sends about 5 000 packets.

Expected: the promoted node is silent within 400 ms. When a voter is back the same call continues at
the same node, and nobody was promoted: no RST, FIN or ICMP, no negotiation, nothing in the clear,
the TCP stream is intact. No number of GRE and no index of MPPE is used twice.
"""
from collections.abc import Callable

from vpnlab.evidence.capture_invariants import cleartext_pptp, pptp_hang_ups
from vpnlab.evidence.expectation import at_least, at_most, equals, is_empty
from vpnlab.host.node import Node
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import Live
from vpnlab.steps.partition import SILENT_MS
from vpnlab.steps.pptp_live import begin_pptp
from vpnlab.steps.promise import expect_nothing_else
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=5, vpnha=True)
SILENCE_S = 5
PER_SECOND = 1_000
# Half a circle of the coherency count, and half as much again.
SENT_MIN = 3_072


def steps(run: Run) -> None:
    live = begin_pptp(run)
    stock_alone_at = fall_silent(run, live, live.active, lambda: run.observe(SILENCE_S))
    successor = live.cut_power(live.active)
    live.stack.rejoin(live.active.name)
    live.stack.wait_protected(1)
    resumed_alone_at = fall_silent(run, live, successor, lambda: send_in_vain(run, live))
    until = run.lab.now()
    seen = live.end()
    for alone_at in (stock_alone_at, resumed_alone_at):
        spoke_until = max(each.end for each in seen.ownerships if each.start <= alone_at)
        run.expect("silent_after_ms", round((spoke_until - alone_at) * 1000), at_most(SILENT_MS))
    outside, vip = live.client.files.outside, live.client.gateway.vip_outside
    run.expect("client1_hung_up_by", pptp_hang_ups(outside, vip, (stock_alone_at, until)),
               is_empty())
    run.expect("client1_in_the_clear", cleartext_pptp(outside, vip), equals(0))
    expect_nothing_else(run, seen.client("client1"))


def fall_silent(run: Run, live: Live, active: Node, meanwhile: Callable[[], None]) -> float:
    """Both other nodes die and, after `meanwhile`, come back. Returns when they died."""
    promotions = live.stack.promotions()
    first, second = (node for node in live.stack.cluster.nodes if node is not active)
    run.step(f"both standbys die; {active.name} is left alone")
    first.power_off()
    second.power_off()
    alone_at = run.lab.now()
    meanwhile()
    run.step(f"{first.name} is switched on again")
    live.stack.join(first.name)
    live.wait_answered()
    run.step(f"and {second.name}")
    live.stack.rejoin(second.name)
    live.stack.wait_protected(1)
    run.observe(2)
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    return alone_at


def send_in_vain(run: Run, live: Live) -> None:
    node, dialled = live.client.node, live.client.dialled()[-1]
    run.step(f"client1 sends {PER_SECOND} packets/s")
    # pppd's interfaces queue three.
    node.run("ip", "link", "set", dialled.interface, "txqueuelen", str(PER_SECOND))
    before = packets_sent(node, dialled.interface)
    node.run_tool("hostile/flood.py", "junk", SERVER_ADDRESS, f"{dialled.local}/32",
                  str(PER_SECOND), str(SILENCE_S))
    run.expect("sent_in_vain", packets_sent(node, dialled.interface) - before, at_least(SENT_MIN))


def packets_sent(node: Node, interface: str) -> int:
    sent = node.read(f"/sys/class/net/{interface}/statistics/tx_packets")
    assert sent is not None, f"{node.name} has no {interface}"
    return int(sent)
