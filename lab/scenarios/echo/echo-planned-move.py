# SPDX-License-Identifier: GPL-2.0-or-later
"""A planned move wastes no number of a protocol that comes with the program.

Purpose: exact counters. The holder shuts its gate, reads the numbers and sends them; its successor
continues with the very next one.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. All gateways run vpnhad-echo.

Steps: client1 dials L2TP, opens a session of echo and asks a hundred times a second; the role is
moved to another gateway, and back. No fault.

Expected: a short silence at each move; no number comes twice, none is skipped.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.steps.echo import begin_with_echo, end_with_echo
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)


def steps(run: Run) -> None:
    live, client = begin_with_echo(run)
    for role_is_right in (lambda name: name != live.active.name,
                          lambda name: name == live.active.name):
        run.step("the role moves")
        live.stack.move_role(role_is_right)
        live.stack.wait_protected(2)
        run.observe(2)
    seen = end_with_echo(run, client, answers=200)
    run.expect("echo_numbers_skipped", seen["skipped"], equals(0))
    expect_only_silence(run, live.end().client("client1"), TAKEOVER_MS)
