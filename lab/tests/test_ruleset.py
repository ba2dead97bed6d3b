# SPDX-License-Identifier: GPL-2.0-or-later
"""The template of a gateway's nftables rules, filled and loaded into a namespace."""
from __future__ import annotations

import re
import subprocess

import pytest
from vpnlab.host.topology import L2TP, L2TP_2
from vpnlab.product.ruleset import rules


@pytest.fixture
def loaded(tmp_path):
    """The tables that the kernel has after the rules of two gateways were loaded, the first
    twice."""
    first, second = tmp_path / "1.nft", tmp_path / "2.nft"
    first.write_text(rules(L2TP), encoding="utf-8")
    second.write_text(rules(L2TP_2), encoding="utf-8")
    script = f"set -e; nft -f {first}; nft -f {second}; nft -f {first}; nft list ruleset"
    listed = subprocess.run(["unshare", "-rn", "sh", "-c", script], capture_output=True, text=True,
                            check=True).stdout
    tables = re.split(r"^table inet ", listed, flags=re.MULTILINE)[1:]
    return dict(table.split(maxsplit=1) for table in tables)


def test_each_gateway_has_a_table_of_its_own(loaded):
    assert sorted(loaded) == ["vpnha-l2tp", "vpnha-l2tp2"]


@pytest.mark.parametrize("line", [
    "ip daddr 192.0.2.100 jump vip",
    f"ip6 daddr {L2TP.vip6_outside} jump vip",
    "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, "
    "echo-request } accept",
    "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
    "udp dport { 500, 1701, 4500 } accept",
    "ip saddr 192.0.2.0/24 meta l4proto gre accept",
    "ip daddr 10.200.0.0/16 ct state established,related accept",
    'ip saddr 10.200.0.0/16 oifname "inside" snat ip to 198.51.100.100',
])
def test_rules_of_the_first_gateway(loaded, line):
    assert loaded["vpnha-l2tp"].count(line) == 1


def test_loading_again_doubles_nothing(loaded):
    assert loaded["vpnha-l2tp"].count("type nat hook postrouting") == 1
