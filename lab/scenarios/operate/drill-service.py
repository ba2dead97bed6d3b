# SPDX-License-Identifier: GPL-2.0-or-later
"""`vpnha drill service` on the node that serves: xl2tpd hangs, and ocf:vpnha:probe notices.

Purpose: a daemon that lives and answers nobody, by an operator's own command.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; cib-templates/probe.crm for l2tp.

Steps: client1 dials, makes traffic and watches the VIP; the drill on the promoted node.

Expected: another node serves; xl2tpd of the drilled node runs again; the drill ends with 0; the
session continued; a silence of at most 2.5 s and nothing else.
"""
from vpnlab.evidence.expectation import at_least, equals
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.steps.drilled import begin_drill
from vpnlab.steps.promise import REPORTED_MS, expect_only_silence
from vpnlab.steps.promoted.dead_service import begin_probed
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
STATE = "for pid in $(pidof xl2tpd); do cut -d' ' -f3 /proc/$pid/stat; done"


def steps(run: Run) -> None:
    live = begin_probed(run, "l2tp", {"client1": L2tpClient})
    live.spare_promoted()
    drill = begin_drill(run, live, "service", live.active, "--service", "xl2tpd",
                        fault_at=live.active)
    result = drill.wait()
    # Two probes without an answer at least: nothing else has moved it.
    run.expect("moved_after_ms", round(result["moved_unix_ms"] - result["struck_unix_ms"]),
               at_least(5000))
    run.expect("stopped_xl2tpds", live.active.run("sh", "-c", STATE).stdout.split().count("T"),
               equals(0))
    drill.report(live.active, REPORTED_MS)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), REPORTED_MS)
