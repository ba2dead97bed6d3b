# SPDX-License-Identifier: GPL-2.0-or-later
"""`vpnha drill link` on the node that serves: its outside device is set down, and comes back whole.

Purpose: a dead switch port, by an operator's own command; also when the command is killed.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials, makes traffic and watches the VIP; the promoted node has a route by its device
outside. The drill there is killed by SIGKILL as soon as another node serves.

Expected: a standby serves; the device is up and the route there within seconds, though nobody is
left who ordered it; a silence of at most 0.7 s and nothing else; no failure.
"""
import json
import signal

from vpnlab.evidence.expectation import is_empty, is_true
from vpnlab.host.topology import NODES
from vpnlab.steps.drilled import RESULT, begin_drill
from vpnlab.steps.links import OUTAGE_MS, begin_with_carriers
from vpnlab.steps.promise import expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
ROUTE = "203.0.113.0/24"
PUT_BACK_S = 15


def steps(run: Run) -> None:
    live = begin_with_carriers(run, "outside")
    node = live.active
    via = NODES["client1"].address("outside")
    node.run("ip", "route", "add", ROUTE, "via", via)
    drill = begin_drill(run, live, "link", node, fault_at=node)
    live.stack.wait_promoted(each.name for each in live.standbys)
    live.wait_answered()
    drill.process.send_signal(signal.SIGKILL)
    run.wait_for(f"the route of {node.name} is there again",
                 lambda: via in node.run("ip", "route", "show", ROUTE).stdout, PUT_BACK_S)
    run.expect("device_is_up", ",UP" in node.run("ip", "link", "show", "dev", "outside").stdout,
               is_true())
    run.expect("record", json.loads(node.read_log(RESULT))["outcome"] == "begun", is_true())
    run.expect("failures", list(live.stack.cluster.status().failures), is_empty())
    live.stack.wait_protected(1)
    drill.report(node, OUTAGE_MS)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
