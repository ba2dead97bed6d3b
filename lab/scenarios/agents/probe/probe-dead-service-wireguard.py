# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node answers no handshake of WireGuard: the gateway moves, and its peer lives.

Purpose: as probe-dead-service. WireGuard answers nobody whose key it does not know, so the probe
has an account, a peer of its own.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; WireGuard beside L2TP;
cib-templates/probe.crm for l2tp, and for wireguard as soon as the account is there.

Steps: client1 shakes hands and makes traffic. The account is put on each gateway, and a
parameter of the probe names it. A ruleset drops the handshakes that the promoted gateway sends to
itself.

Expected: another node serves within 45 s; one move; the node is marked as dead and its successor as
alive; to the client it was a silence of at most 2.5 s and nothing else.
"""
from vpnlab.host.node import Node
from vpnlab.product.wireguard.stock import (CLIENT_KEYS, GATEWAY_KEYS, PORT, PRESHARED_KEY,
                                            address_of, peer_section)
from vpnlab.steps.promoted.dead_service import (
    expect_marked, expect_moved_alive, hang_service, set_probe, wait_alive)
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import begin_wireguard

SCENARIO = Scenario(faults=1, vpnha=True)
ACCOUNT = "/etc/vpnha/probe.wg"
# Nobody else has its keys here.
PROBE = "client2"
RULES = f"""table ip dropped {{
    chain lo {{ type filter hook input priority 0; iifname "lo" udp dport {PORT} drop; }}
}}"""


def drop_handshakes(node: Node) -> None:
    node.note_fault("drop handshakes that it sends to itself")
    node.run("nft", "-f", "-", stdin=RULES)


def steps(run: Run) -> None:
    keys = CLIENT_KEYS[PROBE]
    live = begin_wireguard(run, probe="l2tp",
                           further_peers="\n" + peer_section(keys.public, address_of(PROBE)))
    for node in run.lab.gateways:
        node.put(ACCOUNT, f"[Interface]\nPrivateKey = {keys.private}\n\n[Peer]\n"
                 f"PublicKey = {GATEWAY_KEYS.public}\nPresharedKey = {PRESHARED_KEY}\n", mode=0o600)
    run.step("the probe asks WireGuard as well")
    set_probe(live, {"accounts": f"wireguard={ACCOUNT}", "protocols": "l2tp wireguard"})
    wait_alive(run, live, live.active)
    successor = hang_service(run, live, "a rule that drops handshakes", drop_handshakes)
    expect_marked(run, live, successor)
    expect_moved_alive(run, live)
