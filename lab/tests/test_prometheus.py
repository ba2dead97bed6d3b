# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab asks Prometheus for."""
from __future__ import annotations

import http.server
import json
import subprocess
import threading
from urllib.parse import parse_qs

import yaml

from vpnlab.host.node import PYTHON
from vpnlab.host.stage import ROOT
from vpnlab.product.monitoring.prometheus import QUERIES, configuration, panel_queries

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


class Answers(http.server.BaseHTTPRequestHandler):
    """A Prometheus that takes one query."""

    def do_POST(self):
        query = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["query"]
        known = query == ["up"]
        self.send_response(200 if known else 400)
        self.end_headers()
        self.wfile.write(json.dumps({"data": {"result": SERIES}} if known else
                                    {"status": "error"}).encode())

    def log_message(self, *_):
        pass


def test_the_program_in_the_node_has_the_series_of_each_query():
    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = subprocess.run([*PYTHON, str(ROOT / "lab/node" / QUERIES),
                               f"http://127.0.0.1:{server.server_port}"], check=True, text=True,
                              input=json.dumps(["up", "up("]), capture_output=True)
        server.shutdown()
    assert json.loads(done.stdout) == [SERIES, None]
