# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that dials in after a failover is served by the new gateway; both survive the next one.

Purpose: resumed sessions and the stock xl2tpd live side by side on one node, and a session of
either kind is handed on.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the promoted gateway dies; client2 dials into the stock
xl2tpd of its successor and makes traffic; that one dies too.

Expected: client1 sees two short silences, client2 one, and neither anything else.
"""
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=2, vpnha=True)


def steps(run: Run) -> None:
    live = begin(run)
    live.cut_power(live.active)
    live.stack.rejoin(live.active.name)
    successor = live.stack.wait_in_sync()

    run.step(f"client2 dials; {successor.name} serves it beside the resumed session")
    live.dial("client2")
    run.observe(2)
    live.cut_power(successor)
    live.stack.wait_protected(2)
    run.observe(3)

    seen = live.end()
    for name in ("client1", "client2"):
        expect_only_silence(run, seen.client(name), TAKEOVER_MS)
