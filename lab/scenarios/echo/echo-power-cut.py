# SPDX-License-Identifier: GPL-2.0-or-later
"""A session of a protocol that comes with the program outlives the power cut of its gateway.

Purpose: the seam. echo, the toy protocol of CONTRIBUTING.md, has a table in vpnha.toml, a secret
and numbers that nobody may use twice; two lines of it are in libvpnha, its records.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. All gateways run vpnhad-echo.

Steps: client1 dials L2TP, opens a session of echo and asks a hundred times a second; the power of
the promoted gateway is cut.

Expected: within 0.6 s another gateway answers in the same session, with the same secret; no number
comes twice.
"""
from vpnlab.evidence.expectation import at_most
from vpnlab.steps.echo import begin_with_echo, end_with_echo
from vpnlab.steps.promise import POWER_CUT_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    live, client = begin_with_echo(run)
    live.cut_power(live.active)
    live.stack.wait_protected(2)
    run.observe(2)
    seen = end_with_echo(run, client, answers=200)
    run.expect("echo_outage_ms", seen["gap_ms"], at_most(POWER_CUT_MS))
    expect_only_silence(run, live.end().client("client1"), POWER_CUT_MS)
