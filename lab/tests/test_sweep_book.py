# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/reference/evidence.json and the page that is made of it."""
from __future__ import annotations

import dataclasses
import json

import pytest

from sweep_sample import entry
from vpnlab.evidence.result import Phases
from vpnlab.host.errors import LabError
from vpnlab.host.release import OTHER_RELEASE, RELEASES, THIS_RELEASE
from vpnlab.steps import scenario
from vpnlab.sweep import book, page, unshown
from vpnlab.sweep.book import Entry, Figures, Kernel


@pytest.fixture
def path(tmp_path):
    return tmp_path / "docs" / "reference" / "evidence.json"


def test_every_field_is_in_the_schema_and_the_other_way_round():
    schema = json.loads(book.SCHEMA_PATH.read_text(encoding="utf-8"))
    of_entry = schema["properties"]["scenarios"]["additionalProperties"]
    of_figures = of_entry["properties"]["figures"]
    for kind, node in ((Entry, of_entry), (Kernel, of_entry["properties"]["kernel"]),
                       (Figures, of_figures), (Phases, of_figures["properties"]["phases_ms"])):
        fields = [field.name for field in dataclasses.fields(kind)]
        assert fields == list(node["properties"]) == node["required"]
        assert node["additionalProperties"] is False


def test_evidence_survives_the_file(path):
    evidence = {"drain": entry(), "flood": entry("red", dirty=True)}
    book.store(evidence, ["drain", "flood"], path)
    assert book.load(path) == evidence


def test_no_file_is_no_evidence(path):
    assert book.load(path) == {}


def test_the_newer_run_replaces_the_older_one_and_no_other(path):
    for name, date in (("flood", 1), ("drain", 1), ("drain", 2)):
        book.add(name, entry(date=f"2026-10-0{date}T00:00:00Z"), ["drain", "flood"], path)
    assert {name: each.date[:10] for name, each in book.load(path).items()} == {
        "drain": "2026-10-02", "flood": "2026-10-01"}


def test_a_removed_scenario_drops_out(path):
    book.store({"gone": entry(), "drain": entry()}, ["gone", "drain"], path)
    book.add("flood", entry(), ["drain", "flood"], path)
    assert list(book.load(path)) == ["drain", "flood"]


@pytest.mark.parametrize("text", [
    "", "{", "[]", "{}", '{"scenarios": []}', '{"scenarios": {"drain": {}}}',
    "<<<<<<< HEAD\n{}\n", b"\xff\xfe"])
