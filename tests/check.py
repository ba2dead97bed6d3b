# SPDX-License-Identifier: GPL-2.0-or-later
"""./check: every test of the project, in three tiers, or those of one part.

--fast   format, lint, build, unit tests, fuzz corpora, house rules; no lab
(plain)  also 400 simulated clusters and 200 that only this commit has, the sanitizers on what
         parses bytes of other hosts, the lab scenarios that hold the product together, and three
         minutes of the random drill
--all    also 1 000 simulated clusters and 60 of each later series, the sanitizers on all tests, the
         packages built twice and for the next release of Debian, an upgrade to it, clang-tidy, a
         minute of fuzzing per target, bugs planted for the simulator to find, all runs of the
         lease's exhaustive checker and of its specification, and each sentence of its protocol
         loosened for both to find, the proof of the gate's program and faults planted for it to
         find, every scenario but the measurements, half an hour of the drill, and what --release
         does
--area   lint, then unit tests, simulated clusters and scenarios of one part of the tree: for work
         on that part; it stands for none of the tiers
--release  unit tests in a root of Debian's other release, which is made first, and the scenarios
         of the plain tier and the drill with gateways of it

Each step's output is kept in build/check/; a step that fails shows its last lines. What cannot run
has failed, with two exceptions: clang-format, clang-tidy and mypy of another version than Debian
12's, which judge otherwise; and, in the plain tier, scenarios with a cluster where the host is too
slow for one (a virtual machine without nested paging: minutes to boot, all limits exceeded). A line
before the last one names what was skipped; with --all another one names the scenarios that have
shown nothing in the last 200 commits (docs/reference/evidence.md), which are for the next sweep.
The last line is the sum: "N passed, N failed".
"""
from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "lab"))

# The path must be set first.
from vpnlab.host import speed  # noqa: E402
from vpnlab.host.progress import run_logged  # noqa: E402
from vpnlab.host.release import OTHER_RELEASE, RELEASES, Release  # noqa: E402
from vpnlab.host.roots import in_root, root_of  # noqa: E402
from vpnlab.host.stage import LAB_TARGETS  # noqa: E402
from vpnlab.sweep.areas import (AREAS, FOLDERS, MEASUREMENTS, PLAIN_SCENARIOS,  # noqa: E402
                                SLOW_HOST_SCENARIOS, checked_by)
from vpnlab.sweep.book import load  # noqa: E402
from vpnlab.sweep.order import RECENT_COMMITS, not_shown  # noqa: E402
from vpnlab.sweep.tree import Tree  # noqa: E402

LOGS = ROOT / "build" / "check"
FUZZ_SECONDS = 60
# Tenths of systemd's score of a unit.
EXPOSURE_LIMIT = 40
SIM_SEEDS, SIM_SEEDS_ALL = 200, 1000
FRESH_SEEDS = 120
# Of the simulator's seeds: CONTRIBUTING.md. Of the series from 6 * 10**8 on some still break.
NEWEST_SERIES = 5 * 10**8
LATER_SERIES = range(6 * 10**8, 12 * 10**8, 10**8)
LATER_SEEDS = 60
FRESH_STEPS = 400
SOAK_SEED = 1
SOAK_MINUTES, SOAK_MINUTES_ALL = 2, 30
TAIL_LINES = 40
# Those of Debian 12, by which the tree is formatted and checked.
VERSIONS = {"clang-format": "14", "clang-tidy": "14", "mypy": "1.0"}


@dataclass
class Count:
    """What a step found: of many tests when it runs many."""

    passed: int
    failed: int


def source_files(*suffixes: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                            check=True).stdout
    return sorted(name for name in listed.split("\0")
                  if name.endswith(suffixes) and (ROOT / name).is_file())


def scripts(interpreter: str) -> list[str]:
    """Files without a suffix that name that interpreter in their first line."""
    found = []
    for name in source_files(""):
        path = ROOT / name
        if path.suffix in ("", ".sh") and not path.is_symlink():
            with path.open("rb") as file:
                first = file.readline()
            if first.startswith(b"#!") and interpreter.encode() in first:
                found.append(name)
    return found


