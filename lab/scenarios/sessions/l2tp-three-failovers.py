# SPDX-License-Identifier: GPL-2.0-or-later
"""One session outlives three gateways, one after the other.

Purpose: sessions once resumed are replicated again, so that the n-th failover works like the
first; and a node that returns becomes a hot standby of a session it once served.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic throughout. Three times: the power of the promoted gateway
is cut, another one resumes the session, the dead one returns and is in sync again. Each gateway
dies once.

Expected: as in l2tp-power-cut, for each of the three.
"""
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.takeovers import each_gateway_dies_once

SCENARIO = Scenario(faults=3, vpnha=True)


def steps(run: Run) -> None:
    live = begin(run)
    each_gateway_dies_once(run, live, 1)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
