# SPDX-License-Identifier: GPL-2.0-or-later
"""One name of several gateways: its records, its lookups, and which gateway has served a client."""
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from vpnlab.host.topology import L2TP, L2TP_APART, NODES
from vpnlab.product.sites.one_name import NAME, NameServer, OneNameClient, gateway_of

GATEWAYS = (L2TP, L2TP_APART)
DNS_LOG = f"""\
dnsmasq[16]: started, version 2.90 cachesize 150
dnsmasq[16]: query[A] {NAME} from 192.0.2.51
dnsmasq[16]: config {NAME} is 192.0.2.100
dnsmasq[16]: config {NAME} is 192.0.2.101
dnsmasq[16]: query[AAAA] {NAME} from 192.0.2.51
dnsmasq[16]: config {NAME} is NODATA-IPv6
dnsmasq[16]: query[A] other.{NAME} from 192.0.2.52
dnsmasq[16]: query[A] {NAME} from 192.0.2.61
"""
CHARON_LOG = """\
12[IKE] IKE_SA vpn[1] established between 192.0.2.51[user@example.com]...192.0.2.100[vpn]
09[IKE] IKE_SA vpn[2] established between 192.0.2.51[user@example.com]...192.0.2.101[vpn]
09[IKE] CHILD_SA vpn{2} established with SPIs c1_i c2_o and TS 10.201.64.1/32 === 198.51.100.0/24
"""


def named(log: str) -> NameServer:
    node: Any = SimpleNamespace(read_log=lambda _name: log)
    return NameServer(node, GATEWAYS)


def test_the_name_has_a_record_for_each_gateway_and_no_other_source():
    command = named("").command()
    records = [word for word in command if word.startswith("--host-record=")]
    assert records == [f"--host-record={NAME},{each.vip_outside}" for each in GATEWAYS]
    assert {"--no-hosts", "--no-resolv", "--conf-file=/dev/null"} < set(command)


def test_each_question_for_addresses_of_ipv4_is_one_lookup():
    assert named(DNS_LOG).lookups() == 2
    assert named(DNS_LOG).ready()
    assert not named("").ready()


def test_the_newest_ike_sa_shows_the_gateway():
    assert gateway_of(CHARON_LOG, GATEWAYS) is L2TP_APART
    with pytest.raises(StopIteration):
        gateway_of(CHARON_LOG, (L2TP,))


def test_a_client_knows_the_name_alone():
    node: Any = SimpleNamespace(spec=NODES["client1"])
    client = OneNameClient(node, server="192.0.2.61", gateways=GATEWAYS)
    assert f"remote_addrs = {NAME}\n" in client.connections()
    assert not any(each.vip_outside in client.connections() for each in GATEWAYS)
