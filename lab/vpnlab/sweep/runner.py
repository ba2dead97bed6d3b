# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs one scenario of a sweep with `lab/lab run`, and stores its evidence.

A process of its own for each scenario: what one leaves in memory, or dies of, is no concern of the
next one. Artifacts are in build/sweep/NAME; they stay when the run is red.
"""
from __future__ import annotations

import contextlib
import fcntl
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from ..evidence.result import validate
from ..host.errors import EXIT_SCENARIO_FAILED, AlreadyUp, LabError
from ..host.machines import ensure_machine, usual_kind
from ..host.progress import emit, run_logged
from ..host.release import THIS_RELEASE, Release
from ..host.stage import LAB_TARGETS, ROOT
from ..steps import scenario
from . import book, page
from .book import GREEN, RED, Entry, Figures, Kernel
from .conduct import Outcome
from .figures import failures, figures, read_result
from .tree import State, Tree

SWEEP = ROOT / "build" / "sweep"
LOG = "run.log"


@contextlib.contextmanager
def only_sweep(directory: Path = SWEEP) -> Iterator[None]:
    """Of two sweeps of one tree the second one fails: they would share artifacts."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUp("another sweep of this tree is running") from None
        yield


def build(log: Path) -> None:
    """What scenarios install, from the present tree."""
    _step("release configure", ["cmake", "--preset", "release"], log / "configure.log")
    _step("release build", ["cmake", "--build", "--preset", "release", "--target", *LAB_TARGETS],
          log / "build.log")


def build_packages(log: Path, release: Release) -> None:
    """What fresh nodes install."""
    _step("Debian packages", ["setup/debs", "--release", release.name], log / "packages.log")


def _step(name: str, argv: Sequence[str], log: Path) -> None:
    emit(f"{name} …")
    with log.open("w", encoding="utf-8") as output:
        code = run_logged(argv, ROOT, output, lambda text: emit(f"{name}: {text}"))
    if code:
        raise LabError(f"{name} failed with {code}; see {log}")


def lab_run(name: str, out: Path, machine: str, release: Release) -> int:
    """Runs the scenario on such nodes, in a session of its own, so that Ctrl-C ends it once: by our
    signal. Waits until its lab is gone, also then."""
    argv = [sys.executable, str(ROOT / "lab" / "lab"), "run", name, "--out", str(out),
            "--machine", machine, "--release", release.name]
    with (out / LOG).open("w", encoding="utf-8") as log:
        process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            return process.wait()
        except BaseException:
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise


class Runner:
    """Runs scenarios and writes evidence and page after each."""

    def __init__(self, tree: Tree, scenarios: Collection[str], release: Release = THIS_RELEASE,
                 directory: Path = SWEEP, evidence: Path | None = None,
                 evidence_page: Path | None = None,
                 run: Callable[[str, Path, str, Release], int] = lab_run,
                 build: Callable[[Path], None] = build,
                 build_packages: Callable[[Path, Release], None] = build_packages) -> None:
        self._tree = tree
        self._scenarios = scenarios
        self._release = release
        self._directory = directory
        self._evidence = evidence or book.kept(release, ".json")
        self._page = evidence_page
        self._run = run
        self._build = build
        self._build_packages = build_packages
        self._built: State | None = None
        self._packaged: State | None = None

    def prepare(self) -> State:
        """Builds what has to be built for the present tree."""
        state = self._tree.state()
        if self._built != state:
            self._build(self._directory)
            self._built = state
        return state

    def run_one(self, name: str) -> Outcome:
        """The evidence is of the commit that was built. A tree that changes during the run is
        recorded as dirty."""
        began = time.monotonic()
        out = self._directory / name
        try:
            before = self.prepare()
            loaded = scenario.load(name)
            if loaded.scenario.fresh and self._packaged != before:
                self._build_packages(self._directory, self._release)
                self._packaged = before
            series = loaded.scenario.kernel or self._release.series
            machine = ensure_machine(usual_kind(), series)
        except Exception as error:  # noqa: BLE001 - of this scenario; the next one may run
            return Outcome(None, time.monotonic() - began, f"{error}")
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        began = time.monotonic()
        try:
            code = self._run(name, out, machine.kind, self._release)
        except BaseException:
            shutil.rmtree(out, ignore_errors=True)
            raise
        seconds = round(time.monotonic() - began, 1)
        result = read_result(out)
        if code not in (0, EXIT_SCENARIO_FAILED) or result is None:
            return Outcome(None, seconds, f"exit code {code}: {_last_line(out / LOG)}; see {out}")
        failed = failures(result, code)
        state = State(before.commit, before.dirty or self._tree.state() != before)
        self._store(name, Entry(
            state.commit, state.dirty, datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            RED if failed else GREEN, seconds, result["seed"],
            Kernel(series, machine.version, machine.kind),
            Figures() if validate(result) else figures(result, out), failed))
        if failed:
            return Outcome(RED, seconds, f"{', '.join(failed)}; see {out}")
        shutil.rmtree(out)
        return Outcome(GREEN, seconds)

    def _store(self, name: str, entry: Entry) -> None:
        evidence = book.add(name, entry, self._scenarios, self._evidence)
        page.write(evidence, self._scenarios, self._release, self._page)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no output")
