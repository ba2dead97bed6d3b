# SPDX-License-Identifier: GPL-2.0-or-later
"""Two hundred WireGuard clients are found again at once.

Purpose: the next gateway shakes hands with all of them, those with recent traffic first.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 shakes hands and makes traffic; client2 has two hundred devices, each of which shakes
hands. The power of the promoted gateway is cut.

Expected: each of the two hundred has answered a handshake of the next gateway, the last one at most
5 s after the first one; the server answers through each. client1 sees a silence of at most
TAKEOVER_MS and nothing else.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.product.wireguard.crowd import WireguardCrowd
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import RESPONSE, begin_wireguard, messages

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
CLIENTS = 200
UP_LIMIT_S, PROTECTED_LIMIT_S, OBSERVED_S = 60, 30, 10
ANSWERED_S = 5


def steps(run: Run) -> None:
    run.step(f"client2 makes {CLIENTS} keys")
    node = run.lab.node("client2")
    crowd = WireguardCrowd(node, CLIENTS)
    capture = run.out / "client2-outside.pcap"
    live = begin_wireguard(run, further_peers=crowd.peers())
    run.step(f"client2 shakes hands {CLIENTS} times")
    crowd.dial()
    run.wait_for("all have shaken hands", lambda: crowd.up() == CLIENTS, UP_LIMIT_S)
    live.stack.wait_protected(CLIENTS + 1, PROTECTED_LIMIT_S)
    run.observe(OBSERVED_S)
    run.lab.capture(node.name, "outside", capture)
    cut_at = run.lab.now()
    live.cut_power(live.active)
    run.observe(OBSERVED_S)
    until = run.lab.now()
    run.expect("answered", crowd.answered(SERVER_ADDRESS), equals(CLIENTS))
    crowd.hang_up()
    seen = live.end()
    answers = [frame for frame in messages([capture], RESPONSE, (cut_at, until), of_gateway=False)]
    run.expect("answered_handshakes", len({frame.ip.sport for frame in answers
                                           if frame.ip is not None}), equals(CLIENTS))
    times = [frame.t for frame in answers] or [cut_at]
    run.expect("last_behind_the_first_s", round(max(times) - min(times), 3), at_most(ANSWERED_S))
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
