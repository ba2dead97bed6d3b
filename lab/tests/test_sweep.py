# SPDX-License-Identifier: GPL-2.0-or-later
"""The sweep itself, without a lab: its time, its runs, its artifacts, its command line."""
from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from sweep_sample import entry
from vpnlab import cli
from vpnlab.evidence import result
from vpnlab.evidence.result import ClientResult, ClientSeries, Result
from vpnlab.host.errors import AlreadyUp, LabError
from vpnlab.host.machines import EMULATED
from vpnlab.host.release import OTHER_RELEASE, THIS_RELEASE, Release
from vpnlab.steps import scenario
from vpnlab.sweep import book, figures, page, runner
from vpnlab.sweep.areas import AREAS
from vpnlab.sweep.conduct import Outcome, Sum, conduct
from vpnlab.sweep.order import Choice
from vpnlab.sweep.runner import Runner
from vpnlab.sweep.tree import State

CLEAN, DIRTY = State("a" * 40, False), State("a" * 40, True)


class Clock:
    """Runs take what they are given."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ran: list[str] = []
        self.lines: list[str] = []
        self.found = Sum()

    def sweep(self, order: list[Choice], seconds: float, takes: dict[str, float],
              verdicts: dict[str, str | None] | None = None) -> Clock:
        def run_one(name: str) -> Outcome:
            self.ran.append(name)
            self.now += takes[name]
            verdict = (verdicts or {}).get(name, "green")
            return Outcome(verdict, takes[name], "" if verdict == "green" else "why")

        conduct(order, seconds, run_one, self.found, lambda: self.now, self.lines.append)
        return self


def test_none_is_begun_after_the_time_and_one_that_was_begun_is_finished():
    clock = Clock().sweep([Choice("a", ""), Choice("b", ""), Choice("c", "")], 60,
                          {"a": 50, "b": 500, "c": 1})
    assert clock.ran == ["a", "b"]
    assert clock.found.green == ["a", "b"] and clock.found.not_begun == 1


def test_none_is_begun_at_the_very_end():
    assert Clock().sweep([Choice("a", ""), Choice("b", "")], 60, {"a": 60, "b": 1}).ran == ["a"]


def test_what_does_not_fit_is_passed_over_and_named():
    clock = Clock().sweep([Choice("a", "", 30), Choice("long", "", 40), Choice("b", "", 20)], 60,
                          {"a": 30, "b": 20})
    assert clock.ran == ["a", "b"]
    assert clock.found.passed_over == ["long"]
    assert "long: passed over, it took 40 s last time and 30 s are left" in clock.lines
    assert str(clock.found) == "2 green, 0 red, 1 passed over, 0 not begun"


def test_a_line_has_name_reason_verdict_and_seconds():
    clock = Clock().sweep([Choice("a", "never run"), Choice("b", "red last time", 5)], 60,
                          {"a": 9.6, "b": 5}, {"b": "red"})
    assert clock.lines == ["a (never run) …", "a (never run): green, 10 s",
                           "b (red last time) …", "b (red last time): red, 5 s; why"]


def test_the_sum_names_the_red_ones_and_those_without_a_verdict():
    clock = Clock().sweep([Choice(name, "") for name in "abcd"], 60, dict.fromkeys("abcd", 1),
                          {"b": "red", "c": None})
    assert clock.found.failed
    assert str(clock.found) == "2 green, 1 red (b), 1 without a verdict (c), 0 not begun"
    assert not Clock().sweep([Choice("a", "")], 60, {"a": 1}).found.failed


def test_an_interrupt_keeps_the_sum_so_far():
    found = Sum()

    def run_one(name):
        if name == "b":
            raise KeyboardInterrupt
        return Outcome("green", 1)

    with pytest.raises(KeyboardInterrupt):
        conduct([Choice(name, "") for name in "abc"], 60, run_one, found, note=lambda _: None)
    assert found.green == ["a"] and found.not_begun == 2


# One run.

def sample(ok: bool = True) -> Result:
    return Result("drain", ok, 7,
                  expectations=[result.Expectation("outage", "<= 1", 1, True),
                                result.Expectation("kept", "== 1", 1, ok)],
                  faults=[result.Fault(1.0, "freeze", "gw1"), result.Fault(2.0, "thaw", "gw1")])


class Trees:
    """Each state in turn, then the last one for ever."""

    def __init__(self, *states: State) -> None:
        self.states = list(states)

    def state(self) -> State:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A runner whose scenarios leave the given result, and what it builds."""
    monkeypatch.setattr(runner, "usual_kind", lambda: EMULATED)
    monkeypatch.setattr(runner, "ensure_machine", lambda kind, series: SimpleNamespace(
        kind=kind, version=f"{series}.1-1"))
    built: list[str] = []

    def make(found: Result | None = None, code: int = 0, tree: Trees | None = None,
             log: str = "", release: Release = THIS_RELEASE) -> Runner:
        def run(name: str, out: Path, machine: str, of: Release) -> int:
            assert (machine, of) == (EMULATED, release)
            (out / runner.LOG).write_text(log)
            if found:
                found.write(out)
            return code

        return Runner(tree or Trees(CLEAN), scenario.names(), release, tmp_path / "sweep",
                      tmp_path / "evidence.json", tmp_path / "evidence.md", run,
                      lambda _: built.append("tree"),
                      lambda _, of: built.append(f"packages of {of.name}"))

    make.built = built
    make.entry = lambda: book.load(tmp_path / "evidence.json")["drain"]
    make.page = tmp_path / "evidence.md"
    make.out = tmp_path / "sweep" / "drain"
    return make


