# SPDX-License-Identifier: GPL-2.0-or-later
"""What the rate of a session costs a packet, beside accel-ppp's shaper and beside no rate.

Purpose: the table of rates in docs/explain/performance.md (`tests/bench/run --only rates`).

Topology: gw1 alone. In a network namespace of it are a thousand pairs of devices: one of each pair
is a session's, the other one is its client's.

Steps: in each round the sessions have no rate, then vpnhad's, set by its own code, then that of
accel-ppp's shaper, set by tc. Packets go over one session, over a hundred in turns, and over all:
to the clients, and from them. The rates are higher than what one core sends. No fault. rates.json
has all figures.

Expected: all packets arrive. What is dropped costs less than what arrives.
"""
import json

from vpnlab.evidence.expectation import equals
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.rates import Sessions

SCENARIO = Scenario(nodes=("gw1",))
LIMITED, LOADED = 1_000, (1, 100, 1_000)
ROUNDS = 7
FILE = "rates.json"


def steps(run: Run) -> None:
    run.step(f"devices of {LIMITED} sessions")
    sessions = Sessions(run.lab.gateway("gw1"), LIMITED)
    lines: list[dict] = []
    for number in range(ROUNDS):
        for limit, set_all in sessions.limits():
            run.step(f"round {number}: {limit}")
            sessions.clear()
            set_all()
            lines += [{"limit": limit, "round": number, **line}
                      for line in sessions.flood(LOADED)]
    (run.out / FILE).write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    run.expect("packets_lost", sum(line["packets"] - line["arrived"] for line in lines), equals(0))
