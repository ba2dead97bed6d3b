# SPDX-License-Identifier: GPL-2.0-or-later
"""Another site that is joined by IPsec: the connections of both ends."""
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from vpnlab.host.topology import L2TP, NODES
from vpnlab.product.sites.ipsec_site import POLICY_SITE, ROUTED_SITE, Site


@pytest.mark.parametrize("site", [POLICY_SITE, ROUTED_SITE])
def test_both_ends_of_a_site_know_each_other_and_the_gateway_begins(site: Site):
    peer: Any = SimpleNamespace(spec=NODES["client1"])
    gateways, own = site.connection(L2TP, peer), site.own_connection(L2TP)
    assert f"remote_addrs = {peer.spec.access_address}" in gateways
    assert f"remote_addrs = {L2TP.vip_outside}" in own
    assert "start_action = trap" in gateways and "start_action" not in own
    for text, there in ((gateways, "remote_ts"), (own, "local_ts")):
        assert f"{there} = {site.net}" in text
        assert text.count("{") == text.count("}")
    assert gateways.count(f"if_id_in = {site.if_id}") == bool(site.interface)
