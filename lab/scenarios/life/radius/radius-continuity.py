# SPDX-License-Identifier: GPL-2.0-or-later
"""Accounting by RADIUS continues over two power cuts: one Start, one Stop, one id, all octets.

Purpose: an accounting server sees a session as if there were one gateway that never dies.

Topology: client1 and client2 -- outside -- gw1, gw2, gw3 -- inside -- server, with FreeRADIUS;
stock xl2tpd and pptpd beside each other. pppd's radius.so authenticates, vpnhad accounts.

Steps: client1 dials by L2TP, client2 by PPTP. Both move some megabytes, then the power of the
promoted gateway is cut under light traffic; twice. They do so once more, and hang up.

Expected: as in l2tp-power-cut for both clients; in what the server wrote down, of each session one
Start and one Stop under one Acct-Session-Id, with the Class that the server gave; counters that
never go back; octets within 1 % of what the client's own interface received, and at least 95 % of
what it sent, because what it sends to a dead gateway reaches nobody; User-Request as the cause.
"""
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.steps.accounts import account_over_power_cuts
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=2, vpnha=True)


def steps(run: Run) -> None:
    account_over_power_cuts(run, {"client1": L2tpClient, "client2": PptpDialler})
