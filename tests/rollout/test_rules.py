# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules that the role makes of nftables/gateway.nft."""
import re
import subprocess
from typing import Any

import pytest
from rendering import rendered

KINDS: dict[str, tuple[dict[str, Any], bool]] = {
    "l2tp": ({"ipsec": False}, False), "l2tp-ipsec": ({"ipsec": True}, True),
    "ipsec-table": ({"ipsec": {"required": False}}, True)}


def rules(gateway: dict[str, Any]) -> str:
    return rendered("gateway.nft.j2", gateway)


@pytest.mark.parametrize("kind", KINDS)
def test_who_speaks_ike_is_deaf_at_the_node_s_own_addresses(kind: str):
    gateway, has_ike = KINDS[kind]
    text = rules(gateway)
    found = re.findall(r"^ +(\S.*) ct state new counter drop", text, re.MULTILINE)
    assert found == (["udp dport { 500, 4500 }", "meta l4proto esp"] if has_ike else [])


def test_nothing_for_a_client_leaves_outside_in_clear_text():
    text = rules({})
    assert 'ip daddr { 10.200.1.0/24 } oifname "eth1" rt ipsec missing counter drop' in text


def test_pools_of_ipv6_have_the_same_rules():
    assert "ip6 daddr" not in re.sub("(?m)^ *#.*", "", rules({}))
    text = rules({"pools": ["10.200.1.0/24", "2001:db8:200::/48"]})
    assert 'ip6 daddr { 2001:db8:200::/48 } oifname "eth1" rt ipsec missing counter drop' in text
    assert 'ip daddr { 10.200.1.0/24 } oifname "eth1" rt ipsec missing counter drop' in text


@pytest.mark.parametrize("kind", [*KINDS, "ipv6"])
def test_the_rules_can_be_loaded(kind: str):
    text = rules(KINDS[kind][0] if kind in KINDS
                 else {"pools": ["10.200.1.0/24", "2001:db8:200::/48"]})
    assert "@" not in re.sub(r"@(th|flows6?|newcomers6?)\b", "", re.sub("(?m)^ *#.*", "", text))
    done = subprocess.run(["unshare", "--net", "nft", "--check", "--file", "-"], input=text,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
