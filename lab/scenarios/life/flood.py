# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods of what wants to begin a session, and of junk: who is in notices nothing.

Purpose: whoever can reach a gateway can send it ten thousand packets a second. The rules of
nftables/ let so many newcomers in that xl2tpd keeps up, and none of it reaches vpnhad.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of
nftables/ on all gateways.

Steps: client1 dials and makes traffic. client2 floods the VIP, of one kind after the other: SCCRQ
of L2TP, its data packets of tunnel 0 (xl2tpd keeps 10 KiB of each for ever), HELLOs of tunnels that
nobody has, SYN and GRE of PPTP from many addresses, IKE_SA_INIT from its own, random bytes to the
ports of all three, Disconnect-Requests of RADIUS. To the promoted node's address on the cluster's
link, by way of its outside device, it sends random bytes for the lease and for Corosync, with the
address of another node. The power of the promoted gateway is cut while SCCRQ are still coming.
Then client2 dials.

Expected: for client1 no gap during the floods longer than a node of the lab takes for so many
packets, the same gateway serves, and its session outlives the power cut. vpnhad's memory does not
grow, it needs no more than a part of its core, and receives nothing of what is for the lease.
xl2tpd needs no more either, and its memory grows within bounds. client2, when it floods no more,
gets in.
"""
import json
from collections.abc import Sequence

from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.steps.live import Live, begin
from vpnlab.steps.mixed.floods import NOBODYS, TO_THE_NODE, flooding, resident_kib
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.nat import prepare

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
FLOODER, SECONDS = "client2", 30
OWN = "192.0.2.52/32"
KINDS = {"sccrq": NOBODYS, "data": NOBODYS, "data-length": NOBODYS, "unknown": NOBODYS,
         "syn": NOBODYS, "gre": NOBODYS, "ike": OWN, "junk": NOBODYS, "radius": NOBODYS}
CUT_AFTER_S, CUT_SECONDS = 5, 15
# A node has one core, and its kernel takes all packets first.
GAP_MS = 500.0
GROWN_KIB, BUSY = 8 * 1024, 0.25
# In a flood. As in xl2tpd of Debian: a tunnel that is not set up takes some KiB, for a
# minute.
XL2TPD_GROWN_KIB = {"sccrq": 64 * 1024}
XL2TPD_GROWN_BY_OTHERS_KIB = 4 * 1024
# A node of the lab needs 0.24 to 0.67 ms for each packet that its xl2tpd cannot place. The rules
# let 500 a second in, beside a burst for the clients of one takeover: a flood uses it up at once.
XL2TPD_BUSY = 0.5
BURST_S = 10
# What is left of a flood. A node counts the time in which the host gave its core to others, so the
# calmest part has what a program needs: of two floods alike one had 0.26 and one 0.63 in all.
SLICES, SLICE_S = 4, 5


def busy_s(node: Node, pid: str) -> float:
    """User and system time, in ticks of 10 ms."""
    fields = (node.read(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def busy_share(run: Run, node: Node, pids: Sequence[str]) -> list[float]:
    """Of a core, in SLICE_S from now on."""
    since, before = run.lab.now(), [busy_s(node, pid) for pid in pids]
    run.observe(SLICE_S)
    lasted = run.lab.now() - since
    return [round((busy_s(node, pid) - at) / lasted, 3) for pid, at in zip(pids, before)]


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run)
    calm_from = run.lab.now()
    run.observe(5)
    promotions = live.stack.promotions()
    node, floods = live.active, {}
    vpnhad, xl2tpd = node.process("vpnhad"), node.process("xl2tpd")
    before = resident_kib(node, vpnhad)
    for kind in (*KINDS, *TO_THE_NODE):
        run.step(f"client2 floods: {kind}")
        begun, resident = run.lab.now(), resident_kib(node, xl2tpd)
        with flooding(run, kind, KINDS.get(kind, ""), SECONDS, node, FLOODER):
            run.observe(BURST_S)
            shares = [busy_share(run, node, (vpnhad, xl2tpd)) for _ in range(SLICES)]
        floods[kind] = begun, run.lab.now()
        run.expect(f"{kind}_vpnhad_busy", min(share[0] for share in shares), at_most(BUSY))
        run.expect(f"{kind}_xl2tpd_busy", min(share[1] for share in shares), at_most(XL2TPD_BUSY))
        run.expect(f"{kind}_xl2tpd_grown_kib", resident_kib(node, xl2tpd) - resident,
                   at_most(XL2TPD_GROWN_KIB.get(kind, XL2TPD_GROWN_BY_OTHERS_KIB)))
    run.expect("vpnhad_grown_kib", resident_kib(node, vpnhad) - before, at_most(GROWN_KIB))
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    dropped = live.stack.metrics(node)
    run.expect("lease_datagrams_received",
               [dropped[f'vpnha_lease_datagrams_dropped_total{{reason="{reason}"}}']
                for reason in ("stranger", "forged")], equals([0, 0]))
    with flooding(run, "sccrq", NOBODYS, CUT_SECONDS, node, FLOODER):
        run.observe(CUT_AFTER_S)
        successor = live.cut_power(node)
        run.observe(CUT_SECONDS - CUT_AFTER_S)
    found = successor.run("vpnha", "events", "--json", "--event", "stand-in").stdout.splitlines()
    run.expect("stood_in", [json.loads(each)["event"] for each in found], equals(["stand-in"]))
    newcomer(live)
    seen = live.end()
    client = seen.client("client1")
    run.expect("gap_before_ms", worst_gap_ms(client, (calm_from, floods["sccrq"][0])),
               at_most(GAP_MS))
    for kind, span in floods.items():
        run.expect(f"{kind}_gap_ms", worst_gap_ms(client, span), at_most(GAP_MS))
    expect_only_silence(run, client, TAKEOVER_MS)


def newcomer(live: Live) -> None:
    live.run.step("client2 dials, as anybody")
    live.dial("client2")
