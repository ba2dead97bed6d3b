# SPDX-License-Identifier: GPL-2.0-or-later
"""Hot L2TP sessions and ESP SAs in a real kernel: install, numbers, traffic, removal, silence.

Purpose: the adapters that no host kernel without PPP can test: tests/kernel, run as root in a node.

Topology: gw1 alone.

Steps: the test program of the dev preset runs in the node. No fault.

Expected: it ends with 0, and it ran more than a handful of tests.
"""
import re

from vpnlab.evidence.expectation import at_least, equals
from vpnlab.host.errors import NotFound
from vpnlab.host.progress import say
from vpnlab.host.stage import ROOT
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1",))
PROGRAM = ROOT / "build" / "release" / "tests" / "kernel" / "kernel_test"


def steps(run: Run) -> None:
    if not PROGRAM.exists():
        raise NotFound("kernel_test is not built: cmake --preset release && "
                       "cmake --build --preset release")
    for own in ("/tmp", "/run"):
        if PROGRAM.is_relative_to(own):
            raise NotFound(f"a node has a {own} of its own and cannot see {PROGRAM}; move the "
                           f"clone to another directory")
    done = run.lab.gateway("gw1").run(str(PROGRAM), timeout=240, check=False)
    (run.out / "kernel_test.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    for line in done.stdout.splitlines()[-3:]:
        say(line)
    passed = re.search(r"PASSED  \] (\d+) tests", done.stdout)
    run.expect("exit_code", done.code, equals(0))
    run.expect("tests_passed", int(passed[1]) if passed else 0, at_least(10))
