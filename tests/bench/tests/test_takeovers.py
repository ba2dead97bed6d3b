# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of the lab as parts, and what is built for a part, without a lab."""
from __future__ import annotations

import json

from vpnbench import cli, takeovers


def test_the_figures_of_rates_are_kept_with_the_verdict(tmp_path, monkeypatch):
    def run(scenario, out, *_options):
        (out / f"{scenario}.json").write_text(json.dumps([{"limit": "none"}]), encoding="utf-8")
        return False

    monkeypatch.setattr(takeovers, "run_scenario", run)
    assert cli.IN_THE_LAB["rates"](tmp_path) == [{"passed": False, "limit": "none"}]


def test_a_part_has_its_programs_built():
    assert cli._targets(["rates"]) == ["rates_bench"]
    assert cli._targets(["fresh", "records"]) == ["fresh_bench", "group_bench", "record_bench"]
    assert cli._targets(["throughput"]) == []
