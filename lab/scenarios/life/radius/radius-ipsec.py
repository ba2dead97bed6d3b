# SPDX-License-Identifier: GPL-2.0-or-later
"""Accounting by RADIUS of L2TP within IPsec continues over two power cuts.

Purpose: as radius-continuity, with what passes within ESP.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server, with FreeRADIUS.

Steps: client1 dials by L2TP/IPsec; then as radius-continuity.

Expected: the same.
"""
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.steps.accounts import account_over_power_cuts
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)


def steps(run: Run) -> None:
    account_over_power_cuts(run, {"client1": L2tpIpsecClient}, ipsec=True)
