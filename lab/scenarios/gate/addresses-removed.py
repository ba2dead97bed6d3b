# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices of the gateway are set down and up, its VIPs are deleted; all are back at once.

Purpose: a network daemon that is ordered to read its files again, or an administrator, takes
addresses away; and a device that is set down loses those of IPv6 by itself. Where this node serves
they come back, with IPv4 and IPv6; where it does not, nothing does.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; all with IPv6. `outside` and
`inside` of the gateways are bridges over the machine's own links.

Steps: client1 dials and makes traffic, and pings the VIPs outside; server pings those inside. On a
standby, and then on the promoted node, both devices are set down and up, one after the other; then
their VIPs and the gateway's policy rules are deleted. In the end the role moves to another node.

Expected: on the promoted node each VIP is answered again, and the session's traffic flows, within
BACK_MS; its rules are back. Nobody is promoted until the role is moved. No node that does not serve
has a VIP, the demoted one included; no standby sends anything.
"""
from vpnlab.evidence.expectation import at_most, equals, is_empty
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.product.cluster import Cluster
from vpnlab.product.probes import Pinger
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.promise import FAULT_FREE_MS, expect_nothing_else, gap_ms, worst_gap, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)
VIPS = {"outside": (L2TP.vip_outside, L2TP.vip6_outside),
        "inside": (L2TP.vip_inside, L2TP.vip6_inside)}
NEIGHBOURS = {"outside": "client1", "inside": "server"}
PREFIX_LENGTHS = (24, 64)
RULE = str(L2TP.id)
# A node of the lab needs some 20 ms for the program that takes them away.
BACK_MS = 250
OBSERVED_S = 3
PROMISED_LIMIT_S = 10


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        for device in VIPS:
            node.sense_carrier(device)
    for name, device in (*((node.name, device) for node in run.lab.gateways for device in VIPS),
                         ("client1", "outside"), ("server", "inside")):
        node = run.lab.node(name)
        node.run("ip", "address", "add", f"{node.spec.address6(device)}/64", "dev", device, "nodad")
    live = begin(run, observe_s=0, stack=VpnhaStack(run.lab, Cluster(run.lab), ipv6=True))
    stack, active = live.stack, live.active
    promotions = stack.promotions()
    had = {family: rules(active, family) for family in ("-4", "-6")}
    run.expect("families_with_rules", sum(count > 0 for count in had.values()), equals(2))
    pingers = {vip: Pinger(run.lab.node(NEIGHBOURS[device]), vip)
               for device, vips in VIPS.items() for vip in vips}
    for vip, pinger in pingers.items():
        run.wait_for(f"{vip} answers", pinger.answers, PROMISED_LIMIT_S)
    calm_from = run.lab.now()
    run.observe(OBSERVED_S)
    spans = {"fault_free": (calm_from, run.lab.now())}
    for node in (live.standbys[0], active):
        for what, act in (("outside_down_up", lambda n: set_down_and_up(n, "outside")),
                          ("inside_down_up", lambda n: set_down_and_up(n, "inside")),
                          ("vips_deleted", delete)):
            run.step(f"{what.replace('_', ' ')} on {node.name}")
            t = run.lab.now()
            act(node)
            run.observe(OBSERVED_S)
            spans[f"{what}_on_{'promoted' if node is active else 'standby'}"] = (t, run.lab.now())
    for family, count in had.items():
        run.expect(f"rules{family}", rules(active, family), equals(count))
    run.expect("promotions", stack.promotions(), equals(promotions))
    run.step("the role moves to another node")
    stack.move_role(lambda name: name != active.name)
    run.observe(OBSERVED_S)
    for node in run.lab.gateways:
        run.expect(f"vips_of_{node.name}", vips_on(node),
                   equals(sorted(L2TP.vips)) if node is stack.promoted() else is_empty())
    answers = {vip: pinger.stop() for vip, pinger in pingers.items()}

    seen = live.end().client("client1")
    for name, span in spans.items():
        limit = FAULT_FREE_MS if name == "fault_free" else BACK_MS
        for vip, times in answers.items():
            gap = worst_gap(times, span)
            run.expect(f"{name}_{vip}_ms", None if gap is None else gap_ms(gap), at_most(limit))
        run.expect(f"{name}_session_ms", worst_gap_ms(seen, span), at_most(limit))
    expect_nothing_else(run, seen)


def set_down_and_up(node: Node, device: str) -> None:
    node.run("ip", "-batch", "-", stdin=f"link set {device} down\nlink set {device} up\n")


def delete(node: Node) -> None:
    """On a standby there is nothing to delete: -force continues."""
    node.run("ip", "-force", "-batch", "-", check=False, stdin="".join(
        f"address delete {vip}/{length} dev {device}\n"
        for device, vips in VIPS.items() for vip, length in zip(vips, PREFIX_LENGTHS)))
    for family in ("-4", "-6"):
        node.run("ip", family, "-force", "-batch", "-", check=False,
                 stdin=f"rule delete preference {RULE}\n" * rules(node, family))


def rules(node: Node, family: str) -> int:
    lines = node.run("ip", family, "rule", "show").stdout.splitlines()
    return sum(line.startswith(f"{RULE}:") for line in lines)


def vips_on(node: Node) -> list[str]:
    words = node.run("ip", "-o", "address", "show").stdout.replace("/", " ").split()
    return sorted(vip for vip in L2TP.vips if vip in words)
