# SPDX-License-Identifier: GPL-2.0-or-later
"""A TCP stream through NAT that its server drives outlives the gateway.

Purpose: the client only acknowledges, so the first packet that the new gateway gets of the flow is
the server's, to the VIP itself. A kernel that does not know the flow takes that for its own and
answers with a RST: the stream of every download ends with today's stack.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of nftables/gateway.nft
on all gateways; the server has no route to the clients.

Steps: client1 opens a connection on which the server sends a record each 20 ms; the power of the
promoted gateway is cut.

Expected: the client has all records in order; no RST to the server; a silence of at most 1 s and
nothing else. The stream itself may pause longer: its server's retransmissions double their pauses.
"""
from vpnlab.evidence.expectation import at_most, equals, is_empty, is_true
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.nat import (Tool, flows, inside_captures, moved, prepare, resets_sent,
                                sources_seen)

SCENARIO = Scenario(faults=1, vpnha=True)
PUSH_PORT, PORT = 9000, 40000
INTERVAL_S = 0.02
OBSERVED_S = 4
# A retransmission that comes just before the new gateway serves is followed by the next one after
# twice the pause.
STREAM_GAP_MS = 2 * TAKEOVER_MS


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run)
    pusher = Tool(run.lab, run.lab.node("server"), "pushed.py", "serve", str(PUSH_PORT),
                  str(INTERVAL_S), result="pushed", word="listening")
    sink = Tool(run.lab, live.client.node, "pushed.py", "take", SERVER_ADDRESS, str(PUSH_PORT),
                str(PORT), result="taken", word="connected")
    run.step("the server sends to client1")
    run.observe(OBSERVED_S)
    before = flows(live.active, port=PUSH_PORT)
    cut_at = run.lab.now()
    successor = live.cut_power(live.active)
    run.observe(OBSERVED_S)
    run.expect("flows_with_another_port", moved(before, flows(successor, port=PUSH_PORT)),
               is_empty())
    sent = pusher.stop()
    run.expect("server_errors", sent["errors"], is_empty())
    run.observe(1)
    taken = sink.stop()
    run.expect("pushed_intact", taken["intact"] and taken["bytes"] == sent["bytes"], is_true())
    run.expect("pushed_gap_ms", taken["gap_ms"], at_most(STREAM_GAP_MS))

    seen = live.end()
    captures = inside_captures(run.lab, run.out)
    run.expect("source_after_the_failover", sorted(sources_seen(captures, PUSH_PORT, cut_at)),
               equals([sent["peer"]]))
    run.expect("resets_to_the_server", resets_sent(captures, PUSH_PORT), equals(0))
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
