# SPDX-License-Identifier: GPL-2.0-or-later
"""Routing of users' own: a VRF with vpnhad's table, rules before main, a router out of reach.

Purpose: a gateway is no empty machine. What its user has set up in `ip rule` and in other tables
takes no client's packet away after a takeover. What somebody has put into vpnhad's own table leads
nothing that the node sends, Corosync's packets among it, and is named beforehand.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. client1 is also the router of the
VIP, 172.31.1.1, which lies in the net of none of its addresses.

Steps: each gateway looks up what is for the clients in main, and then all that comes from inside in
a table with a default route of its own. client1 dials and makes traffic. A standby gets a VRF with
the table 1001, the gateway's, and a default route there. The power of the promoted gateway is cut,
and then the role moves to the node with the VRF.

Expected: `vpnha doctor` refuses the node with the VRF and `vpnha status --check` names it,
before it is promoted. The other standby takes over, and the client notices no more than in
l2tp-power-cut. The move to the node with the VRF succeeds, nobody is fenced for it, and the session
lives on.
"""
from vpnlab.evidence.expectation import equals, is_true
from vpnlab.host.node import Node
from vpnlab.host.power import power_events
from vpnlab.host.topology import L2TP, NODES
from vpnlab.product.cluster import Cluster
from vpnlab.product.vpnha_stack import CONFIG_FILE, VpnhaStack
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
ROUTER = "172.31.1.1"
SERVERS_TABLE, TABLE = "500", str(1000 + L2TP.id)
VRF, MEMBER = "mgmt-vrf", "eth9"
TAKEN = f"table {TABLE} is that of the VRF {VRF}"
GOOD, WARNING = 0, 1
# vpnhad looks each ten seconds.
NAMED_LIMIT_S = 15
MOVED_LIMIT_S = 30
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    run.step("each gateway has policy rules of its user's own")
    for node in run.lab.gateways:
        route_by_hand(node)
    run.lab.node("client1").run("ip", "address", "add", f"{ROUTER}/32", "dev", "outside")
    live = begin(run, place=off_dc, observe_s=3,
                 stack=VpnhaStack(run.lab, Cluster(run.lab), router=ROUTER))
    way = live.active.run("ip", "route", "get", NODES["client1"].address("outside"), "from",
                          L2TP.vip_outside).stdout
    run.expect("answers_by_the_far_router", f"via {ROUTER} " in way, is_true())
    odd, other = live.standbys
    run.step(f"{odd.name} has a VRF with table {TABLE}")
    add_vrf(odd)
    run.wait_for(f"status --check of {odd.name} names it", lambda: named_by_check(odd),
                 NAMED_LIMIT_S)
    checked = odd.run("vpnha", "doctor", CONFIG_FILE, check=False)
    run.expect("config_check_refuses_it", checked.code != GOOD and TAKEN in checked.stderr,
               is_true())
    run.wait_for(f"{odd.name} goes behind the others",
                 lambda: live.stack.status(odd)["standing"] == "partial", NAMED_LIMIT_S)
    successor = live.cut_power(live.active)
    run.expect("successor", successor.name, equals(other.name))
    live.stack.wait_protected(1)
    run.observe(AFTERWARDS_S)
    switched_off = len(power_events(run.lab))
    run.step(f"the role moves to {odd.name}")
    live.stack.avoid([other.name])
    run.wait_for(f"{odd.name} is promoted", lambda: live.stack.promoted() is odd, MOVED_LIMIT_S)
    live.wait_answered()
    run.observe(AFTERWARDS_S)
    run.expect("fenced_for_it", len(power_events(run.lab)) - switched_off, equals(0))
    run.expect("named_where_it_serves", named_by_check(odd), is_true())
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)


def route_by_hand(node: Node) -> None:
    """As policy routing for several uplinks does it: main for what is near, then by the source."""
    server = NODES["server"].address("inside")
    node.run("ip", "route", "add", "default", "via", server, "table", SERVERS_TABLE)
    node.run("ip", "rule", "add", "to", L2TP.addresses, "lookup", "main", "preference", "90")
    node.run("ip", "rule", "add", "from", f"{server}/24", "lookup", SERVERS_TABLE, "preference",
             "100")


def add_vrf(node: Node) -> None:
    """As ifupdown2 makes one with `vrf-table auto`."""
    node.run("ip", "link", "add", VRF, "type", "vrf", "table", TABLE)
    node.run("ip", "link", "set", VRF, "up")
    node.run("ip", "link", "add", MEMBER, "type", "dummy")
    node.run("ip", "link", "set", MEMBER, "master", VRF)
    node.run("ip", "link", "set", MEMBER, "up")
    node.run("ip", "address", "add", "203.0.113.9/24", "dev", MEMBER)
    node.run("ip", "route", "add", "default", "via", "203.0.113.1", "table", TABLE)


def named_by_check(node: Node) -> bool:
    done = node.run("vpnha", "status", "--check", check=False)
    return done.code == WARNING and TAKEN in done.stdout