def test_malformed_file_is_named_and_nothing_is_written(path, text):
    before = text if isinstance(text, bytes) else text.encode()
    path.parent.mkdir(parents=True)
    path.write_bytes(before)
    with pytest.raises(LabError, match=f"{path} is malformed"):
        book.load(path)
    with pytest.raises(LabError, match="Nothing was written"):
        book.add("drain", entry(), ["drain"], path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("change, problem", [
    ({"verdict": "yellow"}, "verdict"), ({"commit": "abc"}, "commit"), ({"date": "today"}, "date"),
    ({"seconds": -1}, "seconds"), ({"failed": ["x"]}, "green, but 1"),
    ({"verdict": "red"}, "red, but 0"), ({"extra": 1}, "'extra' was unexpected"),
    ({"figures": {**dataclasses.asdict(entry().figures), "sessions_kept": 2}}, "more sessions")])
def test_names_what_is_wrong(change, problem):
    data = json.loads(json.dumps(dataclasses.asdict(entry())))
    assert book.validate({"scenarios": {"drain": data}}) == []
    found = book.validate({"scenarios": {"drain": {**data, **change}}})
    assert len(found) == 1 and "drain" in found[0] and problem in found[0]


@pytest.mark.parametrize("broken", ["fsync", "rename"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(path, monkeypatch, broken):
    book.store({"drain": entry()}, ["drain"], path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("no space left")

    if broken == "fsync":
        monkeypatch.setattr(book.os, "fsync", fail)
    else:
        monkeypatch.setattr(type(path), "rename", fail)
    with pytest.raises(OSError):
        book.add("drain", entry("red"), ["drain"], path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_old_file_is_whole_until_the_new_one_is(path, monkeypatch):
    book.store({"drain": entry()}, ["drain"], path)
    seen = []
    monkeypatch.setattr(book.os, "fsync", lambda _: seen.append(book.load(path)["drain"].verdict))
    book.add("drain", entry("red"), ["drain"], path)
    assert seen == ["green"]
    assert book.load(path)["drain"].verdict == "red"


def rows(text: str) -> list[str]:
    return [line.split("|")[1].strip(" `") for line in text.splitlines()
            if line.startswith("| `")]


def test_page_has_the_red_ones_first_and_those_that_never_ran_last():
    evidence = {"drain": entry(), "nat-tcp": entry("red"), "flood": entry(), "gone": entry("red")}
    text = page.page(evidence, ["drain", "flood", "nat-tcp", "l2tp-stock", "calm-hour"])
    assert rows(text) == ["nat-tcp", "drain", "flood", "calm-hour", "l2tp-stock"]
    assert "**5 scenarios: 1 red, 2 green, 2 never run.**" in text
    run, _, never = text.partition("## Never run")
    assert "`l2tp-stock`" not in run and "| `l2tp-stock` | sessions, lab |" in never
    assert "| `calm-hour` | measurement |" in never


def test_row_of_a_green_one():
    text = page.page({"drain": entry(date="2026-10-04T12:34:56Z", dirty=True)}, ["drain"])
    assert ("| `drain` | rollout | green | 2026-10-04 12:34 | `cccccccccc` dirty | outage 1234 ms, "
            "kept 1 of 1, first packet 1200 ms, 1 fault, 30 expectations | "
            "6.1 (6.1.1-1), user-mode | 60 |"
            ) in text.splitlines()
    assert "Never run" not in text
    assert "Oldest run: 2026-10-04, newest: 2026-10-04." in text


def test_row_of_a_red_one_names_what_failed_and_stays_one_row():
    failed = ("a|b", "c\nd", "`e`", "f", "g", "h", "i")
    text = page.page({"drain": entry("red", failed=failed)}, ["drain"])
    assert "| **red**: `a/b`, `c d`, `'e'`, `f`, `g` and 2 more |" in text


@pytest.mark.parametrize("figures, text", [
    (Figures(expectations=96), "96 expectations"),
    (Figures(baseline_gap_ms=23.4, expectations=2), "gap 23 ms, 2 expectations"),
    (Figures(clients=2, sessions_kept=0, overlap_ms=3, violations=1, leftovers=2, faults=2,
             expectations=9), "kept 0 of 2, two owners for 3 ms, 1 violation, 2 leftovers, "
                              "2 faults, 9 expectations")])
def test_figures_show_what_was_observed(figures, text):
    assert page.figures_text(figures) == text


def test_page_without_evidence():
    text = page.page({}, ["drain"])
    assert "**1 scenarios: 0 red, 0 green, 1 never run.**" in text
    assert rows(text) == ["drain"] and "verdict" not in text


def test_another_release_has_a_page_of_its_own_without_those_that_never_ran():
    assert book.kept(THIS_RELEASE, ".json").name == "evidence.json"
    assert book.kept(OTHER_RELEASE, ".md").name == f"evidence-{OTHER_RELEASE.name}.md"
    text = page.page({"drain": entry()}, ["drain", "flood"], OTHER_RELEASE)
    assert f"# Evidence of gateways of {OTHER_RELEASE.name}" in text
    assert rows(text) == ["drain"] and "**2 scenarios: 0 red, 1 green, 1 never run.**" in text


MODEL = """\
| event | what | shown by |
|---|---|---|
| a node dies | `nothing` | `flood`, `DrainTest.Ends` |
| a *link* of [a node](x.md) is lost | nothing | `drain`, run `flood` |
| all are lost | nothing | `nat-tcp`: its limit; `flood` |
| nobody | nothing | – |

| another table | `flood` |
|---|---|
| `nat-tcp` | `nat-tcp` |
"""


def test_failures_that_name_a_scenario_without_a_green_run_are_listed():
    text = unshown.table(MODEL, {"drain": entry(), "nat-tcp": entry("red")},
                         ["drain", "flood", "nat-tcp"])
    assert text.splitlines()[-2:] == [
        "| a node dies | `flood` never run | yes |",
        "| all are lost | `nat-tcp` **red**, `flood` never run | **no** |"]
    assert len(text.splitlines()) == len(unshown.HEAD.splitlines()) + 2


def test_no_list_where_all_are_green():
    green = {name: entry() for name in ("drain", "flood", "nat-tcp")}
    assert unshown.table(MODEL, green, sorted(green)) == ""


def test_a_long_row_is_cut_between_words_and_has_no_marks():
    (row,) = unshown.rows_of("| event | shown by |\n|---|---|\n| "
                             + "`a` [link](y.md) *word* " * 20 + "| `drain` |\n", {}, ["drain"])
    cell = row.split(" | ")[0]
    assert cell.startswith("| a link word a link") and cell.endswith(" …")
    assert len(cell) <= unshown.SHOWN + 4


# What is committed.

REPAIR = ("run `lab/lab sweep --page`, for another release with --release, and commit what it "
          "changes in docs/reference")


@pytest.mark.parametrize("release", RELEASES.values())
def test_committed_evidence_is_of_scenarios_that_exist(release):
    assert set(book.load(book.kept(release, ".json"))) - set(scenario.names()) == set(), REPAIR


@pytest.mark.parametrize("release", RELEASES.values())
def test_committed_page_is_what_the_evidence_makes(release):
    evidence, written = book.load(book.kept(release, ".json")), book.kept(release, ".md")
    made = page.page(evidence, scenario.names(), release) if evidence else None
    assert (written.read_text(encoding="utf-8") if written.exists() else None) == made, REPAIR
