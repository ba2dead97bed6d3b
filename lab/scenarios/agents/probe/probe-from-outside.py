# SPDX-License-Identifier: GPL-2.0-or-later
"""A firewall outside eats new dials: a probe from outside finds it, and no gateway moves for it.

Purpose: what a node asks itself passes no firewall. A monitoring host outside has the view of the
clients; a move would mend nothing.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; cib-templates/probe.crm
for l2tp. client2 is the monitoring host.

Steps: client1 dials and makes traffic; client2 probes the gateway. Then what client2 sends to begin
a tunnel is dropped before it leaves, as a firewall on the way would drop it, and it probes again;
without the rule once more.

Expected: OK, CRITICAL after its time and no longer, OK; the promoted node's own probe is answered
all the while, so its mark is alive and nothing moves; client1 has no gap longer than 50 ms, or
twice the longest of a calm time.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.steps.promise import expect_unnoticed
from vpnlab.steps.promoted.dead_service import ANSWERED_S, begin_probed, marks
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
CALM_S = 10
PROBE_S = 5
OK, CRITICAL = 0, 2
# A control message of L2TP to tunnel 0: what begins one.
RULES = """table inet firewall {
    chain out { type filter hook output priority 0; udp dport 1701 @th,96,16 0 drop; }
}"""


def probe(host: Node) -> int:
    return host.run("vpnha-probe", "l2tp", L2TP.vip_outside, check=False).code


def steps(run: Run) -> None:
    live = begin_probed(run, "l2tp", {"client1": L2tpClient})
    host = run.lab.node("client2")
    live.spare_promoted(host)
    promotions = live.stack.promotions()
    run.expect("before", probe(host), equals(OK))
    calm_from = run.lab.now()
    run.observe(CALM_S)
    begun = run.lab.now()
    host.note_fault("a firewall drops new tunnels")
    host.run("nft", "-f", "-", stdin=RULES)
    asked = run.lab.now()
    run.expect("dropped", probe(host), equals(CRITICAL))
    run.expect("gives_up_after_s", round(run.lab.now() - asked, 1), at_most(PROBE_S + 1))
    # As long as the node's own probe would need to find that its service is dead.
    run.observe(ANSWERED_S)
    run.expect("mark", marks(live, live.plain_standby).get(live.active.name), equals("alive"))
    host.run("nft", "delete", "table", "inet", "firewall")
    run.expect("after", probe(host), equals(OK))
    until = run.lab.now()
    run.expect("moves", live.stack.promotions() - promotions, equals(0))
    seen = live.end()
    expect_unnoticed(run, seen.client("client1"), (calm_from, begun), (begun, until))
