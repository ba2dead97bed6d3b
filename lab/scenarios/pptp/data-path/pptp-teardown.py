# SPDX-License-Identifier: GPL-2.0-or-later
"""PPTP sessions end from both sides, before a failover and after it, and nothing is left of them.

Purpose: the gate keeps back each FIN and RST that nobody means, so that a dying pptpd ends no call.
An end that is meant has to pass: otherwise a client waits for its echoes to fail.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of
xl2tpd; a session whose client is silent for 6 s is ended.

Steps: both dial with MPPE-128 and make traffic. On the promoted node the pppd of client2's session
is ended; client2 dials again, hangs up, dials again. The power of the promoted gateway is cut.
client1 hangs up; client2 loses its power.

Expected: client2 is notified of the end of its first session, by LCP and by a FIN, within 3 s.
After each hang-up no node knows the session. The same after the failover: of client1's session at
once, of client2's when its echoes have failed. client1 sees the failover as in pptp-power-cut.
"""
import re

from vpnlab.evidence.capture_invariants import pptp_hang_ups
from vpnlab.evidence.expectation import is_empty
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.steps.live import LEFTOVERS_LIMIT_S
from vpnlab.steps.pptp_live import begin_pptp
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=2, vpnha=True)
ECHOES = ("lcp-echo-interval 2", "lcp-echo-failure 3")
NOTICE_LIMIT_S = 3
SILENT_LIMIT_S = 15


def steps(run: Run) -> None:
    live = begin_pptp(run, clients=("client1", "client2"), ppp=ECHOES)
    stack, active = live.stack, live.active
    first, second = live.clients
    second.stop_traffic()
    run.step(f"the pppd of client2's session ends at {active.name}")
    ended_at = run.lab.now()
    active.run("pkill", "-TERM", "-f", f"pppd .*ipparam {second.node.spec.address('outside')}")
    run.wait_for("client2's session has ended", second.gone, NOTICE_LIMIT_S)
    stack.wait_protected(1)
    span = (ended_at, run.lab.now())
    run.step("client2 dials, hangs up, dials")
    second.dial()
    stack.wait_protected(2)
    second.hang_up()
    stack.wait_protected(1)
    second.dial()
    stack.wait_protected(2)

    live.cut_power(active)
    stack.wait_protected(2)
    run.observe(2)
    run.step("client1 hangs up")
    first.stop_traffic()
    first.hang_up()
    stack.wait_protected(1)
    run.step("client2 loses its power")
    second.node.power_off()
    run.wait_for("no node knows a session", lambda: not any(
        stack.sessions(node) for node in run.lab.gateways if node.powered()), SILENT_LIMIT_S)
    run.expect_nothing_left(run.lab.gateways, stack.leftovers, LEFTOVERS_LIMIT_S)

    seen = live.measure()
    words = pptp_hang_ups(second.files.outside, second.gateway.vip_outside, span)
    # pptpctrl may leave something unread, and then adds a RST.
    run.expect("not_notified", sorted({"FIN", "LCP code 5"} - {re.sub(r"^.*: ", "", word)
                                                               for word in words}), is_empty())
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
