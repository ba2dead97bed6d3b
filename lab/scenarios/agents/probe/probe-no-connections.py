# SPDX-License-Identifier: GPL-2.0-or-later
"""charon of the promoted node has lost its connections, and refuses everybody: the gateway moves.

Purpose: a charon without connections runs, listens and answers, with a refusal. The monitor of
ocf:vpnha:strongswan looks for them, and is faster than the probe, which would be refused.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2; cib-templates/probe.crm for ikev1 and ikev2.

Steps: both dial and make traffic; charon of the promoted node is given a file without connections.

Expected: another node serves within 45 s; one move; its probes are answered there; each client saw
a silence of at most 2.5 s and nothing else.
"""
from vpnlab.host.node import Node
from vpnlab.product.sites.home import start_nat
from vpnlab.steps.ipsec.live import CLIENTS, IPSEC_NODES
from vpnlab.steps.promoted.dead_service import begin_probed, expect_moved_alive, hang_service
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=IPSEC_NODES, faults=1, vpnha=True)
# Where AppArmor lets swanctl read.
EMPTY = "/etc/swanctl/empty.conf"


def unload(node: Node) -> None:
    node.note_fault("charon loses its connections")
    node.put(EMPTY, "connections {\n}\n", mode=0o600)
    node.run("swanctl", "--load-conns", "--file", EMPTY)


def steps(run: Run) -> None:
    start_nat(run.lab)
    live = begin_probed(run, "ikev1 ikev2", CLIENTS, ipsec=True)
    hang_service(run, live, "an empty file of connections for charon", unload)
    expect_moved_alive(run, live)
