# SPDX-License-Identifier: GPL-2.0-or-later
"""All nodes stand still at random, one or all at once, for half an hour.

Purpose: a gateway on an overloaded or stuttering host. Each stall costs its own time, and no more:
a storm of Corosync's memberships keeps nobody silent whose voters answer.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic. Again and again a gateway drawn at random, or all of them,
freezes for 0.1 to 0.5 s and is thawed; 0.5 to 5 s pass between. A node that the cluster has fenced
comes back, and the stalls wait for it. VPNHA_STALL_MINUTES has another length than 30 minutes,
VPNHA_STALL_TOKEN another token of Corosync than the tuned one, in ms.

Expected: no silence longer than 1.5 s, the session is the same at the end, and there are never two
owners. stalls.json has the silences, memberships, promotions and fencings.
"""
import json
import os

from vpnlab.evidence.expectation import at_most
from vpnlab.host.power import power_events
from vpnlab.steps.live import begin
from vpnlab.steps.promise import expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import STAND_IN, stand_still

SCENARIO = Scenario(faults=1, vpnha=True)
MINUTES = float(os.environ.get("VPNHA_STALL_MINUTES", "30"))
TOKEN_MS = int(os.environ.get("VPNHA_STALL_TOKEN", "0"))
STALLED_S, BETWEEN_S = (0.1, 0.5), (0.5, 5.0)
OUTAGE_MS = 1500
# Of four stalls one is of all nodes: a host that carries them all.
ALL_OF = 4
NOTED_MS = (100, 300, 600, 1000)


def steps(run: Run) -> None:
    live = begin(run)
    if TOKEN_MS:
        live.stack.cluster.set_tuned(TOKEN_MS)
    promotions = live.stack.promotions()
    nodes = list(live.stack.cluster.nodes)
    since, stalls = run.lab.now(), []
    run.step(f"stalls for {MINUTES:g} minutes")
    while run.lab.now() < since + 60 * MINUTES:
        for node in nodes:
            if not node.powered():
                run.step(f"{node.name} was fenced, and comes back")
                live.stack.rejoin(node.name)
        those = nodes if run.random.randrange(ALL_OF) == 0 else [run.random.choice(nodes)]
        seconds = run.random.uniform(*STALLED_S)
        stalls.append(run.lab.now())
        stand_still(those, seconds)
        run.observe(run.random.uniform(*BETWEEN_S))
    live.wait_answered()
    until = run.lab.now()
    stood_in = sum(live.stack.daemon_log(node).count(STAND_IN) for node in nodes)
    moved = live.stack.promotions() - promotions
    live.stack.wait_protected(1)
    seen = live.end()
    client = seen.client("client1")
    ends = [*stalls[1:], until]
    gaps = [worst_gap_ms(client, span) or 0.0 for span in zip(stalls, ends)]
    hours = (until - since) / 3600
    rings = sum(event.kind == "members" and since < event.t < until for event in seen.events)
    report = {"token_ms": TOKEN_MS or live.stack.cluster.tuned_token_ms,
              "minutes": round(60 * hours, 1), "stalls": len(stalls),
              "worst_ms": max(gaps), "stood_in": stood_in, "promotions": moved,
              "fencings": sum(event.action == "off" for event in power_events(run.lab)),
              "memberships_per_hour": round(rings / hours / len(nodes)),
              **{f"silences_above_{limit}_ms": sum(gap > limit for gap in gaps)
                 for limit in NOTED_MS}}
    run.step(json.dumps(report))
    (run.out / "stalls.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    run.expect("worst_silence_ms", max(gaps), at_most(OUTAGE_MS))
    expect_nothing_else(run, client)
