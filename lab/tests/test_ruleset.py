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


# Sent to the VIP by lo, a hundred at once each: who may begin 40 at once is let in that often.
SEND = """
import socket, sys
port, begin = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    for _ in range(100):
        udp.sendto(begin + bytes(40), ("192.0.2.100", port))
"""


@pytest.mark.parametrize(("port", "begin", "dropped"), [
    pytest.param(1701, "c802 003c 0000 0000", True, id="SCCRQ"),
    pytest.param(1701, "c802 003c 0007 0000", False, id="of-a-tunnel"),
    pytest.param(1701, "4002 003c 0000 0007", False, id="L2TP-data"),
    pytest.param(500, "0102030405060708 0000000000000000", True, id="IKE_SA_INIT"),
    pytest.param(500, "0102030405060708 0102030405060708", False, id="IKE_AUTH"),
    pytest.param(4500, "00000000 0102030405060708 0000000000000000", True, id="behind-NAT"),
    pytest.param(4500, "00000000 0102030405060708 0102030405060708", False, id="IKE-behind-NAT"),
    pytest.param(4500, "01020304 00000001 0000000000000000 0000000000000000", False, id="ESP"),
])
def test_newcomers_are_let_in_so_many_a_second(tmp_path, port, begin, dropped):
    file, sender = tmp_path / "1.nft", tmp_path / "send.py"
    file.write_text(rules(L2TP), encoding="utf-8")
    sender.write_text(SEND, encoding="utf-8")
    script = ("set -e; ip link set lo up; ip address add 192.0.2.100/32 dev lo; "
              f"nft -f {file}; /usr/bin/python3 {sender} {port} '{begin}'; "
              "nft list chain inet vpnha-l2tp newcomer")
    listed = subprocess.run(["unshare", "-rn", "sh", "-c", script], capture_output=True, text=True,
                            check=True).stdout
    packets = max(map(int, re.findall(r"counter packets (\d+)", listed)))
    # The senders take their time.
    assert 20 <= packets <= 60 if dropped else packets == 0


def test_loading_again_doubles_nothing(loaded):
    assert loaded["vpnha-l2tp"].count("type nat hook postrouting") == 1
