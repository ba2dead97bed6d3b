# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha beside what one would take instead: each fault in a lab of its own, an hour a round."""
from __future__ import annotations

import json
from pathlib import Path

from vpnlab.steps.rivals.faults import FAULTS, FILE

from .takeovers import run_scenario

# Name, scenario.
RIVALS = (
    ("vpnha, three nodes", "compare-vpnha"),
    ("Pacemaker, IPaddr2, stock daemons, three nodes", "compare-pacemaker"),
    ("strongSwan's ha plugin, two nodes and one for quorum", "compare-ha-plugin"),
    ("keepalived, conntrackd, stock daemons, two nodes", "compare-keepalived"),
)


def measure(folder: Path, rounds: int) -> list[dict]:
    """A line for each fault, in turns."""
    return [{"rival": rival, **each} for number in range(rounds)
            for seed in range(number * len(FAULTS), (number + 1) * len(FAULTS))
            for rival, scenario in RIVALS
            for each in _figures(scenario, folder / f"{scenario}.{seed}", seed)]


def _figures(scenario: str, out: Path, seed: int) -> list[dict]:
    passed = run_scenario(scenario, out, "--seed", str(seed))
    file = out / FILE
    return [{"passed": passed, **json.loads(file.read_text(encoding="utf-8"))}] if (
        file.exists()) else []
