# SPDX-License-Identifier: GPL-2.0-or-later
"""Which scenario of a sweep runs next, and why."""
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sweep_sample import entry
from vpnlab.host.errors import LabError
from vpnlab.steps import scenario
from vpnlab.sweep.areas import MEASUREMENTS
from vpnlab.sweep.order import (Choice, candidates, choices, chosen, forecast,
                                next_fitting, not_shown)
from vpnlab.sweep.tree import State, Tree

OLD, LATER, LATEST = (f"2026-10-0{day}T00:00:00Z" for day in (1, 2, 3))


def nothing(_commit: str) -> set[str]:
    return set()


def names(order: list[Choice]) -> list[str]:
    return [choice.name for choice in order]


def test_never_run_comes_before_red_before_changed_before_old():
    evidence = {"l2tp-stock": entry(date=OLD), "nat-tcp": entry(date=LATER),
                "pptp-nat": entry(date=LATER), "flood": entry("red", date=LATEST)}
    order = choices([*evidence, "drain"], evidence,
                    lambda _: {"libvpnha/src/protocols/pptp/model/gre.cpp",
                               "docs/operate/pools.md"})
    assert names(order) == ["drain", "flood", "pptp-nat", "l2tp-stock", "nat-tcp"]
    assert [choice.reason for choice in order] == [
        "never run", "red last time", "changed: pptp", "evidence of 2026-10-01",
        "evidence of 2026-10-02"]


def test_evidence_of_a_commit_that_is_not_here_counts_as_changed():
    evidence = {"l2tp-stock": entry(date=OLD), "nat-tcp": entry(date=LATER, commit="b" * 40)}
    order = choices(evidence, evidence, lambda commit: None if commit[0] == "b" else set())
    assert names(order) == ["nat-tcp", "l2tp-stock"]


@pytest.mark.parametrize("verdict, changed", [
    ("green", nothing), ("red", nothing),
    ("green", lambda _: {"libvpnha/src/protocols/l2tp/model/seq16.hpp"})])
def test_of_one_rank_the_oldest_comes_first(verdict, changed):
    evidence = {"l2tp-stock": entry(verdict, date=LATEST), "l2tp-control": entry(verdict, date=OLD),
                "l2tp-power-cut": entry(verdict, date=LATER)}
    assert names(choices(evidence, evidence, changed)) == ["l2tp-control", "l2tp-power-cut",
                                                           "l2tp-stock"]


def test_scenarios_are_chosen_by_name():
    assert chosen(["flood", "drain", "flood"], ["drain", "flood", "nat-tcp"]) == ["flood", "drain"]
    assert chosen([], ["drain"]) == []
    with pytest.raises(LabError, match="no scenario flod, drian; "):
        chosen(["flod", "drain", "drian"], ["drain", "flood"])


def test_of_those_that_never_ran_the_plain_tier_comes_first():
    order = choices(["stand-in-freeze", "nat-tcp", "l2tp-stock"], {}, nothing)
    assert names(order) == ["l2tp-stock", "nat-tcp", "stand-in-freeze"]


def test_each_evidence_is_compared_with_its_own_commit():
    evidence = {"pptp-nat": entry(commit="a" * 40), "pptp-stock": entry(commit="b" * 40)}
    order = choices(evidence, evidence,
                    lambda commit: {"libvpnha/src/protocols/pptp/mppe/sender.cpp"}
                    if commit[0] == "b" else set())
    assert order[0] == Choice("pptp-stock", "changed: pptp", 60.0)
    assert order[1].reason.startswith("evidence of")


@pytest.mark.parametrize("changed, dirty, reason", [
    (None, False, "no commit cccccccccc here"),
    ({"lab/scenarios/rollout/drain.py"}, False, "its file changed"),
    ({"lab/scenarios/life/flood.py"}, True, "the tree was dirty"),
    ({"lab/scenarios/life/flood.py"}, False, "evidence of 2026-10-02"),
    ({"cli/drain.cpp"}, True, "changed: rollout"),
])
def test_reason(changed, dirty, reason):
    evidence = {"drain": entry(date=LATER, dirty=dirty)}
    assert choices(["drain"], evidence, lambda _: changed)[0].reason == reason


def test_measurements_are_in_it_only_where_they_are_asked_for():
    every = scenario.names()
    assert set(candidates(every, None, True)) - set(candidates(every, None, False)) == set(
        MEASUREMENTS)


