# SPDX-License-Identifier: GPL-2.0-or-later
"""No standby sends to a WireGuard client, whatever happens on it, and none answers it.

Purpose: a client sends to whoever sent to it last, and a standby's kernel has all that it takes to
speak. Its try would also hold up the next one by 5 s.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 shakes hands and makes traffic. On each standby a program sends packets to client1's
address in the tunnel, by the standby's own WireGuard device. client2 tries to shake hands with each
gateway's own address. Then the power of the promoted gateway is cut.

Expected: while the standbys try, not one packet of WireGuard leaves them; client2 has no answer;
client1 still sends to the VIP, and notices nothing. The tries were seen, and at the power cut
client1 sees a silence of at most TAKEOVER_MS and nothing else.
"""
from vpnlab.evidence.capture_decode import Wireguard, read_frames
from vpnlab.evidence.expectation import at_least, equals
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.wireguard.stock import (CLIENT_KEYS, INTERFACE, PORT, address_of, client_config,
                                            latest_handshake, peer_section)
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import begin_wireguard, endpoints

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
TRIED_S, PING_EVERY_S = 30, "1"
AFTERWARDS_S = 5
STRANGER = "client2"


def steps(run: Run) -> None:
    live = begin_wireguard(run, further_peers="\n" + peer_section(
        CLIENT_KEYS[STRANGER].public, address_of(STRANGER)))
    live.stack.wait_protected(2)
    stranger = run.lab.node(STRANGER)
    begun_at = run.lab.now()
    run.step("the standbys try to reach client1, and client2 tries each gateway's own address")
    for node in live.standbys:
        node.start("ping", "-n", "-q", "-i", PING_EVERY_S, "-I", INTERFACE, address_of("client1"))
    for node in run.lab.gateways:
        device = f"to{node.name}"
        config = client_config(CLIENT_KEYS[STRANGER].private).replace(
            live.client.gateway.vip_outside, node.spec.address("outside"))
        stranger.put(f"/run/lab/{device}.conf", config, mode=0o600)
        stranger.run("ip", "link", "add", device, "type", "wireguard")
        stranger.run("wg", "setconf", device, f"/run/lab/{device}.conf")
        stranger.run("ip", "link", "set", device, "up")
    run.observe(TRIED_S)
    until = run.lab.now()
    for node in run.lab.gateways:
        shown = stranger.run("wg", "show", f"to{node.name}", "latest-handshakes").stdout
        run.expect(f"answered_by_{node.name}", latest_handshake(shown), equals(0))
    run.expect("client1_sends_to", endpoints(live.client.node),
               equals([f"{live.client.gateway.vip_outside}:{PORT}"]))
    for node in live.standbys:
        counters = live.stack.status(node)["counters"]
        run.expect(f"tries_seen_at_{node.name}", counters["wireguard_tried_as_standby"],
                   at_least(1))

    live.cut_power(live.active)
    live.stack.wait_protected(2)
    run.observe(AFTERWARDS_S)
    seen = live.end()
    silent = {node.name for node in live.standbys}
    run.expect("sent_by_standbys", sum(
        frame.ip is not None and isinstance(frame.ip.upper, Wireguard)
        and begun_at <= frame.t < until
        for path in run.sent_outside() if any(path.name.startswith(name) for name in silent)
        for frame in read_frames(path)), equals(0))
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
