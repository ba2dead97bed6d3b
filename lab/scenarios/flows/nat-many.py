# SPDX-License-Identifier: GPL-2.0-or-later
"""2 000 TCP streams through 20 sessions and one NAT address outlive the gateway.

Purpose: what a gateway holds for its clients is many small flows. All of them are in the kernel of
every standby, with the ports that NAT gave them, before it is promoted.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of
nftables/gateway.nft on all gateways; the server has no route to the clients.

Steps: client2 dials 20 sessions and opens 100 streams through each of them, from the same ports
through each: 1 900 are given other ports by NAT. A stream sends something each 10 s. client1 makes
the usual traffic. The power of the promoted gateway is cut; then each stream is asked once more.

Expected: all 2 000 streams are alive, with the address and port that the server knows; no RST to
anybody; client1 sees a silence of at most 1 s and nothing else.
"""
from vpnlab.evidence.expectation import at_least, equals, is_empty
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.crowd import Callers
from vpnlab.product.probes import ECHO_PORT
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.nat import (Streams, expect_hot, flows, inside_captures, moved, prepare,
                                resets_sent, sources_seen, translations)

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
SESSIONS, STREAMS = 20, 100
FIRST_PORT = 40000
INTERVAL_S = 10.0
PROTECTED_LIMIT_S = 30
HOT_LIMIT_S = 10
OBSERVED_S = 3


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run, observe_s=0)
    run.step(f"client2 dials {SESSIONS} sessions")
    callers = Callers(run.lab, run.lab.node("client2"), SESSIONS)
    interfaces = callers.dial()
    live.stack.wait_protected(SESSIONS + 1, PROTECTED_LIMIT_S)
    run.step(f"{STREAMS} streams through each of them")
    streams = Streams(run.lab, run.lab.node("client2"), FIRST_PORT, STREAMS, INTERVAL_S,
                      interfaces)
    run.observe(OBSERVED_S)
    before = flows(live.active, port=ECHO_PORT)
    run.expect("flows", len(before), at_least(SESSIONS * STREAMS))
    expect_hot(run, live, before, HOT_LIMIT_S)
    live.wait_answered()
    run.observe(OBSERVED_S)
    cut_at = run.lab.now()
    successor = live.cut_power(live.active)
    run.step("each stream is asked once more")
    end = streams.stop()
    run.expect("streams_alive", end["alive"], equals(SESSIONS * STREAMS))
    run.expect("streams_reset", end["resets"], equals(0))
    run.expect("streams_broken", dict(list(end["broken"].items())[:5]), is_empty())
    gone = moved(before, flows(successor, port=ECHO_PORT))
    run.expect("flows_with_another_port", len(gone), equals(0))
    callers.hang_up()

    seen = live.end()
    captures = inside_captures(run.lab, run.out)
    # A capture beside 2 000 streams may miss frames: what NAT made of them is known as well.
    known = sources_seen(captures, ECHO_PORT, end=cut_at) | set(translations(before).values())
    run.expect("sources_new_to_the_server",
               len(sources_seen(captures, ECHO_PORT, start=cut_at) - known), equals(0))
    run.expect("resets_to_the_server", resets_sent(captures, ECHO_PORT), equals(0))
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
