# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import unittest
from typing import Any

from vpnlab.report.report_events import Moment, kept, merged, plain


def event(t_ms: float, node: str, kind: str, text: str) -> dict[str, Any]:
    return {"t_ms": t_ms, "node": node, "kind": kind, "text": text}


def series(*events: dict[str, Any], last_ping: float | None = 5000.0,
           outage: tuple[float, float] | None = None) -> dict[str, Any]:
    client = {"pings": [[0.0, 1.0], [last_ping, None]] if last_ping else [], "outage": outage}
    return {"events": list(events), "clients": [client], "t_end_ms": 9000.0}


class KeptTest(unittest.TestCase):
    def test_what_no_reader_needs_is_left_out(self) -> None:
        found = kept(series(event(1, "lab", "step", "power cut of gw1"),
                            event(2, "gw2", "members", "members list=2,3"),
                            event(4, "gw2", "fence-failed", "fencing of gw1 failed"),
                            event(3, "gw3", "token-lost", "token lost")))
        self.assertEqual(["token lost", "fencing of gw1 failed"], [each.text for each in found])

    def test_the_story_ends_with_the_last_probe(self) -> None:
        late = event(5001, "gw2", "session-down", "session ended")
        self.assertEqual([], kept(series(late)))
        self.assertEqual(1, len(kept(series(late, outage=(10.0, 6000.0)))))
        self.assertEqual(1, len(kept(series(late, last_ping=None))))


class MergedTest(unittest.TestCase):
    def test_one_event_at_several_nodes_is_one(self) -> None:
        self.assertEqual([Moment(1.0, ("gw2", "gw3"), "a", "x"), Moment(2.0, ("gw2",), "a", "y")],
                         merged([Moment(1.0, ("gw3",), "a", "x"), Moment(1.5, ("gw2",), "a", "x"),
                                 Moment(2.0, ("gw2",), "a", "y"),
                                 Moment(3.0, ("gw3",), "a", "x")]))

    def test_the_same_event_long_after_is_another(self) -> None:
        found = merged([Moment(1.0, ("gw3",), "a", "x"), Moment(1002.0, ("gw3",), "a", "x")])
        self.assertEqual(2, len(found))


class PlainTest(unittest.TestCase):
    def test_nodes_have_their_names(self) -> None:
        self.assertEqual("gw2 left the membership",
                         plain("membership-lost", "node 2 left the membership"))
        self.assertEqual("gw1, gw3, node 77 joined the membership",
                         plain("membership-joined", "node 1 3 77 joined the membership"))

    def test_a_promotion_in_words(self) -> None:
        text = "now promoted gateway=l2tp epoch=2.3 sessions={}"
        self.assertEqual("promoted, gate open: epoch 2.3, 1 session",
                         plain("promoted", text.format(1)))
        self.assertEqual("promoted, gate open: epoch 2.3, 0 sessions",
                         plain("promoted", text.format(0)))

    def test_the_tag_of_the_log_goes(self) -> None:
        self.assertEqual("session up 192.0.2.51:1701",
                         plain("session-up", "session up gateway=l2tp epoch=1.2 192.0.2.51:1701"))


if __name__ == "__main__":
    unittest.main()
