# SPDX-License-Identifier: GPL-2.0-or-later
"""Which runs of the lab make a round, without a lab."""
from __future__ import annotations

import itertools
import json

import pytest

from vpnbench import comparisons, rounds
from vpnlab.steps.rivals.faults import FAULTS, FILE

PART = "comparisons"
A_ROUND = len(FAULTS) * len(comparisons.RIVALS)


@pytest.fixture
def ran(monkeypatch):
    """The runs so far. Each takes a minute."""
    found = []

    def run(scenario, out, *options):
        found.append((scenario, options))
        out.mkdir(parents=True)
        (out / "gw1-outside.pcap").write_bytes(b"")
        # One of them ends before it has figures.
        if scenario == "compare-keepalived" and len(found) <= A_ROUND:
            return False
        fault = FAULTS[int(options[1]) % len(FAULTS)].name
        (out / FILE).write_text(json.dumps({"fault": fault}), encoding="utf-8")
        return True

    monkeypatch.setattr(comparisons, "run_scenario", run)
    monkeypatch.setattr(comparisons.time, "monotonic", lambda: 60.0 * len(found))
    return found


def lines_of(results):
    return rounds.kept(results)[PART]


def test_a_round_has_each_fault_of_each_rival(tmp_path, ran):
    comparisons.measure(tmp_path / "results.json", PART, tmp_path, 2)
    assert len(ran) == len(set(ran)) == 2 * A_ROUND
    assert {each[0] for each in ran} == {scenario for _, scenario in comparisons.RIVALS}
    assert all(options[0] == "--seed" for _, options in ran)
    lines = lines_of(tmp_path / "results.json")
    # Of the first round the figures of one rival are missing.
    counts = [len(list(each)) for _, each in itertools.groupby(sorted(
        (line["rival"], line["fault"]) for line in lines))]
    assert sorted(counts) == [1] * len(FAULTS) + [2] * len(FAULTS) * (
        len(comparisons.RIVALS) - 1)


def test_it_continues_where_it_was_interrupted(tmp_path, ran, capsys):
    results = tmp_path / "results.json"
    comparisons.measure(results, PART, tmp_path, 1, minutes=5)
    assert len(ran) == 5 and len(lines_of(results)) == 4
    assert f"{A_ROUND - 5} runs are left" in capsys.readouterr().out
    comparisons.measure(results, PART, tmp_path, 1, add=True)
    # The one without figures once more, and first.
    assert ran[5] == ran[3] and ran[5][0] == "compare-keepalived"
    assert len(ran) == A_ROUND + 1
    comparisons.measure(results, PART, tmp_path, 1, add=True)
    seeds = [(line["rival"], line["seed"]) for line in lines_of(results)]
    assert len(seeds) == len(set(seeds)) == A_ROUND


def test_without_add_it_begins_anew(tmp_path, ran):
    results = tmp_path / "results.json"
    comparisons.measure(results, PART, tmp_path, 1, minutes=5)
    comparisons.measure(results, PART, tmp_path, 1, minutes=2)
    assert len(lines_of(results)) == 2


def test_captures_are_kept_of_a_run_that_failed_and_nothing_of_an_earlier_one(tmp_path, ran):
    old = tmp_path / "compare-keepalived.0" / FILE
    old.parent.mkdir()
    old.write_text('{"fault": "of an earlier measurement"}', encoding="utf-8")
    comparisons.measure(tmp_path / "results.json", PART, tmp_path, 1, minutes=4)
    assert len(lines_of(tmp_path / "results.json")) == 3
    assert [path.parent.name for path in tmp_path.rglob("*.pcap")] == ["compare-keepalived.0"]