def test_one_area():
    assert candidates(scenario.names(), "echo", True) == ["echo-planned-move", "echo-power-cut"]


SHORT, LONG, UNKNOWN = Choice("short", "", 20), Choice("long", "", 90), Choice("unknown", "")


def test_what_took_too_long_is_passed_over_for_what_fits():
    assert next_fitting([LONG, SHORT], 100) == (LONG, [])
    assert next_fitting([LONG, SHORT], 90) == (LONG, [])
    assert next_fitting([LONG, SHORT], 60) == (SHORT, [LONG])
    assert next_fitting([LONG, SHORT], 5) == (None, [LONG, SHORT])


def test_what_never_ran_fits_always():
    assert next_fitting([LONG, UNKNOWN], 5) == (UNKNOWN, [LONG])


def test_forecast_is_what_the_last_durations_let_through():
    assert forecast([LONG, SHORT, UNKNOWN], 100) == [LONG, UNKNOWN]
    assert forecast([SHORT, LONG, SHORT], 60) == [SHORT, SHORT]
    assert forecast([LONG], 60) == []
    # 60 s each, where nothing is known.
    assert len(forecast([UNKNOWN] * 5, 130)) == 3


def test_what_never_ran_or_ran_too_long_ago_is_not_shown():
    evidence = {"old": entry(commit="a" * 40), "red": entry("red", commit="b" * 40),
                "green": entry(commit="b" * 40)}
    assert not_shown(["never", *evidence], evidence, {"b" * 40, "c" * 40}) == ["never", "old"]


class TestTree:
    """What has changed since a commit, in a repository of its own."""

    @pytest.fixture
    def root(self, tmp_path):
        self.git(tmp_path, "init", "--quiet")
        self.commit(tmp_path, "kept", "removed", "renamed", "edited")
        return tmp_path

    @staticmethod
    def git(root: Path, *arguments: str) -> str:
        return subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.org",
                               "-C", str(root), *arguments], check=True, capture_output=True,
                              text=True).stdout.strip()

    def commit(self, root: Path, *files: str) -> str:
        for name in files:
            (root / name).write_text(f"{name} at {len(list(root.iterdir()))}")
        self.git(root, "add", "--all")
        self.git(root, "commit", "--quiet", "--message", "x")
        return self.git(root, "rev-parse", "HEAD")

    def test_changes_of_commits_and_of_the_working_tree_count(self, root):
        first = self.git(root, "rev-parse", "HEAD")
        self.git(root, "mv", "renamed", "moved")
        self.commit(root, "committed")
        (root / "edited").write_text("otherwise")
        (root / "removed").unlink()
        (root / "added").write_text("not known to git")
        assert Tree(root).changed_since(first) == {"committed", "renamed", "moved", "edited",
                                                   "removed", "added"}

    def test_nothing_has_changed_since_this_commit(self, root):
        assert Tree(root).changed_since(self.git(root, "rev-parse", "HEAD")) == frozenset()

    def test_the_last_commits_are_the_newest_ones(self, root):
        second, third = self.commit(root, "second"), self.commit(root, "third")
        assert Tree(root).last_commits(2) == {second, third}
        assert len(Tree(root).last_commits(200)) == 3

    def test_unknown_commit_is_none(self, root):
        assert Tree(root).changed_since("0" * 40) is None

    def test_state_is_dirty_by_edits_and_by_new_files(self, root):
        head = self.git(root, "rev-parse", "HEAD")
        assert Tree(root).state() == State(head, False)
        (root / "added").write_text("")
        assert Tree(root).state() == State(head, True)
        (root / "added").unlink()
        (root / "edited").write_text("otherwise")
        assert Tree(root).state() == State(head, True)
        self.git(root, "add", "edited")
        assert Tree(root).state() == State(head, True)

    def test_what_the_sweep_itself_writes_makes_no_tree_dirty(self, root):
        (root / "edited").write_text("by the sweep")
        (root / "page").write_text("by the sweep")
        assert not Tree(root, ["edited", "page"]).state().dirty
        assert Tree(root, ["page"]).state().dirty

    def test_without_git_the_error_names_the_directory(self, tmp_path):
        with pytest.raises(LabError, match=str(tmp_path)):
            Tree(tmp_path).state()
