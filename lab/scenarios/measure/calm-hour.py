# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing happens for an hour, whatever else the host does; nobody takes over.

Purpose: the false alarms of standing in (docs/explain/performance.md). Run it beside compilers on
all cores. VPNHA_CALM_MINUTES has another length.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. A standby of gateway
l2tp stands in, those of l2tp2 wait (`stand_in = false`); they are promoted on different nodes.

Steps: both clients dial and make traffic. No fault.

Expected: no node stands in, none is promoted, both sessions are the same at the end. calm.json has
what each gateway asked and lost, the longest silences, and how much a hypervisor took from the
host.
"""
import json
import os
from typing import Any

from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import DEFAULT_NODES, VpnGateway
from vpnlab.product.cluster import Cluster
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import ASKS, STAND_IN
from vpnlab.steps.stand_in_rounds import CLIENTS, STANDS_IN, STEAL, WAITS, cpu_times

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), vpnha=True)
MINUTES = float(os.environ.get("VPNHA_CALM_MINUTES", "60"))
LAPSED = "event=lease-ended "
# The first seconds after the sessions are protected are the set-up's.
SETTLE_S = 5


def counts(live: Live, gateway: VpnGateway) -> dict[str, int]:
    stack = live.stack.of(gateway)
    logged = [f"{line} " for node in stack.cluster.nodes
              for line in stack.daemon_log(node).splitlines()]
    lines = [line for line in logged if f"gateway={gateway.name} " in line]
    return {"promotions": stack.promotions(),
            **{name: sum(event in line for line in lines)
               for name, event in (("asked", ASKS), ("acted", STAND_IN), ("lapsed", LAPSED))}}


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), (STANDS_IN, WAITS), waiting=(WAITS,)))
    live.stack.of(WAITS).move_role(lambda name: name != live.active.name)
    for gateway, name in CLIENTS.items():
        live.dial(name, gateway)
    run.observe(SETTLE_S)

    before = {gateway: counts(live, gateway) for gateway in CLIENTS}
    cpu = cpu_times()
    since = run.lab.now()
    for minute in range(round(MINUTES)):
        run.step(f"minute {minute + 1} of {MINUTES:g}")
        run.observe(60)
    until = run.lab.now()
    spent = [after - start for start, after in zip(cpu, cpu_times())]
    found: dict[VpnGateway, dict[str, Any]] = {
        gateway: {name: late - before[gateway][name]
                  for name, late in counts(live, gateway).items()} for gateway in CLIENTS}
    seen = live.end()
    for gateway, name in CLIENTS.items():
        client = seen.client(name)
        found[gateway]["longest_gap_ms"] = worst_gap_ms(client, (since, until))
        for what in ("promotions", "acted"):
            run.expect(f"{gateway.name}_{what}", found[gateway][what], equals(0))
        expect_nothing_else(run, client)
    report: dict[str, Any] = {
        "minutes": round((until - since) / 60, 1),
        "busy_percent": round(100 * (1 - spent[3] / sum(spent)), 1),
        "stolen_percent": round(100 * spent[STEAL] / sum(spent), 1),
        **{gateway.name: figures for gateway, figures in found.items()}}
    run.step(json.dumps(report))
    (run.out / "calm.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
