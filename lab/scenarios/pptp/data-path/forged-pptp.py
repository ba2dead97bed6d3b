# SPDX-License-Identifier: GPL-2.0-or-later
"""Forged GRE and TCP of a PPTP call end nothing, at a stock gateway, at the next one, and after.

Purpose: whoever knows a client's address may guess its call's id and send with that address. What
vpnhad records of a stock call, and what a resumed call takes, must show where it comes from.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of
xl2tpd.

Steps: client1 dials with MPPE-128, pings the server and streams TCP to it. client2 sends with
client1's address, and the call's id: GRE with numbers far ahead, RST, FIN, SYN and
Call-Clear-Request with random ones. The power of the promoted gateway is cut. client2 sends the
same to the resumed call, also while the power of its gateway is cut.

Expected: no gap while client2 sends, longer than a forger's packets take; the call is protected
all the time, and continues at the second and the third gateway, as in pptp-power-cut. The second
one has counted the forged packets.
"""
import contextlib
import dataclasses
import json
from collections.abc import Iterator

from vpnlab.evidence.capture_invariants import cleartext_pptp, pptp_hang_ups
from vpnlab.evidence.expectation import at_least, at_most, equals, is_empty
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.steps.live import Live
from vpnlab.steps.pptp_live import begin_pptp
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=2, vpnha=True)
SECONDS, CUT_AFTER_S = 8, 3
SENT_MIN = 1_000
GAP_MS = 500.0
LOG = "/var/log/forged-pptp.log"


@contextlib.contextmanager
def forging(run: Run, live: Live, name: str, seconds: float) -> Iterator[None]:
    """client2 sends meanwhile; returns when it has ended."""
    session, = live.stack.sessions(live.stack.wait_promoted())
    address, port = session["peer"].split(":")
    forger = run.lab.node("client2")
    sending = forger.start_tool("hostile/forged_pptp.py", "stock" if name == "stock" else "all",
                                L2TP.vip_outside, address, port, str(session["call"]),
                                str(seconds), output=LOG)
    yield
    sending.wait(seconds + 10)
    sent = json.loads((forger.read(LOG) or "").splitlines()[-1])
    run.expect(f"{name}_sent", sent["packets"], at_least(SENT_MIN))


def steps(run: Run) -> None:
    live = begin_pptp(run)
    stack = live.stack
    calm = {}
    for name in ("stock", "resumed"):
        run.step(f"client2 sends forged packets to the {name} call")
        begun = run.lab.now()
        with forging(run, live, name, SECONDS):
            run.observe(SECONDS)
        calm[name] = begun, run.lab.now()
        active = stack.wait_promoted()
        stack.wait_protected(1)
        if name == "resumed":
            break
        live.cut_power(active)
        stack.rejoin(active.name)
        stack.wait_protected(1)
        run.observe(2)
    counters = stack.node_status(active)["counters"]
    run.expect("forged_were_dropped", counters["pptp_duplicates"], at_least(SENT_MIN // 10))
    run.step("they continue while the power is cut")
    begun = run.lab.now()
    with forging(run, live, "cut", SECONDS):
        run.observe(CUT_AFTER_S)
        live.cut_power(active)
        run.observe(SECONDS - CUT_AFTER_S)
    until = run.lab.now()
    stack.wait_protected(1)
    seen = live.end()
    client = seen.client("client1")
    for name, span in calm.items():
        run.expect(f"{name}_gap_ms", worst_gap_ms(client, span), at_most(GAP_MS))
    run.expect("promotions", len(seen.owners), equals(3))
    # While no gateway has the VIP the switch floods the forged frames, and client1's capture has
    # them: of each round one Call-Clear-Request, one CCP Reset-Request, two RST.
    rounds = client.ccp_exchanges
    assert rounds is not None, "client1 speaks PPTP"
    run.expect("captured_call_clears", client.pptp_setups, equals(rounds))
    run.expect("captured_resets", client.tcp_resets, equals(2 * rounds))
    victim = dataclasses.replace(client, ccp_exchanges=0, pptp_setups=0, tcp_resets=0)
    expect_only_silence(run, victim, TAKEOVER_MS)
    outside = live.clients[0].files.outside
    run.expect("hung_up_by", pptp_hang_ups(outside, L2TP.vip_outside, (begun, until)), is_empty())
    run.expect("in_the_clear", cleartext_pptp(outside, L2TP.vip_outside), equals(0))
