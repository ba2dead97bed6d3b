# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing is sent from a silent gateway's addresses by a third device of its nodes either.

Purpose: an address is the whole node's. A node that has lost its lease keeps its VIPs, and every
standby has the address of the hot sessions' PPP links; the kernel answers ARP for them on whatever
device it is asked, and a neighbour that is answered there sends its packets to the wrong node.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server, and the management network, which
joins client1 to all gateways by a device that is no gateway's.

Steps: client1 dials and makes traffic. By the management network it asks for the VIPs of both sides
and for the PPP address, by ARP and, when it knows whom to send it to, by ping; with rp_filter 0 and
with 2 on the gateways. Then the power of both standbys is cut, the promoted node's lease is over,
and client1 asks the same again. Both are switched on again.

Expected: there, too, the promoted node answers as long as it serves, and no standby ever; nobody
does after the lease. The session lives on.
"""
from collections.abc import Iterable

from vpnlab.evidence.capture_decode import Frame, read_frames
from vpnlab.evidence.expectation import at_least, equals, is_empty
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP, NETWORKS
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import expect_nothing_else
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
THIRD = "management"
DEVICE = NETWORKS[THIRD].link
ASKED = (L2TP.vip_outside, L2TP.vip_inside, L2TP.ppp_local)
RP_FILTERS = ("0", "2")
# The client is to live through the silence: it gives up after some ten seconds.
PATIENCE_S = "0.4"
LAPSED_S = 1.0


def steps(run: Run) -> None:
    live = begin(run)
    sent = {node.name: run.out / f"{node.name}-{THIRD}.pcap" for node in run.lab.gateways}
    for node in run.lab.gateways:
        run.lab.capture_sent(node.name, THIRD, sent[node.name])
        run.expect(f"without_gate_on_{node.name}", live.stack.without_gate(node), is_empty())
    spans = {"served": ask(run, live, run.lab.gateways)}
    run.step(f"both standbys die; {live.active.name} is left alone, and its lease ends")
    for node in live.standbys:
        node.power_off()
    run.observe(LAPSED_S)
    held = live.active.run("ip", "address").stdout
    run.expect("vips_are_here_still", all(vip in held for vip in ASKED), equals(True))
    spans["lapsed"] = ask(run, live, [live.active])
    first, second = live.standbys
    run.step(f"{first.name} is switched on again, and then {second.name}")
    live.stack.join(first.name)
    live.wait_answered()
    live.stack.rejoin(second.name)
    live.stack.wait_protected(1)
    seen = live.end()
    for name, (begun, until) in spans.items():
        for node in run.lab.gateways:
            frames = sum(begun < frame.t < until and source_of(frame) in ASKED
                         for frame in read_frames(sent[node.name]))
            answers = name == "served" and node is live.active
            run.expect(f"{name}_frames_of_{node.name}", frames,
                       at_least(len(ASKED) * len(RP_FILTERS)) if answers else equals(0))
    expect_nothing_else(run, seen.client("client1"))


def ask(run: Run, live: Live, gateways: Iterable[Node]) -> tuple[float, float]:
    """Returns from when until when client1 asked."""
    client = live.client.node
    begun = run.lab.now()
    for rp_filter in RP_FILTERS:
        run.step(f"client1 asks by {DEVICE}, rp_filter {rp_filter}")
        for node in gateways:
            for which in ("all", DEVICE):
                node.put(f"/proc/sys/net/ipv4/conf/{which}/rp_filter", rp_filter)
        for address in ASKED:
            client.run("ip", "neighbour", "flush", "dev", DEVICE, "to", address)
            client.run("ping", "-n", "-q", "-I", DEVICE, "-c", "1", "-W", PATIENCE_S, address,
                       check=False)
    return begun, run.lab.now()


def source_of(frame: Frame) -> str | None:
    """The address that a frame speaks for."""
    if frame.arp is not None:
        return frame.arp.sender
    return frame.ip.src if frame.ip is not None else None
