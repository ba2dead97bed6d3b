# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods of all kinds while clients of all protocols are in: none is lost, and nothing grows.

Purpose: `flood` floods a gateway that has one client of L2TP. Here the gateway serves each
protocol, with accounts and requests of a RADIUS server, and what is sent is well-formed or
malformed for each of them. A second round of the same floods shows what a first one leaves behind.

Topology: client1 to client4 -- outside -- gw1, gw2, gw3 -- inside -- server; home1, home2 -- home
-- nat1 -- outside; the rules of nftables/ on all gateways, without NAT.

Steps: home2 dials WireGuard, client1 L2TP, home1 L2TP/IPsec, client2 IKEv2, client3 PPTP, and all
make traffic. client4 floods the VIP with one kind after the other, for 60 s each, and as many
packets a second as its node sends, 10 000 at most: with addresses that nobody has, with those of
the clients where no answer comes, with that of the RADIUS server, and with that of another node to
the promoted node's address on the cluster's link. It waits until what is half open has ended. Then
it floods with each kind for a sixth of that time. At last it dials L2TP.

Expected: each client keeps its session and its TCP stream, and has no gap longer than a node of the
lab takes for so many packets. Nobody is promoted. In each flood the logs grow by what the admitted
newcomers cost, whatever was sent, and vpnhad's own log by next to nothing. The second round leaves
the memory of each daemon as it was, and no node holds more at the end than at the beginning.