class Checks:
    """Runs steps one after the other and adds up what they found."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self.failures: list[str] = []
        self.skipped: list[str] = []
        self._start = time.monotonic()
        LOGS.mkdir(parents=True, exist_ok=True)

    def step(self, name: str, argv: Sequence[str],
             count: Callable[[str], Count | None] | None = None) -> bool:
        """Runs a command; `count` reads from its output how many tests there were."""
        self._print(f"{name} …")
        log = LOGS / (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") + ".log")
        began = time.monotonic()
        with log.open("w", encoding="utf-8") as output:
            try:
                code = run_logged(argv, ROOT, output, lambda text: self._print(f"{name}: {text}"))
            except OSError as error:
                output.write(str(error))
                code = 127
        text = log.read_text(encoding="utf-8", errors="replace")
        found = count(text) if count else None
        if found is None or (code != 0 and found.failed == 0):
            found = Count(int(code == 0), int(code != 0))
        self.passed += found.passed
        self.failed += found.failed
        seconds = time.monotonic() - began
        if found.failed:
            self.failures.append(name)
            print("\n".join(text.splitlines()[-TAIL_LINES:]))
            self._print(f"{name}: FAILED ({seconds:.0f} s); all of it: {log}")
        else:
            self._print(f"{name}: ok ({seconds:.0f} s, {found.passed} passed)")
        return not found.failed

    def versioned_step(self, name: str, argv: Sequence[str]) -> None:
        """A step with a tool that is called like it, unless that is of another version."""
        found, wanted = None, VERSIONS[name]
        if shutil.which(name):
            done = subprocess.run([name, "--version"], capture_output=True, text=True, check=False)
            found = re.search(r"\d+(\.\d+)+", done.stdout)
        if found and not f"{found[0]}.".startswith(f"{wanted}."):
            self.skip(name, f"it is version {found[0]}, the tree is by {wanted}")
        else:
            self.step(name, argv)

    def pytest(self, name: str, path: str) -> None:
        """Tests of Python, on both processors; those of the role share nodes that are made once."""
        spread = [] if path.startswith("tests/rollout") else ["-n", "2"]
        self.step(name, ["/usr/bin/python3", "-m", "pytest", "-q", *spread, path], pytest_count)

    def skip(self, name: str, why: str) -> None:
        self.skipped.append(f"{name} ({why})")
        self._print(f"{name}: SKIPPED, {why}")

    def _print(self, text: str) -> None:
        print(f"[{time.monotonic() - self._start:7.1f} s] {text}", flush=True)


def ctest_count(text: str) -> Count | None:
    found = re.search(r"(\d+) tests failed out of (\d+)", text)
    return Count(int(found[2]) - int(found[1]), int(found[1])) if found else None


def pytest_count(text: str) -> Count | None:
    passed = re.search(r"(\d+) passed", text)
    failed = re.search(r"(\d+) failed", text)
    errors = re.search(r"(\d+) error", text)
    if not passed and not failed and not errors:
        return None
    return Count(int(passed[1]) if passed else 0,
                 (int(failed[1]) if failed else 0) + (int(errors[1]) if errors else 0))


def fuzz_count(text: str) -> Count | None:
    lines = [line for line in text.splitlines() if line.startswith(("ok ", "FAIL "))]
    failed = sum(line.startswith("FAIL ") for line in lines)
    return Count(len(lines) - failed, failed) if lines else None


def checker_count(text: str) -> Count | None:
    ends = re.findall(r": (held|NOT EXHAUSTED|BROKEN: .*)$", text, re.MULTILINE)
    held = ends.count("held")
    return Count(held, len(ends) - held) if ends else None


def lint(checks: Checks) -> None:
    checks.versioned_step("clang-format", ["clang-format", "--dry-run", "--Werror",
                                           *source_files(".cpp", ".hpp", ".c", ".h")])
    python = source_files(".py") + scripts("python3")
    checks.step("flake8", ["/usr/bin/python3", "-m", "flake8", "--max-line-length", "100", *python])
    checks.versioned_step("mypy", ["tests/tidy/mypy"])
    checks.step("shellcheck", ["shellcheck", *scripts("/bin/sh"), *scripts("bash")])
    checks.step("collection", ["tests/tidy/ansible"])
    checks.step("codespell", ["codespell", "--ignore-words", "setup/codespell-words.txt",
                              *source_files(".md", ".cpp", ".hpp", ".c", ".h", ".py")])


def exposure(checks: Checks) -> None:
    """What each unit may do beside its work."""
    for name in source_files(".service", ".service.in"):
        unit = f"build/release/{name.removesuffix('.in')}" if name.endswith(".in") else name
        checks.step(f"exposure of {Path(unit).name}", [
            "systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_LIMIT}",
            "--no-pager", unit])


def check_area(checks: Checks, name: str) -> None:
    area = AREAS[name]
    targets = [*LAB_TARGETS, *(f"{name}_test" for name in area.tests)]
    targets += ["vpnha-sim"] if area.simulated else []
    labels = rf"-({'|'.join(area.tests)})$"
    if not (checks.step("release configure", ["cmake", "--preset", "release"])
            and checks.step("release build", ["cmake", "--build", "--preset", "release",
                                              "--target", *targets])):
        return
    if area.tests:
        checks.step("release tests", ["ctest", "--preset", "release", "-L", labels], ctest_count)
    if area.simulated:
        simulate(checks, everything=False)
    for directory in area.pytest:
        checks.pytest(f"tests of {directory}", directory)
    if area.packages:
        checks.step("Debian packages", ["setup/debs"])
    lab(checks, checked_by(name))


def build_and_test(checks: Checks, preset: str) -> bool:
    return (checks.step(f"{preset} configure", ["cmake", "--preset", preset])
            and checks.step(f"{preset} build", ["cmake", "--build", "--preset", preset])
            and checks.step(f"{preset} tests", ["ctest", "--preset", preset], ctest_count))


def fresh_base() -> int:
    """The first of the fresh seeds: other ones for each commit, the same whenever a commit is
    checked again. Outside git they are drawn."""
    tree = subprocess.run(["git", "rev-parse", "--verify", "HEAD^{tree}"], cwd=ROOT,
                          capture_output=True, text=True, check=False).stdout.strip()
    drawn = int(tree, 16) if tree else random.SystemRandom().randrange(10**8)
    return NEWEST_SERIES + drawn % (10**8 - FRESH_SEEDS)


def simulate(checks: Checks, *, everything: bool) -> None:
    """The seeds that every run has, and some that only this commit has. The step's name has these,
    and a failure prints the command that repeats it."""
    simulator = "build/release/tests/sim/vpnha-sim"
    last = SIM_SEEDS_ALL if everything else SIM_SEEDS
    checks.step("simulator", [simulator, "--seeds", f"1..{last}", "--jobs", "2"])
    for series in LATER_SERIES if everything else ():
        seeds = f"{series + 1}..{series + LATER_SEEDS}"
        checks.step(f"simulator, seeds {seeds}", [simulator, "--seeds", seeds, "--jobs", "2"])
    first = fresh_base()
    seeds = f"{first}..{first + FRESH_SEEDS - 1}"
    checks.step(f"simulator, fresh seeds {seeds}", [simulator, "--seeds", seeds, "--steps",
                                                    str(FRESH_STEPS), "--jobs", "2"])


def sanitized(checks: Checks, everything: bool) -> None:
    """Address and undefined behaviour sanitizers: all tests, or those of what parses bytes of other
    hosts, a third of the compiler's work."""
    target = [] if everything else ["--target", "exposed"]
    tests = [] if everything else ["-L", "exposed"]
    if (checks.step("asan configure", ["cmake", "--preset", "asan"])
            and checks.step("asan build", ["cmake", "--build", "--preset", "asan", *target])):
        checks.step("asan tests", ["ctest", "--preset", "asan", *tests], ctest_count)


