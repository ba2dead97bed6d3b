# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody takes the gate off the devices of a standby and of the promoted node; it is back.

Purpose: the gate is a filter of traffic control, which a script for bandwidths replaces with all
others there are. A node without it could send although its lease is over.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; `tc qdisc del dev … clsact` for both devices of each
gateway; `vpnha metrics` writes its file before and after.

Expected: vpnhad reports it for each device, and all gates are attached again within a second; no
gap longer than 50 ms, or twice the longest of a fault-free time; no standby sends anything. The
metrics are those of docs/operate/metrics.md, and no drop is forgotten.
"""
import re

from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.host.node import Node
from vpnlab.product.cluster import DIRECTORY
from vpnlab.steps.live import Live, expect_unnoticed_act
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=0, vpnha=True)
DEVICES = ("outside", "inside")
ATTACHED_LIMIT_S = 1
REMOVED = "event=gate-removed"
METRICS = DIRECTORY.parent / "docs" / "operate" / "metrics.md"


def steps(run: Run) -> None:
    def remove(live: Live) -> None:
        before = {node.name: live.stack.metrics(node) for node in run.lab.gateways}
        expect_metrics(run, live, before[live.active.name])
        run.step("the gates are taken off all devices")
        for node in run.lab.gateways:
            for device in DEVICES:
                node.run("tc", "qdisc", "del", "dev", device, "clsact")
            run.wait_for(f"{node.name} has reported it", lambda: reported(live, node) >= len(
                DEVICES), ATTACHED_LIMIT_S)
            run.expect(f"without_gate_on_{node.name}", live.stack.without_gate(node), is_empty())
            after = live.stack.metrics(node)
            run.expect(f"drops_forgotten_by_{node.name}", [
                series for series, value in before[node.name].items()
                if series.startswith("vpnha_gate_drops_total") and not after[series] >= value],
                is_empty())
    expect_unnoticed_act(run, remove)


def expect_metrics(run: Run, live: Live, series: dict[str, float]) -> None:
    """Of the promoted node."""
    gateway = live.stack.gateway.name
    run.expect("role_in_metrics",
               series[f'vpnha_role{{gateway="{gateway}",role="promoted"}}'], equals(1))
    run.expect("protected_in_metrics", series[
        f'vpnha_sessions{{gateway="{gateway}",proto="l2tp",state="protected"}}'], equals(1))
    documented = set(re.findall(r"^\| `(vpnha_\w+)`", METRICS.read_text(), re.MULTILINE))
    run.expect("metrics_unlike_the_documents",
               sorted(documented ^ {name.partition("{")[0] for name in series}), is_empty())


def reported(live: Live, node: Node) -> int:
    return live.stack.daemon_log(node).count(REMOVED)
