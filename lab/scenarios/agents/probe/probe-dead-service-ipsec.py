# SPDX-License-Identifier: GPL-2.0-or-later
"""charon of the promoted node lives and answers nobody: the gateway moves, and its sessions live.

Purpose: as probe-dead-service. The monitor of ocf:vpnha:strongswan asks charon by its own socket
each 10 s as well; whichever comes first moves the gateway, and it moves once.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2; cib-templates/probe.crm for ikev1 and ikev2.

Steps: both dial and make traffic; charon of the promoted node gets a SIGSTOP.

Expected: another node serves within 45 s; one move; its probes are answered there; to each client
it was a silence of at most 2.5 s and nothing else.
"""
from vpnlab.product.sites.home import start_nat
from vpnlab.steps.promoted.dead_service import begin_probed, hang_service, expect_moved_alive
from vpnlab.steps.ipsec.live import CHARON, CLIENTS, IPSEC_NODES
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=IPSEC_NODES, faults=1, vpnha=True)


def steps(run: Run) -> None:
    start_nat(run.lab)
    live = begin_probed(run, "ikev1 ikev2", CLIENTS, ipsec=True)
    hang_service(run, live, "a SIGSTOP of charon", lambda node: node.stop_process(CHARON))
    expect_moved_alive(run, live)
