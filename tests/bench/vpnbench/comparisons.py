# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha beside what one would take instead: each fault in a lab of its own, an hour a round."""
from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vpnlab.steps.rivals.faults import FAULTS, FILE

from . import rounds
from .takeovers import run_scenario

# Name, scenario.
RIVALS = (
    ("vpnha, three nodes", "compare-vpnha"),
    ("Pacemaker, IPaddr2, stock daemons, three nodes", "compare-pacemaker"),
    ("strongSwan's ha plugin, two nodes and one for quorum", "compare-ha-plugin"),
    ("keepalived, conntrackd, stock daemons, two nodes", "compare-keepalived"),
    ("l2tpns's cluster, two nodes", "compare-l2tpns"),
)


class Run(NamedTuple):
    """Of the lab. The seed names the fault, and the round."""

    rival: str
    scenario: str
    seed: int


def plan(count: int) -> Iterator[Run]:
    """So many rounds: each fault to each rival, in turns."""
    for seed in range(count * len(FAULTS)):
        for rival, scenario in RIVALS:
            yield Run(rival, scenario, seed)


def measure(results: Path, part: str, folder: Path, count: int, minutes: float = math.inf,
            add: bool = False) -> None:
    """A line for each fault, kept under `part` as soon as it is there. `minutes`: no run begins
    later. `add`: continue where earlier ones ended; a run without figures is run again."""
    lines = rounds.kept(results).get(part, []) if add else []
    rounds.keep(results, part, lines)
    done = {(line["rival"], line["seed"]) for line in lines}
    left = [run for run in plan(count) if (run.rival, run.seed) not in done]
    end = time.monotonic() + 60 * minutes
    while left and time.monotonic() < end:
        run = left.pop(0)
        lines += _figures(run, folder / f"{run.scenario}.{run.seed}")
        rounds.keep(results, part, lines)
    if left:
        print(f"{part}: {len(left)} runs are left: --only {part} --rounds {count} --add",
              flush=True)


def _figures(run: Run, out: Path) -> list[dict]:
    """Of what an earlier run has left nothing counts. Captures are kept of a failed one alone."""
    shutil.rmtree(out, ignore_errors=True)
    passed = run_scenario(run.scenario, out, "--seed", str(run.seed))
    for path in out.glob("*.pcap") if passed else ():
        path.unlink()
    file = out / FILE
    if not file.exists():
        return []
    return [{"rival": run.rival, "seed": run.seed, "passed": passed,
             **json.loads(file.read_text(encoding="utf-8"))}]