def lab(checks: Checks, wanted: Sequence[str], release: Release | None = None) -> bool:
    """False where there can be no lab. `release`: of the gateways, if not this machine's."""
    if os.geteuid() != 0:
        checks.step("lab needs root", ["false"])
        return False
    if not checks.step("lab kernel", ["lab/lab", "kernel"]):
        return False
    suffix, options = _on(release)
    for name in wanted:
        checks.step(f"scenario {name}{suffix}",
                    ["lab/lab", "run", name, *options,
                     "--out", str(LOGS / f"scenarios{suffix.replace(' ', '-')}" / name)])
    return True


def _on(release: Release | None) -> tuple[str, list[str]]:
    """What the name of a step ends with, and the options of its command."""
    return ("", []) if release is None else (f" on {release.name}", ["--release", release.name])


def plain_lab(checks: Checks, release: Release | None = None) -> None:
    """The main scenarios and the drill. Where the host is so slow that nodes are emulated, some of
    the scenarios: all of them take longer than a check may."""
    complaint = speed.complaint(speed.page_us())
    if complaint is None:
        if lab(checks, PLAIN_SCENARIOS, release):
            soak(checks, SOAK_MINUTES, release)
        return
    lab(checks, SLOW_HOST_SCENARIOS, release)
    left = [name for name in PLAIN_SCENARIOS if name not in SLOW_HOST_SCENARIOS]
    checks.skip(f"scenarios {' '.join(left)}, soak", complaint)


