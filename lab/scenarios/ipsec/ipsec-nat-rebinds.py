# SPDX-License-Identifier: GPL-2.0-or-later
"""The NAT of an L2TP/IPsec client gives it another port, before, during and after a failover.

Purpose: the port that the records have is old then. charon learns the new one from the client's
next packet, on whatever node serves.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: home1 dials and makes traffic; nat1 gives it another port. The power of the promoted gateway
is cut, and nat1 gives it a third one before another gateway serves; a fourth one then.

Expected: a gap of at most half a second at each new port, one silence of at most 1 s, and nothing
else.
"""
from vpnlab.evidence.capture_decode import read_frames
from vpnlab.evidence.expectation import at_least, at_most, equals
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.product.sites.home import rebind, start_nat
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", "nat1", "home1"), faults=1, vpnha=True)
REBOUND_MS = 500
OBSERVED_S = 3
PORTS = (40000, 42000, 44000)


def steps(run: Run) -> None:
    start_nat(run.lab)
    live = begin(run, clients=(), observe_s=0, ipsec=True)
    live.dial("home1", dialler=L2tpIpsecClient)
    run.observe(OBSERVED_S)
    before = new_port(run, PORTS[0])

    live.stack.cluster.spare_successors(live.active)
    run.step(f"power cut of {live.active.name}, which is promoted")
    live.active.power_off()
    run.step("nat1 gives home1 another port meanwhile")
    rebind(run.lab, PORTS[1])
    live.stack.wait_promoted()
    live.wait_answered()
    live.stack.wait_protected(1)
    run.observe(OBSERVED_S)
    after = new_port(run, PORTS[2])
    live.stack.rejoin(live.active.name)
    live.stack.wait_protected(1)

    seen = live.end()
    found = seen.client("home1")
    run.expect("gap_before_ms", worst_gap_ms(found, before), at_most(REBOUND_MS))
    run.expect("gap_after_ms", worst_gap_ms(found, after), at_most(REBOUND_MS))
    run.expect("served_by", len({owner.node for owner in seen.owners}), at_least(2))
    run.expect("ports", ports_spoken_to(run, live.client.node.spec.public_address),
               equals(list(PORTS)))
    expect_only_silence(run, found, TAKEOVER_MS)


def new_port(run: Run, first_port: int) -> tuple[float, float]:
    run.step("nat1 gives home1 another port")
    rebound_at = run.lab.now()
    rebind(run.lab, first_port)
    run.observe(OBSERVED_S)
    until = run.lab.now()
    # What comes next is no part of it.
    run.observe(1)
    return rebound_at, until


def ports_spoken_to(run: Run, public_address: str) -> list[int]:
    """Of PORTS, behind which a port was of a thousand that gateways have sent to."""
    spoken_to = {frame.ip.dport for path in run.sent_outside() for frame in read_frames(path)
                 if frame.ip is not None and frame.ip.dst == public_address}
    return [first for first in PORTS if spoken_to & set(range(first, first + 1000))]
