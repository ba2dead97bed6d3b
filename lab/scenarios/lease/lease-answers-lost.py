# SPDX-License-Identifier: GPL-2.0-or-later
"""A packet filter drops the lease's datagrams on their way to the promoted node, and nothing else.

Purpose: the node's claims arrive, the answers do not, and Corosync sees nothing of it. A node in
that state was promoted and silent for ever: its voters promised each claim, so nobody missed it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the promoted node's nftables drops UDP to the lease's port.
Later the filter goes away.

Expected: a silence of at most 0.7 s and nothing else; another node serves; never two owners;
without the filter the node is a standby in sync whose vote counts.
"""
from vpnlab.product.vpnha_stack import LEASE_PORT
from vpnlab.steps.promoted.fault import expect_moved, strike
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
OUTAGE_MS = 700


def steps(run: Run) -> None:
    live = strike(run, "the lease's port is filtered on its way into",
                  lambda node: node.filter_port(LEASE_PORT), apart=True)
    live.active.unfilter_port()
    live.stack.wait_in_sync()
    live.stack.wait_protected(1)
    expect_moved(run, live, OUTAGE_MS)
