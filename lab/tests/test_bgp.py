# SPDX-License-Identifier: GPL-2.0-or-later
"""FRR on the gateways and on a router: its configuration, and what it has learned."""
from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from vpnlab.host.topology import L2TP, NAT, NODES
from vpnlab.product.sites import bgp

ROUTE = "192.0.2.100 nhid 6 via 192.0.2.12 dev outside proto bgp metric 20 \n"
ANNOUNCED = "announce0        UNKNOWN        192.0.2.100/32 \n"
VIP = L2TP.vip_outside


def node(name: str, stdout: str = "") -> Any:
    spec = NODES[name]
    return SimpleNamespace(name=name, spec=spec, address=spec.address,
                           run=lambda *_: SimpleNamespace(stdout=stdout))


@pytest.mark.parametrize("route, gateway", [(ROUTE, "192.0.2.12"), ("", "")])
def test_the_router_names_the_gateway_that_it_has_learned_the_vip_from(route: str, gateway: str):
    assert bgp.learned_from(node(NAT, route), VIP) == gateway


@pytest.mark.parametrize("shown, prefixes", [
    (ANNOUNCED, ["192.0.2.100/32"]), ("announce0        UNKNOWN        \n", []), ("", [])])
def test_a_node_announces_what_is_on_its_device(shown: str, prefixes: list[str]):
    assert bgp.announced_on(node("gw1", shown)) == prefixes


def test_each_gateway_and_the_router_are_neighbours_with_bfd():
    gateways = [node(name) for name in ("gw1", "gw2")]
    router = node(NAT)
    found = re.findall(r"neighbor (\S+) bfd profile gateways", bgp.router_conf(router, gateways))
    assert found == ["192.0.2.11", "192.0.2.12"]
    for each in gateways:
        text = bgp.gateway_conf(each, router)
        assert "neighbor 192.0.2.61 bfd profile gateways" in text
        assert text.count("import vrf announce") == 1
    # Of emulated nodes.
    assert "detect-multiplier 20" in bgp.bfd_conf(4)


def test_the_blackhole_is_worse_than_what_bgp_announces():
    assert bgp.LAST_RESORT >> 24 == 255