def test_green_run_is_stored_and_its_artifacts_are_removed(made):
    outcome = made(sample()).run_one("drain")
    assert (outcome.verdict, outcome.why) == ("green", "")
    stored = made.entry()
    assert (stored.commit, stored.dirty, stored.verdict, stored.failed) == (
        CLEAN.commit, False, "green", ())
    assert (stored.seed, stored.kernel) == (7, book.Kernel("6.1", "6.1.1-1", EMULATED))
    assert (stored.figures.faults, stored.figures.expectations) == (1, 2)
    assert "1 green" in made.page.read_text(encoding="utf-8")
    assert not made.out.exists()


def test_red_run_is_stored_with_what_failed_and_its_artifacts_stay(made):
    made.out.mkdir(parents=True)
    (made.out / "of-the-run-before").touch()
    outcome = made(sample(ok=False), code=1).run_one("drain")
    assert outcome.verdict == "red" and "kept" in outcome.why and str(made.out) in outcome.why
    assert made.entry().failed == ("kept",)
    assert (made.out / "result.json").exists()
    assert not (made.out / "of-the-run-before").exists()


@pytest.mark.parametrize("code, found", [(104, None), (1, None), (-9, sample()), (101, sample())])
def test_without_a_verdict_the_evidence_is_what_it_was(made, code, found):
    made(sample(ok=False), code=1).run_one("drain")
    before = made.entry()
    outcome = made(found, code, log="memory is short\n\n").run_one("drain")
    assert outcome.verdict is None
    assert f"exit code {code}: memory is short" in outcome.why
    assert made.entry() == before
    assert made.out.exists()


def test_run_that_fails_with_a_good_result_is_red(made):
    made(sample(), code=1).run_one("drain")
    assert made.entry().failed == ("lab/lab run: exit code 1",)


def test_result_that_breaks_its_schema_is_red(made):
    broken = sample()
    broken.clients = [ClientResult("x", "l2tp", outage_ms="long")]  # type: ignore[arg-type]
    made(broken, code=1).run_one("drain")
    assert made.entry().verdict == "red" and "outage_ms" in made.entry().failed[0]


@pytest.mark.parametrize("states, dirty, builds", [
    ([CLEAN], False, 1),
    ([DIRTY], True, 1),
    # It changed during the run.
    ([CLEAN, DIRTY], True, 1),
])
def test_dirty_tree_is_recorded_as_such(made, states, dirty, builds):
    made(sample(), tree=Trees(*states)).run_one("drain")
    assert (made.entry().dirty, len(made.built)) == (dirty, builds)


def test_a_new_commit_between_two_runs_is_built_and_recorded(made):
    tree = Trees(CLEAN, CLEAN, CLEAN, State("b" * 40, False))
    sweep = made(sample(), tree=tree)
    sweep.prepare()
    sweep.run_one("drain")
    assert (made.entry().commit, made.built) == ("a" * 40, ["tree"])
    sweep.run_one("drain")
    assert (made.entry().commit, made.built) == ("b" * 40, ["tree", "tree"])


