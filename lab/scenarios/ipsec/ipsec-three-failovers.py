# SPDX-License-Identifier: GPL-2.0-or-later
"""A session of L2TP/IPsec and one of IKEv2 outlive three gateways, one after the other.

Purpose: SAs that were taken over are replicated again, so that the n-th failover works like the
first; a node that returns has them although it once served them; and IKE itself continues: a client
that asks whether its peer is alive has an answer.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2.

Steps: both dial and make traffic throughout. Three times: the power of the promoted gateway is cut,
another one continues with both sessions, the dead one returns and is in sync again. Each gateway
dies once. Then the clients are silent until they have asked for their dead peer.

Expected: as in the power cuts of IPsec, for each of the three; both clients are answered by IKE.
"""
from vpnlab.evidence.capture_invariants import ike_answers
from vpnlab.evidence.expectation import at_least
from vpnlab.product.ipsec_client import DPD_S
from vpnlab.steps.ipsec.live import CLIENTS, IPSEC_NODES, begin_ipsec
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.takeovers import each_gateway_dies_once

SCENARIO = Scenario(nodes=IPSEC_NODES, faults=3, vpnha=True)


def steps(run: Run) -> None:
    live = begin_ipsec(run, observe_s=0)
    each_gateway_dies_once(run, live, len(CLIENTS))
    for client in live.clients:
        client.stop_traffic()
    run.step("the clients are silent until they ask whether the gateway is alive")
    silent_from = run.lab.now()
    run.observe(3 * DPD_S)
    silence = (silent_from, run.lab.now())
    seen = live.end()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)
        run.expect(f"{client.name}_answered_by_ike",
                   ike_answers(client.files.outside, client.gateway.vip_outside, silence),
                   at_least(1))