def soak(checks: Checks, minutes: int, release: Release | None = None) -> None:
    """The random drill, with the same faults in each run."""
    suffix, options = _on(release)
    checks.step(f"soak {minutes} min{suffix}",
                ["lab/lab", "soak", "--seed", str(SOAK_SEED), "--minutes", str(minutes), *options,
                 "--out", str(LOGS / f"soak{suffix.replace(' ', '-')}")])


def all_scenarios() -> list[str]:
    return [name for name in FOLDERS if name not in MEASUREMENTS]


def old_evidence() -> str:
    """A line with the scenarios that no sweep has run for long; the measurements are asked for
    one by one."""
    names = not_shown(all_scenarios(), load(), Tree().last_commits(RECENT_COMMITS))
    return f"no evidence of the last {RECENT_COMMITS} commits: {', '.join(names) or 'none'}"


def upgrade_debian(checks: Checks) -> None:
    """The packages for the next release of Debian, and a machine that is upgraded to it."""
    if (checks.step("Debian packages of Debian 13", ["setup/debs", "--release", "trixie"])
            and checks.step("archive of both", ["setup/archive"])):
        checks.step("upgrade from Debian 12 to 13", ["tests/packages/upgrade"])


def prove_gate(checks: Checks) -> None:
    """CBMC is in Debian 13 alone."""
    where = [] if shutil.which("cbmc") else in_root(RELEASES["trixie"])
    checks.step("gate proven", [*where, "tests/gate/prove"], fuzz_count)
    checks.step("faults of the gate", [*where, "tests/gate/prove", "--mutants"], fuzz_count)


def check_release(checks: Checks, release: Release) -> None:
    """The unit tests and the main scenarios where all is Debian's other release's."""
    if checks.step(f"release tests on {release.name}",
                   ["setup/root", release.name, str(root_of(release)),
                    "cmake", "--workflow", "--preset", "release"], ctest_count):
        plain_lab(checks, release)


def check_tier(checks: Checks, *, fast: bool, everything: bool) -> None:
    built = build_and_test(checks, "release")
    checks.pytest("lab unit tests", "lab/tests")
    checks.pytest("benchmark unit tests", "tests/bench/tests")
    if built:
        exposure(checks)
        checks.pytest("cluster configuration", "tests/cib")
        # Plays take minutes; `--area rollout` runs all of them.
        checks.pytest("role",
                      "tests/rollout" if everything else "tests/rollout/test_fencing.py")
    if not fast and built:
        simulate(checks, everything=everything)
        sanitized(checks, everything=everything)
        if everything:
            checks.step("Debian packages, built twice", ["setup/reproduce"])
            upgrade_debian(checks)
            checks.versioned_step("clang-tidy", ["tests/tidy/clang-tidy"])
            checks.step("planted bugs", ["tests/sim/mutate"], fuzz_count)
            checks.step("planted bugs of unit tests", ["tests/unit/mutate"], fuzz_count)
            checks.step("lease checker", ["build/release/tests/checker/vpnha-checker", "--jobs",
                                          "2", "all"], checker_count)
            checks.step("loosened sentences", ["tests/checker/mutate", "--jobs", "2"], fuzz_count)
            checks.step("specification", ["spec/check"], fuzz_count)
            checks.step("loosened specification", ["spec/check", "--mutants"], fuzz_count)
            prove_gate(checks)
            checks.step("fuzzing", ["tests/fuzz/run", "--seconds", str(FUZZ_SECONDS)], fuzz_count)
        if not everything:
            plain_lab(checks)
            return
        if lab(checks, all_scenarios()):
            soak(checks, SOAK_MINUTES_ALL)
        check_release(checks, OTHER_RELEASE)


def main() -> int:
    parser = argparse.ArgumentParser(prog="check", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    tier = parser.add_mutually_exclusive_group()
    tier.add_argument("--fast", action="store_true", help="no lab; under 15 minutes")
    tier.add_argument("--all", action="store_true", help="everything; before an issue is done")
    tier.add_argument("--area", choices=AREAS, help="one part of the tree only")
    tier.add_argument("--release", choices=[OTHER_RELEASE.name],
                      help="Debian's other release only")
    arguments = parser.parse_args()

    checks = Checks()
    lint(checks)
    if arguments.area:
        check_area(checks, arguments.area)
    elif arguments.release:
        check_release(checks, OTHER_RELEASE)
    else:
        check_tier(checks, fast=arguments.fast, everything=arguments.all)
    if arguments.all:
        print(old_evidence())
    if checks.skipped:
        print("skipped: " + ", ".join(checks.skipped))
    if checks.failures:
        print("failed: " + ", ".join(checks.failures))
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed or not checks.passed else 0


if __name__ == "__main__":
    sys.exit(main())
