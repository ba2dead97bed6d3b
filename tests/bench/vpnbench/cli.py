# SPDX-License-Identifier: GPL-2.0-or-later
"""run [--quick] [--rounds N] [--only PART] [--add]: builds the benchmarks, runs them and writes the
tables of docs/explain/performance.md.

Needs root for gate and flows, for address, fresh, leases, gateways and group, whose nodes are sets
of namespaces with a corosync each, and for takeovers, standing_in, pairs, moves, throughput, sizes,
rates and comparisons, which run in the lab. flow_curve holds 500 000 flows, and both nodes' share
one table: on the machine's own namespace nf_conntrack_max and the buckets are raised for as long.
The address (ten minutes), the leases and what runs in the lab (each a quarter to half an hour;
rates some minutes, comparisons an hour a round) are measured with what the release preset built,
and only when they are asked for. Rounds wait for a quiet machine, and show what others used of it
meanwhile. Comparisons are kept run by run: with --minutes and --add they are made in slices.
"""
from __future__ import annotations

import argparse
import contextlib
import math
import os
import subprocess
import sys
from pathlib import Path

from . import comparisons, flows, report, rig, rounds, takeovers

ROOT = Path(__file__).resolve().parents[3]
PARTS = {"records": "record_bench", "memory": "memory_bench", "idle": "idle_bench",
         "views": "view_bench", "gate": "gate_bench", "gateways": "gateway_bench",
         "fresh": "fresh_bench",
         "pptp": "pptp_bench", "wireguard": "wireguard_bench", "flow_steps": "flow_bench",
         "flows": "flow_group_bench",
         "flow_curve": "flow_group_bench", "group": "group_bench"}
# In nodes on this host; see rig.py.
ADDRESS, LEASES = "address", "leases"
IN_NODES = {ADDRESS: lambda options, _binary: rounds.run_address(options),
            LEASES: lambda options, _binary: rounds.run_leases(options),
            "fresh": rounds.run_fresh,
            "gateways": rounds.run_gateways, "flows": rounds.run_flows,
            "flow_curve": rounds.run_flow_curve, "group": rounds.run_group}
# Both nodes' entries stand in the machine's one table.
OF_FLOWS = {"flows", "flow_curve"}
IN_THE_LAB = {"takeovers": takeovers.measure, "standing_in": takeovers.measure_standing_in,
              "pairs": takeovers.measure_pairs, "moves": takeovers.measure_moves,
              "throughput": takeovers.measure_throughput, "sizes": takeovers.measure_sizes,
              "rates": takeovers.measure_rates}
# Built for a part beside its own program, or for one that has none.
ALSO_BUILT = {"fresh": "group_bench", "rates": "rates_bench"}
# In the lab as well, run by run.
COMPARISONS = "comparisons"
# Without a program of their own.
WHEN_ASKED_FOR = (ADDRESS, LEASES, *IN_THE_LAB, COMPARISONS)
OF_ROOT = {"gate", "flow_steps", *IN_THE_LAB, COMPARISONS, *IN_NODES}


def main() -> int:
    options = _parse()
    binaries = options.build / "tests/bench"
    if options.inside:
        rig.confine()
        IN_NODES[options.inside](options, binaries / PARTS.get(options.inside, ""))
        return 0
    if not options.report:
        parts = options.only or list(PARTS)
        _build(options.build, _targets(parts))
        for part in parts:
            if part == COMPARISONS:
                comparisons.measure(options.results, part, options.build / part,
                                    options.rounds, options.minutes, options.add)
            elif part in IN_THE_LAB:
                earlier = rounds.kept(options.results).get(part, []) if options.add else []
                rounds.keep(options.results, part,
                            earlier + IN_THE_LAB[part](options.build / part))
            elif part in IN_NODES:
                with flows.room() if part in OF_FLOWS else contextlib.nullcontext():
                    status = rig.isolate([sys.executable, *sys.argv, "--inside", part])
                if status:
                    return status
            else:
                rounds.run_program(part, options.results, binaries / PARTS[part], options.rounds)
    report.write(options.results, options.document, options.pictures)
    print(f"results: {options.results}\ntables: {options.document}")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement (5)")
    parser.add_argument("--quick", action="store_true", help="the goals only, no curves")
    parser.add_argument("--only", action="append", choices=[*PARTS, *WHEN_ASKED_FOR],
                        metavar="PART", help=f"one of {', '.join([*PARTS, *WHEN_ASKED_FOR])}; "
                                             "repeatable")
    parser.add_argument("--add", action="store_true",
                        help="keep earlier rounds of the group, of flows and of what runs in the "
                             "lab; continue with those of comparisons")
    parser.add_argument("--minutes", type=float, default=math.inf, metavar="M",
                        help="begin no run of comparisons later (default: no limit)")
    parser.add_argument("--report", action="store_true", help="write the tables, measure nothing")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--results", type=Path, default=ROOT / "build/bench/results.json")
    parser.add_argument("--document", type=Path, default=ROOT / "docs/explain/performance.md")
    parser.add_argument("--pictures", type=Path, default=ROOT / "docs/pictures")
    parser.add_argument("--inside", choices=IN_NODES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    of_root = OF_ROOT & set(options.only or PARTS)
    if of_root and not options.report and os.geteuid():
        parser.error(f"{', '.join(sorted(of_root))} need root; without it: --only records "
                     "--only memory --only idle --only views --only pptp --only wireguard")
    return options


def _targets(parts: list[str]) -> list[str]:
    return sorted({programs[part] for programs in (PARTS, ALSO_BUILT)
                   for part in parts if part in programs})


def _build(folder: Path, targets: list[str]) -> None:
    commands = (["cmake", "--preset", "release", "-B", str(folder)],
                ["cmake", "--build", str(folder), "--target", *targets]) if targets else ()
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"run: {' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
