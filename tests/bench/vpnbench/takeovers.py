# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's scenarios of the same fault again and again; each takes some minutes. Twenty takeovers
in a row, one for each kind of fencing and place of the cluster's DC; and faults in turns with a
standby that stands in, and without.
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


def measure(folder: Path) -> list[dict]:
    """A line for each takeover; evidence and reports stay in the folder."""
    return [{"fencing": fencing, "dc": is_dc, **each} for fencing, is_dc, scenario in KINDS
            for each in _run(scenario, folder / scenario, "takeovers.json")]


def measure_standing_in(folder: Path) -> list[dict]:
    """A line for each fault."""
    return [{"fault": fault, **each} for fault, scenario in FAULTS
            for each in _run(scenario, folder / scenario, "standing-in.json")]


def _run(scenario: str, out: Path, file: str) -> list[dict]:
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "run.log", "w", encoding="utf-8") as log:
        done = subprocess.run([str(ROOT / "lab/lab"), "run", scenario, "--out", str(out)],
                              stdout=log, stderr=subprocess.STDOUT, check=False)
    print(f"{scenario}: {'passed' if done.returncode == 0 else f'see {out}'}", flush=True)
    found = out / file
    rounds = json.loads(found.read_text(encoding="utf-8")) if found.exists() else []
    return [{"passed": done.returncode == 0, **each} for each in rounds]
