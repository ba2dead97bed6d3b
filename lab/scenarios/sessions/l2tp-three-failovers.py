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
from vpnlab.evidence.expectation import equals
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=3, vpnha=True)


def steps(run: Run) -> None:
    live = begin(run)
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
