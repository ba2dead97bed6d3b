# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs of the lab that lease.pml must accept, and runs with a planted fault that are refused."""
from __future__ import annotations

import copy
import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SPEC = HERE.parent.parent / "spec"
sys.path.insert(0, str(SPEC))

# The path must be set first.
import pan  # noqa: E402
import trace_of_lab as trace  # noqa: E402

SECONDS = 120.0


def golden(name: str) -> dict[str, Any]:
    return json.loads((HERE / "golden" / f"{name}.json").read_text(encoding="utf-8"))


def line(run: dict[str, Any], node: str, text: str) -> dict[str, Any]:
    return next(event for event in run["timeline"]
                if event["node"] == node and text in event["event"])


def search(run: dict[str, Any]) -> trace.Search:
    with tempfile.TemporaryDirectory() as folder:
        return trace.search(trace.read(run), Path(folder), SECONDS)


class GoldenTest(unittest.TestCase):
    def test_the_events_of_a_takeover(self) -> None:
        run = trace.read(golden("stand-in"))
        self.assertEqual([(event.node, event.kind, trace.name_of(event.epoch))
                          for event in run.events],
                         [(1, "GRANT", "1.2"), (1, "CRASH", "0.0"), (2, "GRANT", "2.3")])
        self.assertTrue(run.events[2].asked)

    def test_each_is_accepted(self) -> None:
        for name in ("stand-in", "planned-moves", "witness"):
            with self.subTest(name):
                run = golden(name)
                self.assertEqual(trace.faults(trace.read(run)), [])
                self.assertEqual(search(run).text, "accepted")


class PlantedTest(unittest.TestCase):
    def test_two_owners_at_a_time(self) -> None:
        run = golden("planned-moves")
        line(run, "gw2", "why=handed_over")["t_ms"] += 100
        run["timeline"].sort(key=lambda event: event["t_ms"])
        self.assertEqual(trace.faults(trace.read(run)),
                         ["epochs 1.2 and 2.1 have two owners for 84 ms"])

    def test_an_epoch_that_is_not_higher(self) -> None:
        run = golden("stand-in")
        event = line(run, "gw3", "granted=")
        event["event"] = event["event"].replace("granted=2.3", "granted=1.1")
        self.assertIn("epoch 1.1 is granted after 1.2", trace.faults(trace.read(run)))

    def test_a_grant_without_a_majority(self) -> None:
        run = golden("stand-in")
        cut = copy.deepcopy(line(run, "gw2", "power-off"))
        cut["node"] = "gw1"
        run["timeline"].insert(run["timeline"].index(line(run, "gw2", "power-off")), cut)
        for event in run["timeline"]:
            event["t_ms"] += 5000 * (event["node"] == "gw3" and event["t_ms"] > cut["t_ms"])
        self.assertEqual(trace.faults(trace.read(run)), [])
        self.assertEqual(search(run).text, "refused at 43323 ms: node 3 GRANT 2.3")

    def test_a_handover_without_a_demotion_is_one_of_a_node_that_yields(self) -> None:
        run = golden("planned-moves")
        self.assertEqual([event.kind for event in trace.read(run).of(1)][:3],
                         ["GRANT", "DRAIN", "HAND"])
        run["timeline"].remove(line(run, "gw2", "draining"))
        self.assertEqual([event.kind for event in trace.read(run).of(1)][:3],
                         ["GRANT", "DRAIN", "HAND"])


class NotCoveredTest(unittest.TestCase):
    def test_two_nodes_alone_are_named(self) -> None:
        run = golden("stand-in")
        run["timeline"] = [event for event in run["timeline"] if event["node"] != "gw1"]
        with self.assertRaisesRegex(trace.NotCovered, "2 nodes without a witness"):
            trace.read(run)

    def test_a_confirmed_death_is_named(self) -> None:
        run = golden("witness")
        run["timeline"].append({"t_ms": 1e6, "node": "gw1", "event": "alone: node 2"})
        with self.assertRaisesRegex(trace.NotCovered, "word"):
            trace.read(run)


class PanTest(unittest.TestCase):
    def test_a_limit_is_no_success(self) -> None:
        self.assertEqual(pan.outcome("State-vector 1 byte, depth reached 9, errors: 0\n"
                                     "error: max search depth too small\n"
                                     " 12 states, stored\n", 1.0).result, "not exhausted")
        self.assertEqual(pan.outcome("", 1.0).result, "not exhausted")

    def test_a_broken_invariant_has_its_name(self) -> None:
        found = pan.outcome("pan:1: assertion violated (d[n].epoch>=top) (at depth 3)\n"
                            "depth reached 9, errors: 1\n 12 states, stored\n", 1.0)
        self.assertEqual((found.result, found.states), ("BROKEN: epochs grow", 12))


if __name__ == "__main__":
    unittest.main()
