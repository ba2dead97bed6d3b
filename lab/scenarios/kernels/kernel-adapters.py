# SPDX-License-Identifier: GPL-2.0-or-later
"""Hot L2TP sessions and ESP SAs in a real kernel: install, numbers, traffic, removal, silence.

Purpose: the adapters that no host kernel without PPP can test: tests/kernel, run as root in a node.

Topology: gw1 alone.

Steps: the test program of the dev preset runs in the node. No fault.

Expected: it ends with 0, and it ran more than a handful of tests.
"""
from vpnlab.evidence.expectation import at_least, equals
from vpnlab.product.kernel_tests import run_kernel_tests
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1",))


def steps(run: Run) -> None:
    code, passed = run_kernel_tests(run.lab.gateway("gw1"), run.out / "kernel_test.log")
    run.expect("exit_code", code, equals(0))
    run.expect("tests_passed", passed, at_least(10))
