# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's scenarios of the same fault again and again; each takes some minutes. Twenty takeovers
in a row, one for each kind of fencing and place of the cluster's DC; faults in turns with a standby
that stands in, and without; power cuts of pairs beside three nodes; planned moves whose packets are
held, and are not; what each protocol carries before a takeover and after it; takeovers and
joins of ten to ten thousand sessions; and what the rate of a session costs a packet.
"""
from __future__ import annotations

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Fencing, whether the dead node is the DC, scenario.
KINDS = (
    ("power", False, "takeovers-power"),
    ("power", True, "takeovers-power-dc"),
    ("fence_vpnha, power second", False, "takeovers-fence-vpnha"),
    ("fence_vpnha, power second", True, "takeovers-fence-vpnha-dc"),
)
# What happens to the promoted node, scenario.
FAULTS = (
    ("power cut, not the DC", "standing-in-power-cut"),
    ("power cut, the DC", "standing-in-power-cut-dc"),
    ("vpnhad stopped", "standing-in-daemon-stopped"),
    ("vpnhad killed", "standing-in-daemon-killed"),
    ("planned move", "standing-in-move"),
)
# Voters, scenario; by the expectation that has a power cut's silence, whether the DC died.
PAIR = {"silence_not_dc_ms": False, "silence_dc_ms": True}
VOTERS = (
    ("two nodes", "two-nodes", PAIR),
    ("two nodes and a witness", "witness-power-cut", PAIR),
    ("three nodes", "l2tp-power-cut", {"client1_outage_ms": False}),
    ("three nodes", "l2tp-power-cut-dc", {"client1_outage_ms": True}),
)
# Of L2TP, announced.
SIZES = (10, 100, 1_000, 10_000)
MOVES = (("holds", "planned-move-lossless"), ("cannot hold", "planned-move-cannot-hold"))
# Of these, in turns.
ROUNDS = 3


def measure(folder: Path) -> list[dict]:
    """A line for each takeover; evidence and reports stay in the folder."""
    return [{"fencing": fencing, "dc": is_dc, **each} for fencing, is_dc, scenario in KINDS
            for each in _run(scenario, folder / scenario, "takeovers.json")]


def measure_standing_in(folder: Path) -> list[dict]:
    """A line for each fault."""
    return [{"fault": fault, **each} for fault, scenario in FAULTS
            for each in _run(scenario, folder / scenario, "standing-in.json")]


def measure_pairs(folder: Path) -> list[dict]:
    """A line for each power cut of a promoted node."""
    lines = []
    for number in range(ROUNDS):
        for voters, scenario, cuts in VOTERS:
            out = folder / f"{scenario}.{number}"
            passed = run_scenario(scenario, out)
            result = json.loads((out / "result.json").read_text(encoding="utf-8"))
            lines += [{"voters": voters, "dc": cuts[each["name"]], "passed": passed,
                       "silence_ms": each["observed"]}
                      for each in result["expectations"] if each["name"] in cuts]
    return lines


def measure_moves(folder: Path) -> list[dict]:
    """A line for each planned move under 1 000 datagrams a second each way."""
    return [{"successor": successor, **each} for number in range(ROUNDS)
            for successor, scenario in MOVES
            for each in _run(scenario, folder / f"{scenario}.{number}", "planned-moves.json")]


def measure_throughput(folder: Path) -> list[dict]:
    """A line for each protocol and direction."""
    return _run("throughput", folder, "throughput.json")


def measure_sizes(folder: Path) -> list[dict]:
    """A line for each number of sessions."""
    return [each for size in SIZES
            for each in _run("ten-thousand", folder / str(size), "size.json", "--size", str(size))]


def measure_rates(folder: Path) -> list[dict]:
    """A line for each round, limit, direction and number of sessions with traffic."""
    return _run("rates", folder, "rates.json")


def _run(scenario: str, out: Path, file: str, *options: str) -> list[dict]:
    passed = run_scenario(scenario, out, *options)
    found = out / file
    rounds = json.loads(found.read_text(encoding="utf-8")) if found.exists() else []
    return [{"passed": passed, **each} for each in rounds]


def run_scenario(scenario: str, out: Path, *options: str) -> bool:
    """Whether all was as expected."""
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "run.log", "w", encoding="utf-8") as log:
        done = subprocess.run([str(ROOT / "lab/lab"), "run", scenario, *options,
                               "--out", str(out)],
                              stdout=log, stderr=subprocess.STDOUT, check=False)
    print(f"{scenario}: {'passed' if done.returncode == 0 else f'see {out}'}", flush=True)
    return done.returncode == 0
