# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured, how often, and how quiet the machine was. Results are kept after every round,
so that an interrupted run can be reported, and continued by --add."""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from dataclasses import asdict
from pathlib import Path

from . import address, flows, fresh, group, idle_gateways, leases, redis_pair
from .group import Run
from .rig import CORES, Rig, RigError, cpu_seconds

# Others' share of the cores below which a round counts as quiet, and how long one is waited for.
QUIET = 0.1
PATIENCE_S = 3.0
# Of each kind in each round.
LEASE_CUTS = 10

GOALS = [
    Run("flood", "vpnha", 3, 10_000),
    Run("flood", "plain", 3, 10_000),
    Run("flood", "redis", 3, 10_000),
    Run("paced", "vpnha", 3, 10_000),
    Run("paced", "plain", 3, 10_000),
    Run("paced", "redis", 3, 10_000),
    Run("join", "vpnha", 3, 100_000),
]
CURVES = [
    *(Run("flood", "vpnha", nodes, 10_000) for nodes in (2, 5, 7)),
    *(Run("flood", "plain", nodes, 10_000) for nodes in (2, 5, 7)),
    *(Run("flood", "vpnha", 3, records) for records in (1_000, 100_000)),
    Run("flood", "vpnha", 3, 10_000, crypto=False),
    *(Run("paced", "vpnha", nodes, 10_000) for nodes in (2, 5, 7)),
    *(Run("paced", "vpnha", 3, records) for records in (1_000, 100_000)),
    *(Run("join", "vpnha", 3, records) for records in (1_000, 10_000)),
    *(Run("join", "vpnha", nodes, 100_000) for nodes in (5, 7)),
]


FLOW_GOALS = [flows.Load(100_000, 20_000), flows.Load(200_000, flows.AT_ONCE),
              flows.Load(200_000, flows.BEFOREHAND)]
FLOW_CURVE = [
    *(flows.Load(20_000, 20_000, held)
      for held in (1_000, 10_000, 50_000, 100_000, 200_000, 480_000)),
    *(flows.Load(count, rate) for count, rate in (
        (5_000, 1_000), (20_000, 5_000), (50_000, 20_000), (50_000, 50_000),
        (50_000, flows.AT_ONCE), (50_000, flows.BEFOREHAND))),
]


def run_program(part: str, results: Path, binary: Path, rounds: int) -> None:
    """One of the benchmarks that need no group; all its rounds."""
    program = str(binary)
    if part in ("records", "pptp"):
        words = [program, "--benchmark_format=json", "--benchmark_min_time=0.2",
                 f"--benchmark_repetitions={rounds}", "--benchmark_report_aggregates_only=true"]
        rounds = 1
    else:
        words = [program]
    lines = []
    for _ in range(1 if part == "memory" else rounds):
        _await_quiet()
        with Foreign() as foreign:
            done = subprocess.run(words, capture_output=True, text=True, check=True)
        lines.append({**json.loads(done.stdout), "foreign": foreign.share})
    keep(results, part, lines)


def run_group(options: argparse.Namespace, binary: Path) -> None:
    """All rounds over all runs: what changes with time touches each run alike."""
    runs = GOALS if options.quick else GOALS + CURVES
    results = options.results
    if not options.add:
        keep(results, "group", [])
    rigs = sorted({(run.nodes, run.crypto) for run in runs})
    for number in range(options.rounds):
        for nodes, crypto in rigs:
            with Rig(nodes, crypto) as made:
                for run in runs:
                    if (run.nodes, run.crypto) == (nodes, crypto):
                        _round(results, made, run, binary, number)


def run_gateways(options: argparse.Namespace, binary: Path) -> None:
    """All rounds, with one gateway and with ten."""
    lines = []
    for _ in range(options.rounds):
        for count in (1, 10):
            _await_quiet()
            with Foreign() as foreign:
                line = idle_gateways.measure(count, binary)
            lines.append({**line, "foreign": foreign.share})
            print(f"gateways {count}: {line['share']:.2%} of a core a node "
                  f"(others {foreign.share:.0%})", flush=True)
    keep(options.results, "gateways", lines)


def run_address(options: argparse.Namespace) -> None:
    """The project's agent and the stock one in turn."""
    lines = []
    for number in range(options.rounds):
        for agent in address.AGENTS:
            _await_quiet()
            with Foreign() as foreign:
                silences = address.measure(agent)
            lines += [{"agent": agent, "round": number, "silence_ms": silence,
                       "foreign": foreign.share} for silence in silences]
            print(f"{agent}: {', '.join(f'{silence:.0f}' for silence in silences)} ms "
                  f"(others {foreign.share:.0%})", flush=True)
    keep(options.results, "address", lines)


def run_leases(options: argparse.Namespace) -> None:
    """Power cuts under each lease, and under VRRP, in turn."""
    lines: list[dict] = []
    for number in range(options.rounds):
        for kind in leases.KINDS:
            _await_quiet()
            with Foreign() as foreign:
                found = leases.measure(kind, LEASE_CUTS)
            lines += [{"kind": kind, "round": number, "foreign": foreign.share, **each}
                      for each in found]
            silences = ", ".join(f"{each['silence_ms']:.0f}" for each in found)
            print(f"{kind}: {silences} ms "
                  f"(others {foreign.share:.0%})", flush=True)
            keep(options.results, "leases", lines)


