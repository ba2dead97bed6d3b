# SPDX-License-Identifier: GPL-2.0-or-later
"""What monitoring.py must find, and must let pass."""
from __future__ import annotations

import copy
import json
import unittest
from typing import Any
from unittest import mock

import monitoring

SAMPLE = """\
# HELP vpnha_role 1 for this node's role.
vpnha_role{gateway="dialin",role="promoted"} 1
vpnha_role{gateway="dialin",role="unpromoted"} 0
vpnha_up 1
"""
KNOWN = monitoring.known_of(SAMPLE)
ALERT = {"alert": "VpnhaDaemonGone", "expr": "vpnha_up == 0", "for": "2m",
         "labels": {"severity": "warning"},
         "annotations": {"summary": "{{ $labels.instance }}", "description": "x",
                         "runbook": "runbooks.md#a-way-out"}}
ANCHORS = {"runbooks.md": {"a-way-out"}}
PANEL = {"id": 1, "type": "timeseries", "title": "x", "description": "x",
         "datasource": {"type": "prometheus", "uid": "${datasource}"},
         "gridPos": {"h": 2, "w": 8, "x": 0, "y": 0},
         "fieldConfig": {"defaults": {"unit": "s"}, "overrides": []}, "options": {"legend": {}},
         "targets": [{"refId": "A", "datasource": {"type": "prometheus", "uid": "${datasource}"},
                      "expr": 'vpnha_role{gateway=~"$gateway"}', "legendFormat": "x",
                      "range": True, "instant": False}]}
DASHBOARD = {"uid": "vpnha", "title": "vpnha", "schemaVersion": 36,
             "time": {"from": "now-6h", "to": "now"}, "annotations": {"list": []},
             "templating": {"list": []}, "panels": [PANEL]}


def tests(fires: list[set[str]], quiet: set[str]) -> monitoring.Tests:
    return monitoring.Tests({"VpnhaDaemonGone": fires} if fires else {},
                            {"VpnhaDaemonGone": quiet})


TESTED = tests([{"alertname", "instance"}], {"vpnha_up"})


def without(tree: Any, *path: Any) -> Any:
    found = copied = copy.deepcopy(tree)
    for part in path[:-1]:
        found = found[part]
    del found[path[-1]]
    return copied


class SelectorTest(unittest.TestCase):
    def faults(self, expr: str) -> list[str]:
        return list(monitoring.selector_faults("x", expr, KNOWN))

    def test_what_the_sample_has_passes(self):
        for expr in ('sum by (instance, gateway) (vpnha_up[5m] offset 1h) > bool 1e3',
                     'vpnha_role{role=~"promoted|unpromoted",cluster="a",gateway=~"$gateway"}',
                     'vpnha_up and on (instance) vpnha_role{role="promoted"} == 1',
                     'rate(vpnha_role{role=~".*promoted[ ]?"}[5m])'):
            self.assertEqual(self.faults(expr), [], expr)

    def test_what_it_has_not_is_named(self):
        self.assertEqual(self.faults("vpnha_down == 1"), ["x: there is no metric vpnha_down"])
        self.assertEqual(self.faults('vpnha_role{node="1"}'), ["x: vpnha_role has no label node"])
        self.assertEqual(self.faults('vpnha_role{role="promotes"}'),
                         ['x: vpnha_role has no role="promotes"'])
        self.assertEqual(self.faults('vpnha_role{role=~"promoted|gone"}'),
                         ["x: vpnha_role has no role like gone"])

    def test_a_recorded_series_has_the_labels_of_what_it_is_made_of(self):
        known = copy.deepcopy(KNOWN)
        monitoring.add_recorded({"record": "a:b", "expr": "vpnha_up and vpnha_role"}, known)
        self.assertEqual(list(monitoring.selector_faults("x", 'a:b{role="promoted"}', known)), [])
        self.assertEqual(len(list(monitoring.selector_faults("x", 'a:b{role="x"}', known))), 1)


