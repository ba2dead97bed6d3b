# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of IKEv2 moves to another address, before, after and during a failover.

Purpose: with MOBIKE (RFC 4555) a client keeps its SAs as it moves. charon's ha plugin does not show
that it has moved; the records have its new address all the same, and so have the standbys.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. client1 speaks IKEv2 with MOBIKE.

Steps: client1 dials and makes traffic, and moves to a second address. The power of the promoted
gateway is cut; client1 moves to a third address at its successor; the dead gateway returns. The
power is cut again, and client1 moves to a fourth address before another gateway serves.

Expected: at each move a gap of at most a second, and no gateway sends anything to an address
that client1 has left. The SAs are the same in the end: nothing was set up again, no ESP number was
used twice, the stream is intact.
"""
import functools
import ipaddress
import re

from vpnlab.evidence.capture_decode import read_frames
from vpnlab.evidence.expectation import at_most, equals, is_true
from vpnlab.product.charon import LOG
from vpnlab.product.cluster import Cluster
from vpnlab.product.ipsec_client import MOBILE, Ikev2Client, move
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import TAKEOVER_MS, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
MOVED_MS = 1000
# A client that has had no answer on any path asks again after so long.
REPEATED_MS = 2500
OBSERVED_S = 3
# Behind the client's own one.
MOVES = 3
STEP = 40
ESTABLISHED = re.compile(r"(?:IKE|CHILD)_SA \S+ established")


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0,
                 stack=VpnhaStack(run.lab, Cluster(run.lab), ipsec=True, mobike=True))
    client = live.dial("client1", dialler=functools.partial(Ikev2Client, kind=MOBILE)).node
    run.observe(OBSERVED_S)
    home = ipaddress.ip_address(client.spec.access_address)
    addresses = [str(home + STEP * number) for number in range(MOVES + 1)]
    # When a gateway may not speak to an address any more.
    left: dict[str, float] = {}

    run.step("client1 moves")
    before = moved(run, live, addresses[0], addresses[1])
    left[addresses[0]] = before[1]
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    run.observe(OBSERVED_S)
    run.step("client1 moves at the next gateway")
    after = moved(run, live, addresses[1], addresses[2])
    left[addresses[1]] = after[1]
    live.stack.rejoin(live.active.name)
    live.stack.wait_protected(1)

    active = live.stack.wait_in_sync()
    run.step("client1 moves while no gateway serves")
    live.cut_power(active, lambda: move(client, addresses[2], addresses[3]))
    wait_peer(run, live, addresses[3])
    left[addresses[2]] = run.lab.now()
    live.stack.wait_protected(1)
    run.observe(OBSERVED_S)

    seen = live.end()
    found = seen.client("client1")
    run.expect("gap_before_ms", worst_gap_ms(found, before), at_most(MOVED_MS))
    run.expect("gap_after_ms", worst_gap_ms(found, after), at_most(MOVED_MS))
    run.expect("frames_to_old_addresses", stray_frames(run, left), equals(0))
    run.expect("established", len(ESTABLISHED.findall(client.read_log(LOG))), equals(2))
    run.expect("outage_ms", found.outage_ms, at_most(TAKEOVER_MS + REPEATED_MS))
    run.expect("ike_exchanges", found.ike_exchanges, equals(0))
    run.expect("tcp_resets", found.tcp_resets, equals(0))
    run.expect("tcp_intact", found.tcp_intact, is_true())


def moved(run: Run, live: Live, old: str, new: str) -> tuple[float, float]:
    """When it moved, and until when it was observed there."""
    begun_at = run.lab.now()
    move(live.client.node, old, new)
    wait_peer(run, live, new)
    live.wait_answered()
    run.observe(OBSERVED_S)
    until = run.lab.now()
    # What comes next is no part of it.
    run.observe(1)
    return begun_at, until


def wait_peer(run: Run, live: Live, address: str) -> None:
    """Every node's record has the client's address."""
    def known() -> bool:
        return all(session["peer"].startswith(f"{address}:")
                   for node in live.stack.cluster.nodes if node.powered()
                   for session in live.stack.sessions(node))
    run.wait_for(f"all nodes know that client1 is at {address}", known, 10)


def stray_frames(run: Run, left: dict[str, float]) -> int:
    """Sent by gateways to addresses that the client has left, by when it was known to have."""
    return sum(frame.ip is not None and frame.t > left.get(frame.ip.dst, frame.t)
               for path in run.sent_outside() for frame in read_frames(path))
