# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha-probe shakes hands with the gateway as a peer of its own, before and after a power cut.

Purpose: WireGuard answers nobody that it does not know. The probe has an account, and what it does
is no session: no client notices it.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. client2 is the
monitoring host.

Steps: client1 has a stock `wg` and makes traffic; client2 probes with its account, and with one
that no gateway knows. The power of the promoted gateway is cut, and client2 probes once more.

Expected: OK, CRITICAL within its 5 s, OK; client1 saw the silence of the power cut and nothing
else.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.product.wireguard.stock import (CLIENT_KEYS, GATEWAY_KEYS, PRESHARED_KEY, address_of,
                                            peer_section)
from vpnlab.steps.live import off_dc
from vpnlab.steps.promise import POWER_CUT_MS, WAITING_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import begin_wireguard

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
OK, CRITICAL = 0, 2
PROBE_S = 5
PEERS = 2


def probe(host: Node, private: str) -> int:
    account = "/etc/probe.conf"
    host.put(account, f"[Interface]\nPrivateKey = {private}\n\n[Peer]\n"
             f"PublicKey = {GATEWAY_KEYS.public}\nPresharedKey = {PRESHARED_KEY}\n", mode=0o600)
    return host.run("vpnha-probe", "wireguard", L2TP.vip_outside, "--account", account,
                    check=False).code


def steps(run: Run) -> None:
    host = run.lab.node("client2")
    own = CLIENT_KEYS[host.name]
    live = begin_wireguard(run, off_dc,
                           further_peers="\n" + peer_section(own.public, address_of(host.name)))
    run.expect("answered", probe(host, own.private), equals(OK))
    asked = run.lab.now()
    run.expect("not_answered", probe(host, CLIENT_KEYS["client3"].private), equals(CRITICAL))
    run.expect("gives_up_after_s", round(run.lab.now() - asked, 1), at_most(PROBE_S + 1))
    live.cut_power(live.active)
    run.expect("answered_by_the_successor", probe(host, own.private), equals(OK))
    live.stack.wait_protected(PEERS)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), WAITING_MS if run.waiting else POWER_CUT_MS)
