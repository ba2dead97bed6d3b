# SPDX-License-Identifier: GPL-2.0-or-later
"""A TCP stream through the gateway's NAT outlives the gateway, with its port.

Purpose: the flow, and what NAT made of it, is in the kernel of every standby before it is promoted.
Without that a new gateway may guess a flow from the middle, but not its translation: of two clients
with the same source port one has been given another, and the server knows it by that.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of
nftables/gateway.nft on all gateways; the server has no route to the clients.

Steps: client2 opens a stream from a port, then client1 from the same one, which NAT has to move;
client1 makes the usual traffic too; the power of the promoted gateway is cut.

Expected: both streams continue, and the server sees them from the address and ports it knows; no
RST to anybody; a silence of at most 1 s and nothing else. Without the flows (today's stack)
client1's stream gets client1's own port on the new gateway, where client2's was, and both are
reset.
"""
from vpnlab.evidence.expectation import at_least, equals, is_empty
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.product.probes import ECHO_PORT
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.nat import (Streams, flows, inside_captures, moved, prepare, resets_sent,
                                sources_seen, translations)

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
PORT = 40000
INTERVAL_S = 0.05
OBSERVED_S = 3


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run, ("client1", "client2"))
    run.step(f"streams from port {PORT} of client2 and of client1")
    streams = [Streams(run.lab, run.lab.node(name), PORT, 1, INTERVAL_S, ("ppp0",))
               for name in ("client2", "client1")]
    run.observe(OBSERVED_S)
    before = flows(live.active, port=ECHO_PORT)
    run.expect("ports_that_nat_changed",
               sum(name[1].split(">")[0].split(":")[1] != known.split(":")[1]
                   for name, known in translations(before).items()), at_least(1))
    cut_at = run.lab.now()
    successor = live.cut_power(live.active)
    run.observe(OBSERVED_S)
    run.expect("flows_with_another_port", moved(before, flows(successor, port=ECHO_PORT)),
               is_empty())
    ends = [each.stop() for each in streams]
    run.expect("streams_alive", sum(each["alive"] for each in ends), equals(len(streams)))
    run.expect("streams_reset", sum(each["resets"] for each in ends), equals(0))

    seen = live.end()
    captures = inside_captures(run.lab, run.out)
    known = sources_seen(captures, ECHO_PORT, end=cut_at)
    run.expect("sources_new_to_the_server",
               sorted(sources_seen(captures, ECHO_PORT, start=cut_at) - known), is_empty())
    run.expect("sources_not_of_the_vip",
               sorted(each for each in known if not each.startswith(f"{L2TP.vip_inside}:")),
               is_empty())
    run.expect("resets_to_the_server", resets_sent(captures, ECHO_PORT), equals(0))
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)
