# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/kernel, run as root in a node: the adapters that no host kernel without PPP can test."""
from __future__ import annotations

import re
from pathlib import Path

from ..host.errors import NotFound
from ..host.node import Node
from ..host.progress import emit
from ..host.stage import BUILD

PROGRAM = BUILD / "tests" / "kernel" / "kernel_test"
LIMIT_S = 240.0


def run_kernel_tests(node: Node, log: Path) -> tuple[int, int]:
    """Exit code, and how many tests passed. The output goes to `log`."""
    if not PROGRAM.exists():
        raise NotFound("kernel_test is not built: cmake --preset release && "
                       "cmake --build --preset release")
    for own in ("/tmp", "/run"):
        if PROGRAM.is_relative_to(own):
            raise NotFound(f"a node has a {own} of its own and cannot see {PROGRAM}; move the "
                           f"clone to another directory")
    done = node.run(str(PROGRAM), timeout=LIMIT_S, check=False)
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    for line in [*failures(done.stdout), *done.stdout.splitlines()[-3:]]:
        emit(line)
    passed = re.search(r"PASSED  \] (\d+) tests", done.stdout)
    return done.code, int(passed[1]) if passed else 0


def failures(output: str) -> list[str]:
    """GoogleTest's output on each failed expectation: its place, and the lines up to the next."""
    lines: list[str] = []
    inside = False
    for line in output.splitlines():
        inside = ": Failure" in line or (inside and not line.startswith("["))
        if inside and line.strip():
            lines.append(line)
    return lines
