# SPDX-License-Identifier: GPL-2.0-or-later
"""Which runs of the lab make a round, without a lab."""
from __future__ import annotations

import json

from vpnbench import comparisons
from vpnlab.steps.rivals.faults import FAULTS, FILE


def test_a_round_has_each_fault_of_each_rival(tmp_path, monkeypatch):
    ran = []

    def run(scenario, out, *options):
        ran.append((scenario, options))
        out.mkdir(parents=True)
        # One of them ends before it has figures.
        if scenario == "compare-keepalived":
            return False
        fault = FAULTS[int(options[1]) % len(FAULTS)].name
        (out / FILE).write_text(json.dumps({"fault": fault}), encoding="utf-8")
        return True

    monkeypatch.setattr(comparisons, "run_scenario", run)
    lines = comparisons.measure(tmp_path, 2)
    assert len(ran) == len(set(ran)) == 2 * len(FAULTS) * len(comparisons.RIVALS)
    assert {each[0] for each in ran} == {scenario for _, scenario in comparisons.RIVALS}
    assert all(options[0] == "--seed" for _, options in ran)
    counts = {(line["rival"], line["fault"]): 0 for line in lines}
    assert len(counts) == len(FAULTS) * (len(comparisons.RIVALS) - 1)
    assert len(lines) == 2 * len(counts)
