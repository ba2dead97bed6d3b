# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv6 within IKEv2, and IKE and ESP over IPv6, outlive the power cut of their gateway.

Purpose: a client of IKEv2 has a virtual IP of each family, and reaches the gateway by either. Its
record has both addresses, and at another node both have their routes and policies.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; all with IPv6. client1
dials the VIP of IPv4, client2 that of IPv6. Both ask for an address of each family.

Steps: vpnha serves on a gateway that is not the cluster's DC; the clients dial. Each pings the
server by IPv4 and by IPv6, and streams TCP to it by both. The power of the promoted gateway is cut
under that traffic.

Expected: within 0.6 s another gateway answers in the same SAs, to both clients and in both
families: no IKE, no TCP reset, the same addresses; all streams are intact. No ESP number is used
twice. No standby sends anything. After the clients have hung up nothing is left on any node.
"""
import functools

from vpnlab.evidence.capture_invariants import sequence_invariants
from vpnlab.evidence.expectation import at_least, equals
from vpnlab.host.topology import L2TP
from vpnlab.product.charon import Charon
from vpnlab.product.cluster import Cluster
from vpnlab.product.ipsec_client import DUAL, DUAL_BY_IPV6, Ikev2Client
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import POWER_CUT_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions import ipv6

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "client1", "client2", "server"), faults=1,
                    vpnha=True)
KINDS = {"client1": DUAL, "client2": DUAL_BY_IPV6}
BEFORE_S, AFTERWARDS_S = 3, 5


def steps(run: Run) -> None:
    server6 = ipv6.prepare(run)
    ipv6.connect(run.lab.node("client2"), "outside")
    live = begin(run, clients=(), place=off_dc, observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), ipv6=True, ipsec=True))
    live.dial_all({name: functools.partial(Ikev2Client, kind=kind)
                   for name, kind in KINDS.items()})
    traffic = [ipv6.Traffic(run, client.node, server6) for client in live.clients]
    run.observe(BEFORE_S)

    begun = run.lab.now()
    live.cut_power(live.active)
    live.stack.wait_protected(len(KINDS))
    run.observe(AFTERWARDS_S)
    cut = (begun, run.lab.now())
    for each in traffic:
        each.expect_kept(("cut", cut, POWER_CUT_MS))
    seen = live.end()
    run.expect("served_by", len({owner.node for owner in seen.owners}), at_least(2))
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), POWER_CUT_MS)
        run.expect(f"{client.name}_child_sas", Charon(client.node).child_sas_made(), equals(1))
        run.expect(f"{client.name}_ike_rekeys", Charon(client.node).ike_rekeys(), equals(0))
    by_ipv6 = sequence_invariants([live.clients[1].files.outside], L2TP.vip6_outside)
    run.expect("esp_seq_reused_by_ipv6", by_ipv6.esp_seq_reused, equals(0))
