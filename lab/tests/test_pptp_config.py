# SPDX-License-Identifier: GPL-2.0-or-later
import types

import pytest

from vpnlab.host.topology import L2TP, NODES
from vpnlab.product.pptp_client import MPPE, OPTIONS
from vpnlab.product.pptp_gateway import pptpd_conf, pptpd_options


def test_gateway_listens_on_the_vip_and_hands_out_its_own_addresses():
    node = types.SimpleNamespace(spec=NODES["gw2"])
    lines = pptpd_conf(node).splitlines()
    assert {"listen 192.0.2.100", "localip 10.200.0.1", "remoteip 10.200.2.10-250"} <= set(lines)
    assert L2TP.pool(NODES["gw2"])[0] == "10.200.2.10"


@pytest.mark.parametrize("options", [pptpd_options().splitlines(), (*OPTIONS, *MPPE)])
def test_both_sides_demand_mppe_and_have_no_other_compression(options):
    assert {"require-mppe-128", "nobsdcomp", "nodeflate", "novj", "noipv6"} <= set(options)
    assert "noccp" not in options and "mppe-stateful" not in options


def test_a_gateway_without_mppe_refuses_it():
    assert "nomppe" in pptpd_options(mppe=False).splitlines()
    assert "require-mppe-128" not in pptpd_options(mppe=False)


def test_extra_options_come_last_so_that_they_win():
    assert pptpd_options(["plugin vpnha.so"]).splitlines()[-1] == "plugin vpnha.so"
