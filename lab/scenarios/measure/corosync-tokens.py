# SPDX-License-Identifier: GPL-2.0-or-later
"""The same power cut under several tokens of Corosync: what waits for its ring, and what does not.

Purpose: the figures of docs/explain/performance.md about Corosync's token, and of the choice of the
tuned profile.

Topology: client1 to client3 -- outside -- gw1, gw2, gw3 -- inside -- server. The gateway serves
L2TP and PPTP.

Steps: client1 (L2TP) and client2 (PPTP) dial and make traffic. Under each token the power of the
promoted node is cut, several times; client3 dials at once, and hangs up when it was served.

Expected: whatever the token is, both sessions are the same at the end, client1 sees no silence
longer than 1 s, and client3 gets in. tokens.json has what each cut took.
"""
import json
from typing import Any

from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import Live, begin, off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in_rounds import Round, figures

TOKENS_MS = (300, 650, 1000, 3000)
ROUNDS = 2
SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"),
                    faults=ROUNDS * len(TOKENS_MS), vpnha=True)
DIAL_LIMIT_S, AFTERWARDS_S = 60, 3


def dial_and_hang_up(run: Run, node: Node) -> float:
    """Until it is served, in seconds."""
    newcomer = L2tpClient(node)
    newcomer.start()
    run.wait_for("client3's daemon runs", newcomer.ready, DIAL_LIMIT_S)
    since = run.lab.now()
    newcomer.dial()
    run.wait_for("client3 is served", newcomer.up, DIAL_LIMIT_S)
    served = run.lab.now() - since
    newcomer.hang_up()
    run.wait_for("client3 has hung up", newcomer.gone, DIAL_LIMIT_S)
    newcomer.close()
    return served


def cut(live: Live) -> tuple[Round, float]:
    stack, run = live.stack, live.run
    dc = stack.cluster.status().dc
    active = stack.move_role(lambda name: off_dc(name, dc))
    stack.cluster.spare_successors(active)
    for client in live.clients:
        live.wait_answered(client)
    run.observe(1)
    found = Round(L2TP, run.lab.now())
    active.power_off()
    login_s = dial_and_hang_up(run, run.lab.node("client3"))
    stack.wait_promoted(node.name for node in live.stack.cluster.nodes if node is not active)
    for client in live.clients:
        live.wait_answered(client)
    run.observe(AFTERWARDS_S)
    found.until = run.lab.now()
    stack.rejoin(active.name)
    stack.wait_protected(len(live.clients))
    return found, login_s


def steps(run: Run) -> None:
    live = begin(run, observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), common_pool=L2TP.announced_pool))
    live.dial("client2", dialler=PptpDialler)
    rounds: list[tuple[int, Round, float]] = []
    for token_ms in TOKENS_MS:
        live.stack.cluster.set_tuned(token_ms)
        for number in range(ROUNDS):
            run.step(f"token {token_ms} ms, round {number + 1} of {ROUNDS}")
            rounds.append((token_ms, *cut(live)))
    seen = live.end()
    found: list[dict[str, Any]] = []
    for token_ms, each, login_s in rounds:
        data = figures(each, seen.events, seen.client("client1"))
        found.append({"token_ms": token_ms, **data, "login_ms": round(login_s * 1000),
                      "pptp_silence_ms": worst_gap_ms(seen.client("client2"),
                                                      (each.t, each.until))})
    run.step(json.dumps(found))
    (run.out / "tokens.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    silences = [each["silence_ms"] for each in found]
    run.expect("rounds", len(found), equals(ROUNDS * len(TOKENS_MS)))
    run.expect("longest_silence_ms", None if None in silences else max(silences),
               at_most(TAKEOVER_MS))
    for name in ("client1", "client2"):
        expect_nothing_else(run, seen.client(name))