def test_packages_are_built_once_and_only_for_fresh_nodes(made):
    sweep = made(sample())
    sweep.run_one("drain")
    assert made.built == ["tree"]
    sweep.run_one("packages")
    sweep.run_one("reboot-node")
    assert made.built == ["tree", f"packages of {THIS_RELEASE.name}"]


def test_gateways_of_another_release_have_its_kernel_and_packages(made):
    sweep = made(sample(), release=OTHER_RELEASE)
    sweep.run_one("drain")
    assert made.entry().kernel.series == OTHER_RELEASE.series
    sweep.run_one("packages")
    assert made.built == ["tree", f"packages of {OTHER_RELEASE.name}"]


def test_what_cannot_be_built_is_no_verdict(made):
    sweep = made(sample())
    sweep._build = lambda _: (_ for _ in ()).throw(LabError("no compiler"))
    assert sweep.run_one("drain") == Outcome(None, pytest.approx(0, abs=5), "no compiler")


def test_interrupted_run_leaves_nothing(made):
    sweep = made(sample())

    def interrupted(*_):
        raise KeyboardInterrupt

    sweep._run = interrupted
    with pytest.raises(KeyboardInterrupt):
        sweep.run_one("drain")
    assert not made.out.exists() and not made.page.exists()


def test_malformed_evidence_ends_the_sweep_and_stays(made, tmp_path):
    (tmp_path / "evidence.json").write_text("{")
    with pytest.raises(LabError, match="malformed"):
        made(sample()).run_one("drain")
    assert (tmp_path / "evidence.json").read_text() == "{"


def test_of_two_sweeps_the_second_one_is_refused(tmp_path):
    with runner.only_sweep(tmp_path):
        with pytest.raises(AlreadyUp):
            with runner.only_sweep(tmp_path):
                pass
    with runner.only_sweep(tmp_path):
        pass


