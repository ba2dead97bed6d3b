# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's Prometheus on one node, with the rules of monitoring/, which asks vpnha-exporter of the
gateways by HTTP."""
from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...host.node import PYTHON, TOOLS, Node
from ...host.stage import ROOT

PROGRAM = "/usr/bin/prometheus"
QUERIES = "readers/prometheus_queries.py"
QUERIES_LIMIT_S = 120
EXPORTER = "/usr/sbin/vpnha-exporter"
RULES = ("vpnha-alerts.rules.yml", "vpnha-recording.rules.yml")
DIRECTORY = "/run/prometheus"
PORT, EXPORTER_PORT = 9090, 9810
# Shorter than on a site, where it is 15 s: the times of the alerts stay as they are.
INTERVAL_S = 5
CLUSTER = "lab"


def configuration(targets: Sequence[str]) -> str:
    """As docs/operate/monitoring.md has it."""
    listed = ", ".join(f'"{target}"' for target in targets)
    return f"""\
global:
  scrape_interval: {INTERVAL_S}s
  evaluation_interval: {INTERVAL_S}s
rule_files:
  - {DIRECTORY}/*.rules.yml
scrape_configs:
  - job_name: gateways
    static_configs:
      - targets: [{listed}]
        labels:
          cluster: {CLUSTER}
"""


def start_exporter(node: Node) -> None:
    """As its socket's unit starts it: where no systemd is the first process, by the program that
    does the same by hand. It listens inside."""
    node.start("systemd-socket-activate", f"--listen={node.address('inside')}:{EXPORTER_PORT}",
               EXPORTER, stdout="/var/log/exporter.log", stderr="/var/log/exporter.log")


class Prometheus:
    def __init__(self, node: Node) -> None:
        self._node = node

    def start(self, gateways: Sequence[Node]) -> None:
        for rules in RULES:
            self._node.put(f"{DIRECTORY}/{rules}", (ROOT / "monitoring" / rules).read_bytes())
        self._node.put(f"{DIRECTORY}/prometheus.yml", configuration(
            [f"{node.address('inside')}:{EXPORTER_PORT}" for node in gateways]))
        self._node.start(PROGRAM, f"--config.file={DIRECTORY}/prometheus.yml",
                         f"--storage.tsdb.path={DIRECTORY}/data",
                         f"--web.listen-address=127.0.0.1:{PORT}",
                         stdout="/var/log/prometheus.log", stderr="/var/log/prometheus.log",
                         env={"GOMAXPROCS": "1"})

    def answers(self, queries: Sequence[str]) -> list[list[dict[str, Any]] | None]:
        """The series of each; None: it was refused, or nobody answers yet."""
        done = self._node.run(*PYTHON, f"{TOOLS}/{QUERIES}", f"http://127.0.0.1:{PORT}",
                              stdin=json.dumps(queries), timeout=QUERIES_LIMIT_S)
        return list(json.loads(done.stdout))

    def histories(self, queries: Sequence[str], span_s: float) -> list[list[dict[str, Any]] | None]:
        """The same of the last seconds, with the values of each series."""
        done = self._node.run(*PYTHON, f"{TOOLS}/{QUERIES}", f"http://127.0.0.1:{PORT}",
                              str(span_s), str(INTERVAL_S), stdin=json.dumps(queries),
                              timeout=QUERIES_LIMIT_S)
        return list(json.loads(done.stdout))

    def query(self, query: str) -> list[dict[str, Any]] | None:
        return self.answers([query])[0]

    def firing(self, alert: str) -> bool:
        return bool(self.query(f'ALERTS{{alertname="{alert}",alertstate="firing"}}'))


def panels_of(dashboard: Any) -> list[dict[str, Any]]:
    """Those that have queries, in folded rows as well."""
    return [each for panel in dashboard["panels"] for each in (panel, *panel.get("panels", ()))
            if each.get("targets")]


def query_of(target: Any) -> str:
    """With each variable standing for all that there is."""
    variables = {"$cluster": ".*", "$gateway": ".*", "$instance": ".*",
                 "$__rate_interval": "1m", "$__range": "5m", "$__interval": "15s"}
    query = str(target["expr"])
    for name, value in sorted(variables.items(), reverse=True):
        query = query.replace(name, value)
    return query


def panel_queries(dashboard: Any) -> list[str]:
    """All queries of a dashboard."""
    return [query_of(target) for panel in panels_of(dashboard) for target in panel["targets"]]


def recorded_panels(prometheus: Prometheus, dashboard: Any, span_s: float) -> list[dict[str, Any]]:
    """What the dashboard would draw of the last seconds, by the titles of its panels, for
    docs/pictures/draw. Panels of one number are left out, and series without a value."""
    panels = [panel for panel in panels_of(dashboard) if panel["type"] != "stat"]
    histories = iter(prometheus.histories(
        [query_of(target) for panel in panels for target in panel["targets"]], span_s))
    return [{"title": panel["title"],
             "series": [{"legend": target["legendFormat"], **series}
                        for target in panel["targets"] for series in next(histories) or ()]}
            for panel in panels]
