# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's scenarios of twenty takeovers in a row, one for each kind of fencing and place of the
cluster's DC; each takes some minutes."""
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


def measure(folder: Path) -> list[dict]:
    """A line for each takeover; evidence and reports stay in the folder."""
    lines = []
    for fencing, is_dc, scenario in KINDS:
        out = folder / scenario
        out.mkdir(parents=True, exist_ok=True)
        with open(out / "run.log", "w", encoding="utf-8") as log:
            done = subprocess.run([str(ROOT / "lab/lab"), "run", scenario, "--out", str(out)],
                                  stdout=log, stderr=subprocess.STDOUT, check=False)
        print(f"{scenario}: {'passed' if done.returncode == 0 else f'see {out}'}", flush=True)
        found = out / "takeovers.json"
        rounds = json.loads(found.read_text(encoding="utf-8")) if found.exists() else []
        lines += [{"fencing": fencing, "dc": is_dc, "passed": done.returncode == 0, **each}
                  for each in rounds]
    return lines
