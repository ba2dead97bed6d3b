# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import io
import json
import os
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

import report_sample
from vpnlab.report import report, report_svg


class Page(HTMLParser):
    """Collects what a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe"):
            self.outside.append(tag)
        self.outside += [name for name, _ in attrs if name in ("src", "href") or name[:2] == "on"]


class ReportTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = Path(scratch.name)
        self.runs = [("Ours <1>", report_sample.survives(self.dir / "a")),
                     ("Today's", report_sample.dies(self.dir / "b"))]

    def page(self) -> str:
        report.write_report(self.runs, self.dir / "out" / "report.html")
        return (self.dir / "out" / "report.html").read_text(encoding="utf-8")

    def test_the_page_stands_alone_and_its_drawings_are_well_formed(self) -> None:
        text = self.page()
        page = Page()
        page.feed(text)
        self.assertEqual([], page.outside)
        self.assertNotIn("url(", text)
        for chunk in text.split("<svg")[1:]:
            ElementTree.fromstring("<svg" + chunk.split("</svg>")[0] + "</svg>")
        self.assertIn("Ours &lt;1&gt;", text)
        self.assertNotIn("Ours <1>", text)
        self.assertNotIn("$", text)
        self.assertIn("received nothing for 1.18\N{NO-BREAK SPACE}s, then", text)

    def test_draws_probes_losses_owners_and_events(self) -> None:
        run = report.load_run(*self.runs[0])
        svg = report_svg.draw_run(run.result, run.series, run.label)
        root = ElementTree.fromstring(svg)
        paths = {path.get("class"): path.get("d") or "" for path in root.iter("path")}
        start, end = report_svg.window(run.series)
        pings = [rtt for t, rtt in run.series["clients"][0]["pings"] if start <= t <= end]
        self.assertEqual(sum(rtt is not None for rtt in pings), paths["dots"].count("M"))
        self.assertEqual(sum(rtt is None for rtt in pings), paths["lost"].count("M"))
        texts = [text.text or "" for text in root.iter("text")]
        for expected in ("silence 1.18 s", "power cut, gw1", "seconds from the first fault",
                         "+0.66 s gw1 left the membership", "gw2",
                         "+1.11 s promoted, gate open: epoch 2.2, 1 session",
                         "noticing 660 ms, fencing 360 ms, takeover 120 ms"):
            self.assertIn(expected, texts)
        self.assertFalse([text for text in texts if "members list" in text or "StopCCN" in text])

    def test_nothing_is_drawn_of_the_time_before_the_first_probe(self) -> None:
        run = report.load_run(*self.runs[1])
        pings = run.series["clients"][0]["pings"]
        del pings[:300]
        self.assertEqual(pings[0][0], report_svg.window(run.series)[0])

    def test_labels_do_not_overlap(self) -> None:
        marks = [110.0, 112.0, 113.0, 400.0, 950.0, 990.0]
        labels = ["a" * 30, "b" * 10, "c" * 40, "d" * 20, "e" * 25, "f" * 12]
        placed = report_svg.place_labels(marks, labels, 100.0, 1000.0)
        boxes = [(at.row, at.x, at.x + len(label) * report_svg.GLYPH_WIDTH)
                 for at, label in zip(placed, labels)]
        for i, (row, start, end) in enumerate(boxes):
            self.assertFalse(start < marks[i] < end)
            self.assertLessEqual(end, 1000.0)
            for other_row, other_start, other_end in boxes[i + 1:]:
                self.assertTrue(row != other_row or end <= other_start or other_end <= start)

    def test_verdicts(self) -> None:
        ours, today = (report.load_run(*run) for run in self.runs)
        found = report.verdict(ours)
        self.assertTrue(found.kept)
        self.assertEqual("The session survived: client1 received nothing for 1.18 s, then it "
                         "continued.", found.headline)
        self.assertIn("noticing 660 ms, fencing 360 ms, takeover 120 ms", found.text)
        ours.result["clients"][0].update(l2tp_setups=1, auth_exchanges=2)
        changed = report.verdict(ours)
        self.assertFalse(changed.kept)
        self.assertIn("did not survive unchanged", changed.headline)
        self.assertIn("1 new L2TP tunnel, 2 new logins", changed.text)
        dead = report.verdict(today)
        self.assertFalse(dead.kept)
        self.assertEqual("The session died: client1 never got another answer.", dead.headline)
        self.assertIn("62.0 s", dead.text)
        self.assertIn("had the addresses after 1.30 s, but not the session", dead.text)

    def test_of_several_clients_the_others_are_shown_as_well(self) -> None:
        run = report.load_run(*self.runs[1])
        alone = report.verdict(run)
        for name, again in (("client2", True), ("client3", False)):
            run.result["clients"].append({**run.result["clients"][0], "name": name,
                                          "protocol": "ikev2", "outage_ms": 12400.0})
            run.series["clients"].append({**run.series["clients"][0], "name": name,
                                          "answered_again": again})
        found = report.verdict(run)
        self.assertEqual(alone.headline, found.headline)
        self.assertEqual(alone.text + " client2 (IKEv2) received nothing for 12.4 s. client3 "
                         "(IKEv2) received nothing for 12.4 s, until the end of the recording.",
                         found.text)

    def test_a_dead_session_that_nobody_gave_up_yet_is_not_called_undisturbed(self) -> None:
        runs = [report.load_run(*run) for run in self.runs]
        # This one gave up: what it did not do, it did not do.
        self.assertNotIn("None yet", report.table_note(runs))
        self.assertNotIn("still waits", report.verdict(runs[1]).text)
        runs[1].result["clients"][0]["interface_changes"] = 0
        rows = {label: cells for _, label, cells in report.figures(runs)}
        self.assertEqual(["0", "none yet"], rows["New L2TP tunnels"])
        self.assertIn("still waits for the dead session", report.verdict(runs[1]).text)
        self.assertIn("None yet", report.table_note(runs))
        self.assertNotIn("None yet", report.table_note(runs[:1]))

    def test_rows_without_any_observation_are_left_out(self) -> None:
        runs = [report.load_run(*run) for run in self.runs]
        for run in runs:
            run.result["clients"][0]["l2tp_setups"] = None
        labels = [label for _, label, _ in report.figures(runs)]
        self.assertNotIn("New L2TP tunnels", labels)
        self.assertIn("Logins", labels)

    def test_rows_of_other_protocols_are_left_out_unless_something_was_seen(self) -> None:
        runs = [report.load_run(*run) for run in self.runs]
        self.assertNotIn("IKE exchanges", [label for _, label, _ in report.figures(runs)])
        runs[0].result["clients"][0]["protocol"] = "l2tp-ipsec"
        self.assertIn("IKE exchanges", [label for _, label, _ in report.figures(runs)])
        self.assertNotIn("CCP exchanges", [label for _, label, _ in report.figures(runs)])
        runs[1].result["clients"][0]["ccp_exchanges"] = 1
        self.assertIn("CCP exchanges", [label for _, label, _ in report.figures(runs)])

    def test_the_band_ends_where_its_node_was_struck(self) -> None:
        run = report.load_run(*self.runs[0])
        root = ElementTree.fromstring(report_svg.draw_run(run.result, run.series, "x"))
        gw1 = next(rect for rect in root.iter("rect") if rect.get("class") == "node0")
        gw2 = next(rect for rect in root.iter("rect") if rect.get("class") == "node1")
        self.assertGreater(float(gw2.get("x") or 0) - float(gw1.get("x") or 0)
                           - float(gw1.get("width") or 0), 100.0)

    def test_a_run_without_clients_and_faults_can_be_reported(self) -> None:
        for name in ("result.json", "series.json"):
            path = self.runs[0][1] / name
            data = json.loads(path.read_text(encoding="utf-8"))
            data.update(clients=[], faults=[])
            path.write_text(json.dumps(data), encoding="utf-8")
        self.assertIn("Nothing was observed.", self.page())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class SummaryTest(unittest.TestCase):
    def summary(self, stream: io.StringIO, **environment: str) -> str:
        with tempfile.TemporaryDirectory() as scratch, mock.patch.dict(os.environ, environment):
            if not environment:
                os.environ.pop("NO_COLOR", None)
            path = Path(scratch)
            report.print_summary([("With vpnha", report_sample.survives(path / "a")),
                                  ("Today's stack", report_sample.dies(path / "b"))], stream)
        return stream.getvalue()

    def test_fits_eighty_columns_and_shows_both_stories(self) -> None:
        text = self.summary(io.StringIO())
        self.assertLessEqual(max(len(line) for line in text.splitlines()), 80)
        for expected in ("The session survived: ", "The session died: ", "gw1       power cut",
                         "+0.66 s  gw2, gw3  gw1 left the membership",
                         "+1.11 s  gw2       promoted, gate open: epoch 2.2, 1 session",
                         "Probes lost of those sent"):
            self.assertIn(expected, text)
        for noise in ("hangs up", "StopCCN", "members list", "epoch claimed"):
            self.assertNotIn(noise, text)

    def test_four_runs_fit_as_well_with_whole_cells(self) -> None:
        stream = io.StringIO()
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch)
            ours, today = report_sample.survives(path / "a"), report_sample.dies(path / "b")
            report.print_summary([("vpnha", ours), ("vpnha, waiting", ours),
                                  ("today's stack", today), ("strongSwan's HA pair", today)],
                                 stream)
        lines = stream.getvalue().splitlines()
        self.assertLessEqual(max(map(len, lines)), 80)
        rows = [row.split() for row in lines]
        self.assertIn(["vpnha", "vpnha,", "today's", "strongSwan's"], rows)
        self.assertIn(["sent", "60/400", "60/400", "3,100/3,100", "3,100/3,100"], rows)

    def test_colours_only_a_terminal_that_wants_it(self) -> None:
        self.assertNotIn("\033[", self.summary(io.StringIO()))
        self.assertIn("\033[", self.summary(Terminal()))
        self.assertNotIn("\033[", self.summary(Terminal(), NO_COLOR="1"))


if __name__ == "__main__":
    unittest.main()
