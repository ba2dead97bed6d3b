# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node is rebooted in good order; the sessions move as if by a switchover.

Purpose: `reboot` is what an administrator types without a thought. Pacemaker's shutdown demotes the
node, which serves on, draining, until its successor's claim.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; Pacemaker and Corosync of the promoted node are ended, and
then its machine; it comes back.

Expected: a silence of at most 500 ms and nothing else; never two owners; nobody is fenced; the node
is a standby in sync after its boot.
"""
from vpnlab.evidence.expectation import is_empty
from vpnlab.host.power import power_events
from vpnlab.steps.live import begin
from vpnlab.steps.promise import expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
OUTAGE_MS = 500


def steps(run: Run) -> None:
    live = begin(run)
    first = live.active
    run.step(f"{first.name}, which is promoted, shuts down")
    live.stack.cluster.leave(first)
    live.wait_answered()
    first.power_off()
    run.observe(2)
    run.expect("fenced", [event.node for event in power_events(run.lab)
                          if event.action == "off"], is_empty())
    run.step(f"{first.name} boots")
    live.stack.rejoin(first.name)
    live.stack.wait_protected(1)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
