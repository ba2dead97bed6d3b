# SPDX-License-Identifier: GPL-2.0-or-later
"""A WireGuard client moves to another address before a failover, and to a third one during another.

Purpose: where a client is, is a record within a second, so the next gateway finds it. Where it has
moved while no gateway served, nobody knows it: the client begins by itself.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 shakes hands, makes traffic and moves to a second address; the power of the promoted
gateway is cut, and the dead one returns. The power is cut again, and client1 moves to a third
address before another gateway serves.

Expected: a gap of at most a second at the first move and at most TAKEOVER_MS at the first power
cut. At the second one the client has waited for 15 s and its handshake when it is answered again:
20 s at most. TCP continues, and no gateway sends anything to the first address any more.
"""
import ipaddress

from vpnlab.evidence.capture_decode import read_frames
from vpnlab.evidence.expectation import at_most, equals, is_true
from vpnlab.product.ipsec_client import move
from vpnlab.steps.live import Live
from vpnlab.steps.promise import TAKEOVER_MS, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import begin_wireguard

SCENARIO = Scenario(faults=2, vpnha=True)
MOVED_MS, FOUND_MS = 1000, 20_000
OBSERVED_S, FOUND_LIMIT_S = 3, 30
STEP = 40


def steps(run: Run) -> None:
    live = begin_wireguard(run)
    node = live.client.node
    home = ipaddress.ip_address(node.spec.access_address)
    addresses = [str(home + STEP * number) for number in range(3)]

    run.step("client1 moves")
    moved_at = run.lab.now()
    move(node, addresses[0], addresses[1])
    wait_peer(run, live, addresses[1])
    live.wait_answered()
    run.observe(OBSERVED_S)
    left_at = run.lab.now()
    run.observe(1)
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    run.observe(OBSERVED_S)
    served_again_at = run.lab.now()
    live.stack.rejoin(live.active.name)
    live.stack.wait_protected(1)

    active = live.stack.wait_in_sync()
    live.stack.cluster.spare_successors(active)
    lost_at = run.lab.now()
    run.step(f"power cut of {active.name}, and client1 moves while no gateway serves")
    active.power_off()
    move(node, addresses[1], addresses[2])
    live.stack.wait_promoted()
    live.wait_answered(deadline_s=FOUND_LIMIT_S)
    wait_peer(run, live, addresses[2])
    live.stack.wait_protected(1)
    run.observe(OBSERVED_S)
    until = run.lab.now()

    seen = live.end()
    found = seen.client("client1")
    run.expect("gap_at_the_move_ms", worst_gap_ms(found, (moved_at, left_at)), at_most(MOVED_MS))
    run.expect("gap_at_the_power_cut_ms", worst_gap_ms(found, (left_at, served_again_at)),
               at_most(TAKEOVER_MS))
    run.expect("gap_where_it_moved_meanwhile_ms", worst_gap_ms(found, (lost_at, until)),
               at_most(FOUND_MS))
    run.expect("frames_to_the_first_address", sum(
        frame.ip is not None and frame.ip.dst == addresses[0] and frame.t > left_at
        for path in run.sent_outside() for frame in read_frames(path)), equals(0))
    run.expect("tcp_resets", found.tcp_resets, equals(0))
    run.expect("tcp_intact", found.tcp_intact, is_true())


def wait_peer(run: Run, live: Live, address: str) -> None:
    """Every node's record has the client's address."""
    def known() -> bool:
        return all(session["peer"].startswith(f"{address}:")
                   for node in live.stack.cluster.nodes if node.powered()
                   for session in live.stack.sessions(node))
    run.wait_for(f"all nodes know that client1 is at {address}", known, 10)