`--size N` floods for N seconds with each kind.
"""
from collections.abc import Mapping

from vpnlab.evidence.expectation import at_most, equals, is_empty
from vpnlab.evidence.result import ClientResult
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.product.dialler import MakeDialler
from vpnlab.product.ipsec_client import Ikev2Client, L2tpIpsecClient
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.product.radius import RadiusServer
from vpnlab.product.radius_stack import RadiusStack
from vpnlab.product.ruleset import load_rules, table
from vpnlab.product.sites.home import start_nat
from vpnlab.product.wireguard.stock import WireguardClient, peers_file
from vpnlab.steps.live import Live, begin
from vpnlab.steps.mixed.figures import expect_flat, held
from vpnlab.steps.mixed.floods import CLIENTS, NOBODYS, Grown, flooding
from vpnlab.steps.mixed.mix import NODES, PACE, serve_plain_l2tp
from vpnlab.steps.promise import Span, expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=NODES, vpnha=True, size=60)
FLOODER = "client4"
# By the title of each flood its kind, and whose addresses it has. Those of the clients where the
# gateway answers nothing: what it answered would be theirs in their captures.
FLOODS = {
    "sccrq": ("sccrq", NOBODYS), "sccrq-bad": ("sccrq-bad", NOBODYS),
    "unknown": ("unknown", NOBODYS), "data": ("data", CLIENTS),
    "data-length": ("data-length", NOBODYS),
    "syn": ("syn", NOBODYS), "tcp-bad": ("tcp-bad", NOBODYS),
    "gre": ("gre", NOBODYS), "gre-bad": ("gre-bad", NOBODYS),
    "ike": ("ike", NOBODYS), "ike-sa": ("ike-sa", NOBODYS), "esp": ("esp", CLIENTS),
    "wireguard": ("wireguard", NOBODYS), "wireguard-bad": ("wireguard-bad", CLIENTS),
    "fragment": ("fragment", NOBODYS), "junk": ("junk", NOBODYS),
    "radius": ("radius", NOBODYS), "radius-server": ("radius", f"{SERVER_ADDRESS}/32"),
    "lease": ("lease", ""), "corosync": ("corosync", "")}
DAEMONS = ("vpnhad", "xl2tpd", "charon-systemd", "pptpd")
# The first one has a record before it dials.
DIALLERS: Mapping[str, MakeDialler] = {
    "home2": WireguardClient, "client1": L2tpClient, "home1": L2tpIpsecClient,
    "client2": Ikev2Client, "client3": PptpDialler}
# A node has one core, and its kernel takes all packets first; eleven nodes share two cores.
GAP_MS = 1000.0
# xl2tpd keeps a tunnel that is not set up for a minute, and the kernel a flow without an answer for
# half of one.
COOLING_S = 90
AGAIN = 6
# What nftables/ lets in of newcomers, each of whom costs charon five lines; and a start.
LOGGED_KIB_PER_S, LOGGED_KIB = 512, 1024
VPNHAD_LOGGED_KIB = 64
# A minute of 50 tunnels a second that are not set up, in xl2tpd; what charon has half open.
GROWN_KIB = {"vpnhad": 8 << 10, "xl2tpd": 64 << 10, "charon-systemd": 32 << 10, "pptpd": 4 << 10}
# In the second round: as an allocator's arenas differ.
GROWN_AGAIN_KIB = {"vpnhad": 1 << 10, "xl2tpd": 4 << 10, "charon-systemd": 4 << 10,
                   "pptpd": 1 << 10}


class HostileStack(RadiusStack):
    """All protocols on one gateway, L2TP within IPsec and without; who asks for the end of sessions
    may be the RADIUS server."""

    def configure(self, node: Node) -> None:
        super().configure(node)
        serve_plain_l2tp(node)


def flood_all(run: Run, live: Live, seconds: float, turn: str) -> dict[str, Span]:
    """With each kind once; returns when."""
    spans = {}
    node = live.active
    pids = {name: node.process(name) for name in DAEMONS}
    for title, (kind, sources) in FLOODS.items():
        run.step(f"{turn} round, {FLOODER} floods: {title}")
        before, begun = Grown.of(node, pids), run.lab.now()
        with flooding(run, kind, sources, seconds, node, FLOODER, f"{turn}_{title}"):
            run.observe(seconds)
        spans[f"{turn} {title}"] = begun, run.lab.now()
        grown = Grown.of(node, pids).since(before)
        for name, kib in grown.resident.items():
            run.expect(f"{turn}_{title}_{name}_grown_kib", kib, at_most(GROWN_KIB[name]))
        run.expect(f"{turn}_{title}_logged_kib", grown.logs,
                   at_most(round(LOGGED_KIB_PER_S * seconds) + LOGGED_KIB))
        run.expect(f"{turn}_{title}_logged_by_vpnhad_kib", grown.vpnhad_log,
                   at_most(VPNHAD_LOGGED_KIB))
    run.observe(COOLING_S)
    return spans


def steps(run: Run) -> None:
    run.pace = PACE
    start_nat(run.lab)
    for node in run.lab.gateways:
        load_rules(node, L2TP)
        # The server has routes to the clients.
        node.run("nft", "delete", "chain", "inet", table(L2TP), "nat")
    RadiusServer(run.lab, run.lab.node("server"))
    live = begin(run, clients=(), observe_s=0, stack=HostileStack(
        run.lab, "dynamic_authorization = true", ipsec=True, wireguard=peers_file(["home2"])))
    live.dial_all(DIALLERS)
    live.spare_from_promoted()
    run.observe(5)
    promotions, node = live.stack.promotions(), live.active
    pids = {name: node.process(name) for name in DAEMONS}
    begun = {each.name: held(each) for each in live.stack.cluster.nodes}
    spans = flood_all(run, live, run.size, "first")
    first = Grown.of(node, pids)
    spans |= flood_all(run, live, run.size / AGAIN, "second")
    second = Grown.of(node, pids).since(first)
    for name, kib in second.resident.items():
        run.expect(f"{name}_left_by_the_second_round_kib", kib, at_most(GROWN_AGAIN_KIB[name]))
    expect_flat(run, begun, {each.name: held(each) for each in live.stack.cluster.nodes})
    run.expect("serves", live.stack.wait_in_sync().name, equals(node.name))
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    live.stack.wait_protected(len(live.clients))
    run.step(f"{FLOODER} dials, as anybody")
    live.dial(FLOODER)
    run.observe(5)
    seen = live.end()
    for client in live.clients:
        found = seen.client(client.name)
        expect_nothing_else(run, found)
        if client.name in DIALLERS:
            expect_no_gap(run, found, spans)


def expect_no_gap(run: Run, client: ClientResult, spans: Mapping[str, Span]) -> None:
    """The longest in all floods; and which flood that was."""
    gaps = {title: worst_gap_ms(client, span) for title, span in spans.items()}
    unanswered = [title for title, gap in gaps.items() if gap is None]
    run.expect(f"{client.name}_floods_without_an_answer", unanswered, is_empty())
    worst = max(gaps, key=lambda title: gaps[title] or 0.0)
    run.step(f"{client.name}: its longest gap was in {worst}")
    run.expect(f"{client.name}_gap_ms", gaps[worst], at_most(GAP_MS))