def test_an_interrupt_is_passed_on_once_and_awaited(tmp_path, monkeypatch):
    """Ctrl-C reaches no child in a session of its own, which then has time to remove its lab."""
    child = tmp_path / "lab" / "lab"
    child.parent.mkdir()
    child.write_text(
        "import os, signal, sys, pathlib\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
        "if os.getsid(0) == os.getpid():\n"
        "    pathlib.Path(sys.argv[4], 'cleaned').touch()\n")
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    out = tmp_path / "out"
    out.mkdir()

    def interrupt_when_ready():
        while "ready" not in ((out / runner.LOG).read_text() if (out / runner.LOG).exists()
                              else ""):
            threading.Event().wait(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    # A shell has what it starts with `&` ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt_when_ready)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            runner.lab_run("drain", out, EMULATED, THIS_RELEASE)
    finally:
        signal.signal(signal.SIGINT, before)
    thread.join()
    assert (out / "cleaned").exists()


# Figures.

def client(**changes) -> ClientResult:
    nothing = dict.fromkeys(("ike_exchanges", "l2tp_setups", "pptp_setups", "ppp_renegotiations",
                             "ccp_exchanges", "auth_exchanges", "interface_changes"), 0)
    return ClientResult(**{"name": "client1", "protocol": "l2tp", **nothing, **changes})


def figures_of(out: Path, *clients: ClientResult) -> book.Figures:
    made = dataclasses.replace(sample(), clients=list(clients))
    made.write(out)
    result.write_series(out, clients, t0=0, t_end=1)
    return figures.figures(figures.read_result(out), out)


@pytest.mark.parametrize("clients, kept", [
    ([client(), client(name="client2")], 2),
    ([client(), client(name="client2", auth_exchanges=1)], 1),
    ([client(interface_changes=2)], 0),
    ([client(interface_changes=None)], None),
    ([client(protocol="ikev2", l2tp_setups=None, ppp_renegotiations=None, ccp_exchanges=None,
             auth_exchanges=None)], 1),
    ([client(series=ClientSeries(answered_again=False))], 0),
    ([], None),
])
def test_sessions_kept(tmp_path, clients, kept):
    assert figures_of(tmp_path, *clients).sessions_kept == kept


def test_the_longest_of_all_clients_counts(tmp_path):
    found = figures_of(tmp_path, client(outage_ms=5.0), client(name="b", outage_ms=70.5),
                       client(name="c", baseline_gap_ms=9.0))
    assert (found.outage_ms, found.baseline_gap_ms, found.clients) == (70.5, 9.0, 3)


def test_violations_are_those_that_were_observed(tmp_path):
    made = dataclasses.replace(sample(), invariants=result.Invariants(esp_seq_reused=2,
                                                                      l2tp_ns_reused=1))
    assert figures.figures(made.to_dict(), tmp_path).violations == 3
    assert figures.figures(sample().to_dict(), tmp_path).violations is None


def test_half_a_result_is_none(tmp_path):
    assert figures.read_result(tmp_path) is None
    (tmp_path / "result.json").write_text('{"scenario": ')
    assert figures.read_result(tmp_path) is None


# The command line.

@pytest.fixture
def files(tmp_path, monkeypatch):
    """The command reads and writes evidence of its own."""
    paths = tmp_path / "evidence.json", tmp_path / "evidence.md"
    for function in (book.load, book.store):
        monkeypatch.setattr(function, "__defaults__", (paths[0],))
    monkeypatch.setattr(book, "REFERENCE", tmp_path)
    monkeypatch.setattr(cli.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(cli.Tree, "_changed_since", lambda self, commit: frozenset())
    return paths


def test_list_needs_no_root_and_runs_nothing(files, capsys, monkeypatch):
    monkeypatch.setattr(cli, "Runner", None)
    book.store({"echo-power-cut": entry(seconds=70)}, scenario.names())
    assert cli.main(["sweep", "--list", "--only", "echo", "--minutes", "2"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["1", "echo-planned-move", "never", "run"],
        "not within 2 min:".split(),
        ["-", "echo-power-cut", "70", "s", "evidence", "of", "2026-10-01"]]


def test_page_is_made_again_without_what_is_gone(files):
    book.store({"drain": entry(), "gone": entry()}, ["drain", "gone"])
    assert cli.main(["sweep", "--page"]) == 0
    assert list(book.load()) == ["drain"]
    assert files[1].read_text() == page.page(book.load(), scenario.names())


def test_malformed_evidence_is_an_error_of_one_line(files, capsys):
    files[0].write_text("{")
    assert cli.main(["sweep", "--list"]) == LabError.exit_code
    assert str(files[0]) in capsys.readouterr().err
    assert cli.main(["sweep", "--page"]) == LabError.exit_code
    assert files[0].read_text() == "{" and not files[1].exists()


def test_without_root_it_is_refused(files, capsys):
    assert cli.main(["sweep"]) == 102
    assert "root" in capsys.readouterr().err


@pytest.mark.parametrize("verdict, code", [("green", 0), ("red", 1), (None, 1)])
def test_exit_code(files, monkeypatch, tmp_path, capsys, verdict, code):
    class Fake:
        def __init__(self, tree, names, release):
            assert release == THIS_RELEASE

        def prepare(self):
            return CLEAN

        def run_one(self, name):
            return Outcome(verdict, 1.0)

    monkeypatch.setattr(cli.os, "geteuid", lambda: 0)
    monkeypatch.setattr(cli, "Runner", Fake)
    monkeypatch.setattr(cli, "only_sweep", lambda: runner.only_sweep(tmp_path))
    assert cli.main(["sweep", "--only", "echo"]) == code
    text = capsys.readouterr().err
    assert "echo-planned-move (never run)" in text and "sweep: " in text


@pytest.mark.parametrize("words", [["--minutes", "0"], ["--minutes", "-1"], ["--minutes", "nan"],
                                   ["--only", "nowhere"], ["--list", "--page"]])
def test_wrong_words_are_refused(words, capsys):
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["sweep", *words])
    assert "usage" in capsys.readouterr().err


def test_help_has_the_areas_and_the_order():
    shown = subprocess.run([sys.executable, str(runner.ROOT / "lab" / "lab"), "sweep", "--help"],
                           capture_output=True, text=True, check=True).stdout
    for word in (*AREAS, "never ran", "red last time", "passed over"):
        assert word in shown


def test_json_of_a_runner_names_no_machine(made):
    made(sample(ok=False), code=1).run_one("drain")
    assert str(made.out.parent) not in json.dumps(dataclasses.asdict(made.entry()))
