# SPDX-License-Identifier: GPL-2.0-or-later
"""A rule drops GRE of new calls on the promoted node: the gateway moves, and its call lives.

Purpose: as probe-dead-service. pptpd lives, listens and greets; only who makes a call notices.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd;
cib-templates/probe.crm for pptp.

Steps: client1 dials with MPPE-128 and makes traffic; a ruleset drops the GRE that the promoted
gateway sends to itself. The client's own GRE passes: a rule that drops that too ends the call by
pppd's LCP echoes, before any probe is sure.

Expected: another node serves within 45 s; one move; the node is marked as dead and its successor as
alive; to the client it was a silence of at most 2.5 s and nothing else.
"""
from vpnlab.host.node import Node
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.steps.promoted.dead_service import (
    begin_probed, expect_marked, expect_moved_alive, hang_service)
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
RULES = """table ip dropped {
    chain lo { type filter hook input priority 0; iifname "lo" ip protocol gre drop; }
}"""


def drop_gre(node: Node) -> None:
    node.note_fault("drop GRE that it sends to itself")
    node.run("nft", "-f", "-", stdin=RULES)


def steps(run: Run) -> None:
    live = begin_probed(run, "pptp", {"client1": PptpDialler}, pptp=True)
    successor = hang_service(run, live, "a rule that drops GRE", drop_gre)
    expect_marked(run, live, successor)
    expect_moved_alive(run, live)
