# SPDX-License-Identifier: GPL-2.0-or-later
"""Prometheus asks the gateways by HTTP: the dashboard's queries work, an alert fires and clears.

Purpose: rules and dashboard are tested on samples; here Debian's Prometheus reads what
vpnha-exporter serves of a living cluster. Its series of a drill are left in panels.json, of which
`docs/pictures/draw --run DIR` makes the picture of the dashboard.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server, on which Prometheus runs.

Steps: client1 dials and makes traffic; Prometheus reads the gateways each 5 s. A standby is put
into standby mode by Pacemaker, so that its vpnhad ends, and back. Then `vpnha drill daemon` kills
vpnhad of the promoted node.

Expected: each gateway is read, and one of them serves; each query of each panel is answered, and at
least a third of them have series; no alert fires in a calm cluster that is critical.
VpnhaDaemonGone fires for that node, and no more when it is back. The client has no gap longer than
150 ms, or twice the longest of a calm time. Of the drill it sees a silence of at most 2.5 s and
nothing else; Prometheus sees another node serve, and the silence that this one states.
"""
import json
from typing import Any

from vpnlab.evidence.expectation import at_least, equals, is_empty, is_true
from vpnlab.host.stage import ROOT
from vpnlab.product.monitoring.prometheus import (EXPORTER_PORT, INTERVAL_S, Prometheus,
                                                  panel_queries, recorded_panels, start_exporter)
from vpnlab.steps.drilled import begin_drill
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import REPORTED_MS, STARTED_MS, expect_no_gap, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
START_LIMIT_S, ONLINE_LIMIT_S = 60, 60
# `for` of the alert, a few readings, and as much again.
FIRES_LIMIT_S, CLEARS_LIMIT_S = 240, 60
CALM_S = 10
ALERT = "VpnhaDaemonGone"
SERVING = 'vpnha_gate_state{state="open"} == 1'
# Drawn before and behind the drill.
BEFORE_S, BEHIND_S = 60, 45
PANELS = "panels.json"
CRITICAL = 'ALERTS{severity="critical",alertstate="firing"}'


def steps(run: Run) -> None:
    live = begin(run)
    live.spare_promoted()
    prometheus = Prometheus(run.lab.node("server"))
    for node in run.lab.gateways:
        start_exporter(node)
    prometheus.start(run.lab.gateways)
    count = len(run.lab.gateways)
    run.wait_for("all gateways are read", lambda: len(
        prometheus.query("vpnha_up == 1") or ()) == count, START_LIMIT_S)
    run.observe(3 * INTERVAL_S)
    run.expect("serving", len(prometheus.query(SERVING) or ()), equals(1))
    run.step("the queries of the dashboard")
    dashboard = json.loads((ROOT / "monitoring/vpnha-dashboard.json").read_text())
    queries = panel_queries(dashboard)
    answers = prometheus.answers(queries)
    run.expect("refused_queries", [query for query, found in zip(queries, answers)
                                   if found is None], is_empty())
    # Those of other programs, and of protocols that this gateway does not serve, have no series.
    run.expect("answered_queries", sum(bool(found) for found in answers),
               at_least(len(answers) // 3))
    run.expect("critical_alerts", prometheus.query(CRITICAL), is_empty())

    calm_from = run.lab.now()
    run.observe(CALM_S)
    begun = run.lab.now()
    standby = live.plain_standby
    run.step(f"{standby.name} goes into standby mode")
    live.active.run("crm_standby", "--node", standby.name, "--update", "on", timeout=60)
    run.wait_for(f"{ALERT} fires", lambda: prometheus.firing(ALERT), FIRES_LIMIT_S)
    run.step(f"{standby.name} comes back")
    live.active.run("crm_standby", "--node", standby.name, "--delete", timeout=60)
    live.stack.wait_in_sync(ONLINE_LIMIT_S)
    run.wait_for(f"{ALERT} fires no more", lambda: not prometheus.firing(ALERT), CLEARS_LIMIT_S)
    until = run.lab.now()
    live.stack.wait_protected(1)
    record_drill(run, live, prometheus, dashboard)
    seen = live.end()
    expect_no_gap(run, seen.client("client1"), (calm_from, begun), (begun, until), STARTED_MS)
    expect_only_silence(run, seen.client("client1"), REPORTED_MS)


def record_drill(run: Run, live: Live, prometheus: Prometheus, dashboard: Any) -> None:
    """The dashboard's series of a drill, for a picture of it."""
    drill = begin_drill(run, live, "daemon", live.active, fault_at=live.active)
    result = drill.wait()
    live.stack.wait_in_sync()
    live.stack.wait_protected(1)
    drill.report(live.active, REPORTED_MS)
    run.observe(BEHIND_S)
    serving = prometheus.query(SERVING) or ()
    successor = run.lab.node(result["to"]).address("inside")
    run.expect("read_of_the_successor", [each["metric"]["instance"] for each in serving],
               equals([f"{successor}:{EXPORTER_PORT}"]))
    panels = recorded_panels(prometheus, dashboard, run.lab.now() - drill.begun + BEFORE_S)
    run.expect("silence_drawn", any(panel["title"] == "Silence at the last takeover" and
                                    panel["series"] for panel in panels), is_true())
    (run.out / PANELS).write_text(json.dumps({
        "nodes": {f"{node.address('inside')}:{EXPORTER_PORT}": node.name
                  for node in run.lab.gateways},
        "mark": {"at": result["struck_unix_ms"] / 1000,
                 "text": f"drill daemon on {live.active.name}"},
        "panels": panels}), encoding="utf-8")
