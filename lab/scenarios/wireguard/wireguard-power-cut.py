# SPDX-License-Identifier: GPL-2.0-or-later
"""A WireGuard client behind a NAT keeps its connections through the power cut of its gateway.

Purpose: the kernel gives out no key of a session, so the next gateway makes new ones: it shakes
hands with the client as soon as its gate is open. Otherwise the client would notice after 15 s.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: vpnha serves WireGuard, beside L2TP, on a gateway that is not the cluster's DC; home1 has a
stock `wg`, pings the server and streams TCP to it; the power of the promoted gateway is cut under
that traffic.

Expected: within 0.6 s another gateway answers; no login, no TCP reset, the same interface; the
stream is intact. No gateway begins a handshake before the cut, and the successor does behind it.
"""
from vpnlab.evidence.expectation import at_least, equals
from vpnlab.steps.live import off_dc
from vpnlab.steps.promise import POWER_CUT_MS, WAITING_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import begin_wireguard, initiations

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", "nat1", "home1"), faults=1, vpnha=True)
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    live = begin_wireguard(run, off_dc, clients=("home1",))
    cut_at = run.lab.now()
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    run.observe(AFTERWARDS_S)
    until = run.lab.now()
    seen = live.end()
    run.expect("served_by", len({owner.node for owner in seen.owners}), at_least(2))
    expect_only_silence(run, seen.client("home1"), WAITING_MS if run.waiting else POWER_CUT_MS)
    run.expect("handshakes_begun_before", initiations(run.sent_outside(), (0, cut_at)), equals(0))
    run.expect("handshakes_begun_after", initiations(run.sent_outside(), (cut_at, until)),
               at_least(1))
