# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds and runs Spin's verifier for lease.pml, within limits of memory and time."""
from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SPECIFICATION = Path(__file__).resolve().parent / "lease.pml"
MEMORY_MB = 6000
DEPTH_MAX = 2_000_000
# Every run has all of these.
BOUNDS = {"NODES": 3, "OLD_ROUNDS": "false", "CLAIMS": 2, "STAND_INS": 0, "MOVES": 0, "CRASHES": 0,
          "FREEZES": 0}
# Stores states compressed and not hashed: no state is taken for another one.
COMPILER = ["gcc", "-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-DCOLLAPSE", "-DVECTORSZ=256",
            f"-DMEMLIM={MEMORY_MB}"]
# The assertion behind the last event of a trace: there is a behaviour that has them all.
TRACE_ENDS = "the trace ends"
# What the text of a failed assertion has, by the invariant's name. The first one that fits counts.
INVARIANTS = (("one claim", "claims["), ("one number", ".learned"), ("epochs grow", ">=top"),
              ("an order holds", "ordered"), ("undisturbed", "d[i].gate"),
              (TRACE_ENDS, "at[0]"), ("one owner", "d[1]."), ("one owner", "d[2]."),
              ("clean handover", "d[n].gate"))


class PanError(Exception):
    """Spin or the compiler is missing, or refuses the specification."""


@dataclass(frozen=True)
class Outcome:
    states: int
    depth: int
    seconds: float
    # The name of the invariant that is broken; "" when all hold; "not exhausted" at a limit.
    broken: str

    @property
    def result(self) -> str:
        return self.broken if self.broken in ("", "not exhausted") else f"BROKEN: {self.broken}"


def need_tools() -> None:
    for tool, package in (("spin", "spin"), ("gcc", "gcc")):
        if shutil.which(tool) is None:
            raise PanError(f"{tool} is missing: install Debian's package {package} "
                           "(setup/install does)")


def run(folder: Path, text: str, options: Mapping[str, object], seconds: float) -> Outcome:
    """`text`: of the specification; `options`: its macros, beside the bounds."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SPECIFICATION.name).write_text(text, encoding="utf-8")
    macros = [f"-D{name}={value}" for name, value in {**BOUNDS, **options}.items()]
    _call(folder, ["spin", "-a", *macros, SPECIFICATION.name])
    _call(folder, [*COMPILER, "-o", "pan", "pan.c"])
    began = time.monotonic()
    try:
        ended = subprocess.run([folder / "pan", f"-m{DEPTH_MAX}", "-w22", "-E"], cwd=folder,
                               capture_output=True, text=True, check=False, timeout=seconds).stdout
    except subprocess.TimeoutExpired:
        return Outcome(0, 0, time.monotonic() - began, "not exhausted")
    return outcome(ended, time.monotonic() - began)


def _call(folder: Path, argv: list[str]) -> None:
    called = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if called.returncode != 0:
        raise PanError(f"{' '.join(argv)}:\n{called.stdout}{called.stderr}")


def outcome(ended: str, seconds: float) -> Outcome:
    states = re.search(r"(\d+) states, stored", ended)
    depth = re.search(r"depth reached (\d+)", ended)
    broken = ""
    failed = re.search(r"assertion violated (.*) \(at depth", ended)
    if failed:
        broken = next((name for name, sign in INVARIANTS if sign in failed[1]), failed[1])
    elif not states or "errors: 0" not in ended or re.search(
            r"max search depth too small|reached -DMEMLIM|out of memory", ended):
        broken = "not exhausted"
    return Outcome(int(states[1]) if states else 0, int(depth[1]) if depth else 0, seconds, broken)
