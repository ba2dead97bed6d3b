# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices of the gateway are deleted and created anew under it; their gate and addresses are back.

Purpose: a network daemon, a driver or a bond takes a device away, and with it the gate and the VIPs
that were on it. On the promoted node both come back by themselves; on a standby only the gate, and
before anything can come from it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; `outside` and `inside` of the
gateways are bridges over the machine's own links.

Steps: client1 dials and makes traffic. On a standby, and then on the promoted node, the bridges
outside and inside are deleted and created anew, one after the other, with the node's own address.
client1 and server ping that address as often as client1 pings through its session.

Expected: the session's gap is at most 50 ms, or twice the longest of a fault-free time, longer than
the time for which the node's own address did not answer either: that is the device's own absence,
as anybody else on the network sees it. Nothing comes from a VIP on the new device before its gate
is attached; nobody is promoted; the gate is on all devices; no standby sends anything.
"""
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from vpnlab.evidence.capture_decode import read_frames
from vpnlab.evidence.expectation import at_most, equals, is_empty
from vpnlab.host.node import Node
from vpnlab.host.topology import VIP_INSIDE, VIP_OUTSIDE
from vpnlab.product.probes import Pinger
from vpnlab.steps.live import begin
from vpnlab.steps.promise import (FAULT_FREE_MS, UNNOTICED_MS, Span, expect_nothing_else, gap_ms,
                                  worst_gap, worst_gap_ms)
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)
# Who pings the node's own address there, and which VIP is on it.
DEVICES = {"outside": ("client1", VIP_OUTSIDE), "inside": ("server", VIP_INSIDE)}
CALM_S = 8
OBSERVED_S = 5
PROMISED_LIMIT_S = 10
NEW = "event=new-device"


class Recreated(NamedTuple):
    """A device of the promoted node; `t` is when the command was given."""

    device: str
    t: float
    until: float
    # When vpnhad noticed the new device: its gate and its VIP come after.
    noticed_at: float
    # When the node's own address there answered.
    own: list[float]


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        for device in DEVICES:
            node.sense_carrier(device)
    live = begin(run, observe_s=0)
    stack, active = live.stack, live.active
    promotions = stack.promotions()

    def noticed(node: Node) -> list[str]:
        return [line for line in stack.daemon_log(node).splitlines() if NEW in line]

    calm_from = run.lab.now()
    run.observe(CALM_S)
    calm = (calm_from, run.lab.now())
    done: list[Recreated] = []
    for node in (live.standbys[0], active):
        for device, (neighbour, _) in DEVICES.items():
            run.step(f"{device} of {node.name} is created anew")
            pinger = Pinger(run.lab.node(neighbour), node.address(device))
            run.wait_for(f"{neighbour} is answered", pinger.answers, PROMISED_LIMIT_S)
            known = len(noticed(node))
            t = run.lab.now()
            node.recreate_bridge(device)
            run.wait_for("vpnhad has noticed it", lambda: len(noticed(node)) > known,
                         PROMISED_LIMIT_S)
            run.observe(OBSERVED_S)
            until = run.lab.now()
            own = pinger.stop()
            if node is active:
                stamp = datetime.fromisoformat(noticed(node)[known].split()[0]).timestamp()
                done.append(Recreated(device, t, until, stamp, own))
    run.expect("promotions", stack.promotions(), equals(promotions))
    for node in run.lab.gateways:
        run.expect(f"gate_of_{node.name}", stack.without_gate(node), is_empty())
    seen = live.end()
    client = seen.client("client1")
    fault_free = worst_gap_ms(client, calm)
    run.expect("fault_free_gap_ms", fault_free, at_most(FAULT_FREE_MS))
    for each in done:
        absence = worst_gap(each.own, (each.t, each.until))
        away_ms, silence_ms = gap_ms(absence), worst_gap_ms(client, (each.t, each.until))
        run.expect(f"{each.device}_absent_ms", away_ms, at_most(FAULT_FREE_MS))
        run.expect(f"{each.device}_silent_beyond_ms",
                   None if away_ms is None or silence_ms is None
                   else round(silence_ms - away_ms, 1),
                   at_most(max(UNNOTICED_MS, 2 * (fault_free or 0))))
        path = run.out / f"{active.name}-{each.device}.pcap"
        run.expect(f"{each.device}_before_the_gate", None if absence is None else frames_between(
            path, DEVICES[each.device][1], (absence[0], each.noticed_at)), equals(0))
    expect_nothing_else(run, client)


def frames_between(path: Path, address: str, span: Span) -> int:
    """Frames from the address, from the last answer of the old device on; that one's own last
    ones are as old as the answer."""
    return sum(span[0] + 0.015 < frame.t < span[1] for frame in read_frames(path)
               if (frame.ip is not None and frame.ip.src == address)
               or (frame.arp is not None and frame.arp.sender == address))
