# SPDX-License-Identifier: GPL-2.0-or-later
"""Two sessions in one tunnel of a provider's concentrator outlive a power cut, each for itself.

Purpose: a provider's LAC passes the calls of all its users on in one tunnel. It is resumed as a
whole, its sessions end one by one, and the last one takes it along.

Topology: client2, client3 -- client1, a LAC (l2tpns) -- outside -- gw1, gw2, gw3 -- inside --
server. The users dial the LAC by L2TP.

Steps: client2 and client3 dial; the power of the promoted gateway is cut. client2 hangs up. It
dials again, in the same tunnel; then client3 hangs up, and client2 as well. client2 dials once
more.

Expected: both sessions are in one tunnel, protected, and resumed in it. Both users see the silence
of the power cut, and client3 sees nothing of what client2 does. The successor takes client2's call
in the tunnel that it has taken over, and the call holds the tunnel when client3 has hung up. When
client2 has hung up as well the successor ends the tunnel (StopCCN), with which nothing is left on
any node; and client2 is served in a new one.
"""
from vpnlab.evidence.capture_decode import L2tp, read_frames
from vpnlab.evidence.capture_invariants import sequence_invariants
from vpnlab.evidence.expectation import equals
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, VIP_OUTSIDE
from vpnlab.product.sites.concentrator import Concentrator
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=1, vpnha=True)
STOPCCN = 4
GONE_LIMIT_S = 20
OBSERVED_S = 3


def steps(run: Run) -> None:
    concentrator = Concentrator(run.lab, run.lab.node("client1"))
    capture = run.out / "client1-outside.pcap"
    run.lab.capture("client1", "outside", capture, f"host {VIP_OUTSIDE}")
    live = begin(run, clients=(), observe_s=0)
    users = [concentrator.dialler(run.lab.node(name)) for name in ("client2", "client3")]
    leaves, stays = (run.client(user) for user in users)
    for client in (leaves, stays):
        client.dial()
        client.start_traffic()
        live.clients.append(client)
    live.stack.wait_protected(2)

    def tunnels(node: Node) -> list[tuple[str, int]]:
        return sorted((each["state"], each["tunnel"]) for each in live.stack.sessions(node))
    before = tunnels(live.active)
    run.expect("states", [state for state, _ in before], equals(["protected"] * 2))
    run.expect("tunnels", len({tunnel for _, tunnel in before}), equals(1))
    successor = live.cut_power(live.active)
    live.wait_answered(stays)
    run.expect("resumed", tunnels(successor), equals([("resumed", before[0][1])] * 2))
    run.observe(OBSERVED_S)

    run.step("client2 hangs up")
    leaves.stop_traffic()
    leaves.hang_up()
    run.wait_for("the successor has one session", lambda: len(tunnels(successor)) == 1,
                 GONE_LIMIT_S)
    run.step("client2 dials again, in the same tunnel")
    leaves.dial()
    live.stack.wait_protected(2)
    run.expect("with_the_new_call", tunnels(successor),
               equals([("protected", before[0][1]), ("resumed", before[0][1])]))
    run.observe(OBSERVED_S)
    run.step("client3 hangs up, and then client2")
    stays.stop_traffic()
    stays.hang_up()
    run.wait_for("the successor has the new call alone",
                 lambda: tunnels(successor) == [("protected", before[0][1])], GONE_LIMIT_S)
    leaves.hang_up()
    run.wait_for("the successor has none", lambda: not tunnels(successor), GONE_LIMIT_S)
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, LEFTOVERS_LIMIT_S)
    run.step("client2 dials once more")
    leaves.dial()
    live.stack.wait_protected(1)

    measured = live.measure()
    for client in (leaves, stays):
        expect_only_silence(run, measured.client(client.name), TAKEOVER_MS)
    sent = [frame.ip.upper for frame in read_frames(capture)
            if frame.ip is not None and isinstance(frame.ip.upper, L2tp)
            and frame.ip.src == VIP_OUTSIDE]
    run.expect("tunnels_ended", sum(each.message == STOPCCN for each in sent), equals(1))
    wire = sequence_invariants([capture], VIP_OUTSIDE)
    run.expect("ns_reused_towards_the_lac", wire.l2tp_ns_reused, equals(0))