class AlertTest(unittest.TestCase):
    def faults(self, *alerts: Any, tested: monitoring.Tests = TESTED) -> list[str]:
        return list(monitoring.alert_faults(alerts, ANCHORS, tested))

    def test_a_whole_alert_passes(self):
        self.assertEqual(self.faults(ALERT), [])

    def test_what_is_missing_is_named(self):
        self.assertIn("VpnhaDaemonGone: twice", self.faults(ALERT, ALERT))
        self.assertIn("severity", self.faults(without(ALERT, "labels"))[0])
        for text in monitoring.TEXTS:
            self.assertIn(f"VpnhaDaemonGone: it has no {text}",
                          self.faults(without(ALERT, "annotations", text)))
        lost = {**ALERT, "annotations": {**ALERT["annotations"], "runbook": "runbooks.md#gone"}}
        self.assertEqual(self.faults(lost), ["VpnhaDaemonGone: runbooks.md has no heading #gone"])

    def test_each_has_both_tests(self):
        self.assertEqual(self.faults(ALERT, tested=tests([], {"vpnha_up"})),
                         ["VpnhaDaemonGone: no test fires it"])
        for quiet in (set(), {"vpnha_other"}):
            self.assertEqual(self.faults(ALERT, tested=tests([{"instance"}], quiet)), [
                "VpnhaDaemonGone: no test has its metrics and does not fire it"])

    def test_its_texts_name_labels_that_it_has(self):
        self.assertEqual(self.faults(ALERT, tested=tests([{"gateway"}], {"vpnha_up"})),
                         ["VpnhaDaemonGone: its texts name instance, which it has not"])

    def test_headings_become_anchors(self):
        self.assertEqual(monitoring.anchors_of("# A: b, `c`\ntext\n## The lease's end\n"),
                         {"a-b-c", "the-leases-end"})

    def test_the_page_has_a_row_for_each(self):
        row = "| `VpnhaDaemonGone` | warning | x | [A way out](operate/runbooks.md#a-way-out) |"
        self.assertEqual(list(monitoring.table_faults([ALERT], row)), [])
        for page in ("", row.replace("warning", "info"), row.replace("#a-way", "#no-way")):
            self.assertEqual(len(list(monitoring.table_faults([ALERT], page))), 1)
        self.assertEqual(list(monitoring.table_faults([], row)),
                         ["monitoring.md: there is no alert VpnhaDaemonGone"])


class DashboardTest(unittest.TestCase):
    def faults(self, dashboard: Any) -> list[str]:
        return list(monitoring.dashboard_faults(dashboard, KNOWN))

    def test_a_whole_one_passes(self):
        self.assertEqual(self.faults(DASHBOARD), [])

    def test_a_panel_has_a_title_a_description_a_unit_and_a_query(self):
        for path in (("title",), ("description",), ("fieldConfig", "defaults", "unit"),
                     ("targets", 0), ("targets", 0, "expr")):
            self.assertNotEqual(self.faults_of(without(DASHBOARD, "panels", 0, *path)), [], path)

    def faults_of(self, dashboard: Any) -> list[str]:
        # A query that is not there is not looked at.
        with mock.patch.object(monitoring, "queries_of", return_value=[]):
            return self.faults(dashboard)

    def test_ids_and_places_are_unique(self):
        second = {**PANEL, "gridPos": {**PANEL["gridPos"], "x": 8}}
        self.assertEqual(self.faults({**DASHBOARD, "panels": [PANEL, second]}),
                         ["dashboard: two panels have the id 1"])
        self.assertEqual(self.faults({**DASHBOARD, "panels": [PANEL, {**PANEL, "id": 2}]}),
                         ["dashboard: panel 2 has no place of its own"])

    def test_its_queries_and_variables_name_what_there_is(self):
        broken = json.loads(json.dumps(DASHBOARD).replace("vpnha_role", "vpnha_rule"))
        self.assertEqual(self.faults(broken),
                         ["panel 1 (x) A: there is no metric vpnha_rule"])
        variable = {"type": "query", "name": "gateway", "label": "x", "description": "x",
                    "query": "label_values(vpnha_rule, gateway)", "refresh": 2}
        self.assertEqual(self.faults({**DASHBOARD, "templating": {"list": [variable]}}),
                         ["variable gateway: there is no metric vpnha_rule"])


class PromtoolTest(unittest.TestCase):
    def test_without_it_the_check_fails(self):
        with mock.patch.dict("os.environ", {"PATH": "/nonexistent"}):
            with self.assertRaises(FileNotFoundError):
                monitoring.promtool("check", "rules", cwd=monitoring.HERE)


if __name__ == "__main__":
    unittest.main()
