# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import copy
import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

from vpnlab.evidence import result
from vpnlab.evidence.result import ClientResult, ClientSeries, Event, OwnerChange, Result


def sample() -> Result:
    return Result(
        "l2tp-power-cut", True, 7,
        expectations=[result.Expectation("outage_ms <= 2500", 2500, 1200.5, True)],
        faults=[result.Fault(1000.0, "power-off", "gw1")],
        served_by=[result.ServedBy(0.0, "gw1"), result.ServedBy(2100.0, "gw2")],
        clients=[ClientResult("client1", "l2tp", outage_ms=1200.5, pings_sent=10, pings_lost=2)],
        vip=result.Vip(1, 0.0),
        leftovers=[result.Leftover("gw2", "route 10.200.0.10")],
        timeline=[result.TimelineEntry(1000.0, "gw1", "fault: power-off")])


class SchemaTest(unittest.TestCase):
    def test_every_field_of_every_type_is_in_the_schema_and_the_other_way_round(self) -> None:
        schema = json.loads(result.SCHEMA_PATH.read_text(encoding="utf-8"))
        properties = schema["properties"]
        pairs: list[tuple[type, Any]] = [
            (Result, schema), (result.Vip, properties["vip"]),
            (result.Phases, properties["phases_ms"]),
            (result.Invariants, properties["invariants"])]
        pairs += [(kind, properties[name]["items"]) for kind, name in (
            (result.Expectation, "expectations"), (result.Fault, "faults"),
            (result.ServedBy, "served_by"), (ClientResult, "clients"),
            (result.Leftover, "leftovers"), (result.TimelineEntry, "timeline"))]
        for kind, node in pairs:
            with self.subTest(kind.__name__):
                self.assertEqual(result.json_fields(kind), list(node["properties"]))
                self.assertEqual(result.json_fields(kind), node["required"])
                self.assertIs(False, node["additionalProperties"])

    def test_a_good_result_is_valid_and_survives_the_file(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            self.assertEqual([], sample().write(Path(scratch)))
            data = json.loads((Path(scratch) / "result.json").read_text(encoding="utf-8"))
        self.assertEqual(sample().to_dict(), data)
        self.assertNotIn("series", data["clients"][0])

    def test_names_what_is_wrong(self) -> None:
        def change(*path: Any, value: Any) -> dict[str, Any]:
            data = copy.deepcopy(sample().to_dict())
            node: Any = data
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = value
            return data

        cases = (
            ("clients/0/outage_ms", change("clients", 0, "outage_ms", value="long")),
            ("clients/0/pings_sent", change("clients", 0, "pings_sent", value=-1)),
            ("clients/0/tcp_resets", change("clients", 0, "tcp_resets", value=1.5)),
            ("seed", change("seed", value=None)),
            ("'extra' was unexpected", change("extra", value=1)),
            ("outage_ms <= 2500", change("expectations", 0, "ok", value=False)),
            ("order of time", change("served_by", 0, "t_ms", value=9999.0)),
            ("more pings lost", change("clients", 0, "pings_lost", value=11)),
            ("same name", change("clients", value=sample().to_dict()["clients"] * 2)),
        )
        for expected, data in cases:
            with self.subTest(expected):
                problems = result.validate(data)
                self.assertTrue(any(expected in problem for problem in problems), problems)
        missing = sample().to_dict()
        del missing["clients"][0]["ike_exchanges"]
        self.assertIn("'ike_exchanges' is a required property", result.validate(missing)[0])


class PhasesTest(unittest.TestCase):
    EVENTS = [
        Event(99.0, "gw2", "gate-open", "before the fault"),
        Event(100.7, "gw3", "membership-lost", ""), Event(100.6, "gw2", "membership-lost", ""),
        Event(101.0, "gw3", "fence-confirmed", ""), Event(101.2, "gw2", "promoted", ""),
        Event(101.25, "gw2", "gate-open", ""), Event(150.0, "gw3", "first-frame", ""),
    ]

    def test_the_first_of_each_kind_after_the_fault(self) -> None:
        got = result.phases_ms(self.EVENTS, 100.0)
        self.assertEqual((600.0, 1000.0, 1200.0, 1250.0, 50000.0),
                         (got.detected, got.fenced, got.promoted, got.open, got.first_packet))

    def test_what_belongs_to_the_next_fault_is_not_seen(self) -> None:
        self.assertIsNone(result.phases_ms(self.EVENTS, 100.0, 140.0).first_packet)


class SeriesTest(unittest.TestCase):
    def test_times_are_milliseconds_since_the_run_began(self) -> None:
        client = ClientResult("client1", "l2tp")
        client.series = ClientSeries([(10.5, 0.001), (10.6, None)], [(10.7, 42)], (10.5, 11.5))
        with tempfile.TemporaryDirectory() as scratch:
            path = result.write_series(
                Path(scratch), [client], t0=10.0, t_end=12.0,
                events=[Event(11.0, "gw2", "promoted", "x")], owners=[OwnerChange(10.0, "gw1")],
                faults=[result.Fault(500.0, "power-off", "gw1")])
            data = json.loads(path.read_text(encoding="utf-8"))
        self.assertEqual([[500.0, 1.0], [600.0, None]], data["clients"][0]["pings"])
        self.assertEqual([[700.0, 42]], data["clients"][0]["tcp_echoed"])
        self.assertEqual([500.0, 1500.0], data["clients"][0]["outage"])
        self.assertEqual(2000.0, data["t_end_ms"])
        self.assertEqual({"t_ms": 1000.0, "node": "gw2", "kind": "promoted", "text": "x"},
                         data["events"][0])


if __name__ == "__main__":
    unittest.main()
