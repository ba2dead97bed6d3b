# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab asks Prometheus for."""
from __future__ import annotations

import http.server
import json
import subprocess
import threading
from urllib.parse import parse_qs

import pytest
import yaml

from vpnlab.host.node import PYTHON
from vpnlab.host.stage import ROOT
from vpnlab.product.monitoring.prometheus import (QUERIES, configuration, panel_queries,
                                                  recorded_panels)

SERIES = [{"metric": {"a": "b"}, "value": [1, "2"]}]


def test_the_configuration_names_each_gateway():
    read = yaml.safe_load(configuration(["gw1:9810", "gw2:9810"]))
    assert read["scrape_configs"][0]["static_configs"] == [
        {"targets": ["gw1:9810", "gw2:9810"], "labels": {"cluster": "lab"}}]


def test_promtool_takes_it(tmp_path):
    file = tmp_path / "prometheus.yml"
    file.write_text(configuration(["gw1:9810"]))
    subprocess.run(["promtool", "check", "config", "--syntax-only", str(file)], check=True,
                   capture_output=True)


def test_no_query_of_the_dashboard_keeps_a_variable():
    queries = panel_queries(json.loads((ROOT / "monitoring/vpnha-dashboard.json").read_text()))
    assert len(queries) > 80
    assert [query for query in queries if "$" in query] == []


def test_queries_of_rows_that_are_folded_count():
    panel = {"targets": [{"expr": 'a{gateway=~"$gateway"}'}]}
    assert panel_queries({"panels": [panel, {"panels": [{"targets": [
        {"expr": "rate(b[$__rate_interval])"}]}]}]}) == ['a{gateway=~".*"}', "rate(b[1m])"]


class Recorded:
    """A Prometheus of which each query has the series that are named after it."""

    def histories(self, queries, span_s):
        assert span_s == 60
        return [None if query == "refused" else [{"metric": {"query": query}, "values": []}]
                for query in queries]


def test_recorded_panels_have_the_series_of_their_queries():
    def target(expr: str) -> dict[str, str]:
        return {"expr": expr, "legendFormat": f"{{{{{expr}}}}}"}

    panels = recorded_panels(Recorded(), {"panels": [  # type: ignore[arg-type]
        {"title": "row", "type": "row", "panels": [
            {"title": "a", "type": "timeseries", "targets": [target("x"), target("refused")]}]},
        {"title": "number", "type": "stat", "targets": [target("y")]},
        {"title": "b", "type": "state-timeline", "targets": [target("z")]}]}, 60)
    assert panels == [
        {"title": "a", "series": [{"legend": "{{x}}", "metric": {"query": "x"}, "values": []}]},
        {"title": "b", "series": [{"legend": "{{z}}", "metric": {"query": "z"}, "values": []}]}]


class Answers(http.server.BaseHTTPRequestHandler):
    """A Prometheus that takes one query, of any time or of a minute."""

    paths: list[str] = []

    def do_POST(self):
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        known = asked["query"] == ["up"]
        self.paths.append(self.path)
        if self.path.endswith("query_range"):
            known = known and float(asked["end"][0]) - float(asked["start"][0]) == 60.0
            known = known and asked["step"] == ["5.0"]
        self.send_response(200 if known else 400)
        self.end_headers()
        self.wfile.write(json.dumps({"data": {"result": SERIES}} if known else
                                    {"status": "error"}).encode())

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("span", [(), ("60", "5")])
def test_the_program_in_the_node_has_the_series_of_each_query(span):
    Answers.paths.clear()
    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = subprocess.run([*PYTHON, str(ROOT / "lab/node" / QUERIES),
                               f"http://127.0.0.1:{server.server_port}", *span],
                              check=True, text=True,
                              input=json.dumps(["up", "up("]), capture_output=True)
        server.shutdown()
    assert json.loads(done.stdout) == [SERIES, None]
    assert set(Answers.paths) == {"/api/v1/query_range" if span else "/api/v1/query"}
