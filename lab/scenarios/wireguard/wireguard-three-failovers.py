# SPDX-License-Identifier: GPL-2.0-or-later
"""A WireGuard client outlives three gateways, one after the other.

Purpose: each gateway makes a session of its own with the client, and its records lead the next one
to it. A node that returns adds its peers anew, so that the kernel's pause of 5 s between two tries
holds nothing up.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 shakes hands and makes traffic throughout. Three times: the power of the promoted
gateway is cut, another one serves, the dead one returns and is in sync again. Each gateway dies
once.

Expected: as in wireguard-power-cut, for each of the three.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import begin_wireguard

SCENARIO = Scenario(faults=3, vpnha=True)


def steps(run: Run) -> None:
    live = begin_wireguard(run)
    stack = live.stack
    victims: list[str] = []
    for number in range(3):
        active = stack.wait_in_sync()
        victims.append(active.name)
        # Who has died already would be as good a successor; but each gateway is to die once.
        stack.avoid(victims[:-1] if number == 1 else [])
        live.cut_power(active)
        stack.avoid([])
        stack.rejoin(active.name)
        stack.wait_protected(1)
        run.observe(2)
    seen = live.end()
    run.expect("each_gateway_died_once", sorted(victims), equals(["gw1", "gw2", "gw3"]))
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
