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
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.takeovers import each_gateway_dies_once
from vpnlab.steps.wireguard.live import begin_wireguard

SCENARIO = Scenario(faults=3, vpnha=True)


def steps(run: Run) -> None:
    live = begin_wireguard(run)
    each_gateway_dies_once(run, live, 1)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