def run_fresh(options: argparse.Namespace, binary: Path) -> None:
    """One core first, all rounds; then a group, this project and redis in turn."""
    run_program("fresh", options.results, binary, options.rounds)
    lines = kept(options.results)["fresh"]
    with Rig(fresh.NODES) as made:
        for number in range(options.rounds):
            for run in fresh.RUNS:
                _await_quiet()
                with Foreign() as foreign:
                    try:
                        line = fresh.measure(made, run, binary.with_name("group_bench"))
                    except (group.RunError, RigError) as error:
                        line = {"kind": run.kind, "failed": str(error)}
                lines.append({"style": run.style, "round": number, "foreign": foreign.share,
                              **line})
                text = line.get("failed") or f"{line['join_ms']:.0f} ms"
                print(f"fresh {run.kind} {run.style}: {text} (others {foreign.share:.0%})",
                      flush=True)
    keep(options.results, "fresh", lines)


def run_flows(options: argparse.Namespace, binary: Path) -> None:
    """This project and conntrackd in turn, in the same nodes."""
    _run_flows(options, binary, "flows", FLOW_GOALS)


def run_flow_curve(options: argparse.Namespace, binary: Path) -> None:
    """The same over the flows that are held, and over the rate."""
    _run_flows(options, binary, "flow_curve", [] if options.quick else FLOW_CURVE)


def _run_flows(options: argparse.Namespace, binary: Path, part: str,
               loads: list[flows.Load]) -> None:
    if not options.add:
        keep(options.results, part, [])
    for number in range(options.rounds):
        for load in loads:
            _await_quiet()
            lines: list[dict] = []
            with Foreign() as foreign:
                try:
                    lines += flows.measure(binary, load)
                except (group.RunError, RigError) as error:
                    lines.append({"failed": str(error), "wanted": load.flows, "rate": load.rate,
                                  "held": load.held})
            known = kept(options.results).get(part, [])
            keep(options.results, part,
                 known + [{**line, "round": number, "foreign": foreign.share} for line in lines])
            text = [line.get("failed") or f"{line['style']} {line['seconds']:.2f} s"
                    for line in lines]
            print(f"{load.flows} flows at {load.rate}/s beside {load.held}: {', '.join(text)} "
                  f"(others {foreign.share:.0%})", flush=True)


def _round(results: Path, made: Rig, run: Run, binary: Path, number: int) -> None:
    _await_quiet()
    with Foreign() as foreign:
        try:
            if run.style == "redis":
                line = redis_pair.measure(made, run)
            else:
                line = group.measure(made, run, binary)
        except (group.RunError, RigError) as error:
            line = {"failed": str(error)}
    line = {**asdict(run), "round": number, "foreign": foreign.share, **line}
    keep(results, "group", [*kept(results).get("group", []), line])
    text = line.get("failed") or {
        "flood": lambda: f"{line['updates_per_s']:.0f} updates/s",
        "paced": lambda: f"p99 {line['latency']['p99_ms']:.1f} ms",
        "join": lambda: f"{line['join_ms']:.0f} ms, p99 "
                        f"{line['latency_of_join']['p99_ms']:.1f} ms",
    }[run.mode]()
    plain = "" if run.crypto else " unencrypted"
    print(f"{run.mode} {run.style} nodes={run.nodes} records={run.records}{plain}: {text} "
          f"(others {foreign.share:.0%})", flush=True)


class Foreign:
    """The share of the cores that processes other than ours used meanwhile."""

    def __init__(self) -> None:
        self.share = 0.0

    def __enter__(self) -> Foreign:
        self._began = time.monotonic()
        self._busy, self._ours = _busy(), _ours()
        return self

    def __exit__(self, *_: object) -> None:
        seconds = time.monotonic() - self._began
        foreign = (_busy() - self._busy) - (_ours() - self._ours)
        self.share = max(0.0, foreign / seconds / (os.cpu_count() or CORES))


def _await_quiet() -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with Foreign() as foreign:
            _pause(0.5)
        if foreign.share < QUIET:
            return


def _pause(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.05)


def _busy() -> float:
    """CPU seconds of the whole machine that were not idle."""
    words = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _wait, irq, softirq, _steal = map(int, words)
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _ours() -> float:
    """Of this process and, as init of its pid namespace, of all others in it, ended ones too."""
    used = sum(os.times()[:4])
    if os.getpid() != 1:
        return used
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name != "1":
            try:
                used += cpu_seconds(int(folder.name))
            except (FileNotFoundError, ProcessLookupError):
                continue  # Has ended; its parent has the time.
    return used


def kept(results: Path) -> dict:
    return json.loads(results.read_text(encoding="utf-8")) if results.exists() else {}


def keep(results: Path, part: str, lines: list[dict]) -> None:
    """Replaces what is kept of a part."""
    found = {**kept(results), part: lines}
    results.parent.mkdir(parents=True, exist_ok=True)
    fresh = results.with_suffix(".new")
    fresh.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    fresh.replace(results)
