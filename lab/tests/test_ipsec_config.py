# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import datetime
import importlib.util
import ipaddress
import re
import tomllib
import types
from pathlib import Path

import pytest

from capture_packets import CLIENT, VIP, Pcap, ike, ip, udp
from vpnlab.evidence.replay import esp_frames
from vpnlab.host.topology import L2TP, L2TP_2, NAT, NODES
from vpnlab.product.charon import Charon
from vpnlab.product.dialler import L2TP_IPSEC
from vpnlab.product.ipsec_client import (CERTIFICATE_ESN, DUAL, DUAL_BY_IPV6, EAP_GCM, MOBILE,
                                         Ikev2Kind, ikev2_connections, l2tp_ipsec_connections)
from vpnlab.product.ipsec_gateway import (ESP_PROPOSALS, IKE_PROPOSALS, Auth, gateway_connections,
                                          ikev2_name, pair_settings, pool_settings)
from vpnlab.product.l2tp_client import MTU, client_options
from vpnlab.product.vpnha_stack import vpnha_toml

NAT_ADDRESS = NODES[NAT].address("outside")
ESP = b"\0\0\0\7\0\0\0\1" + b"\0" * 32
TOKENS = re.compile(r"[{}]|[^\s{}=]+(?: *= *[^\n]+)?")


def parsed(text):
    """strongSwan's format, as nested dictionaries."""
    stack: list[dict] = [{}]
    name = ""
    for token in TOKENS.findall(text):
        if token == "{":
            stack.append(stack[-1].setdefault(name, {}))
        elif token == "}":
            stack.pop()
        elif "=" in token:
            key, value = token.split("=", 1)
            stack[-1][key.strip()] = value.strip()
        else:
            name = token
    assert len(stack) == 1
    return stack[0]


@pytest.mark.parametrize("gateway", [L2TP, L2TP_2])
def test_gateway_speaks_at_its_vip_only_and_as_a_replicated_charon_must(gateway):
    for connection in parsed(gateway_connections(gateway))["connections"].values():
        assert connection["local_addrs"] == gateway.vip_outside
        assert (connection["mobike"], connection["unique"]) == ("no", "never")
        for child in connection["children"].values():
            assert child["rand_time"] == "0"


def test_clients_of_both_families_have_a_pool_and_a_selector_of_each():
    gateway = parsed(gateway_connections(ipv6=True))["connections"][ikev2_name(Auth.PSK)]
    pools = parsed(pool_settings(ipv6=True))["charon"]["plugins"]["ha"]["pools"]
    assert gateway["local_addrs"] == f"{L2TP.vip_outside}, {L2TP.vip6_outside}"
    assert [pools[name] for name in gateway["pools"].split(", ")] == [L2TP.virtual_pool,
                                                                      L2TP.virtual_pool6]
    [child] = gateway["children"].values()
    for kind, vip in ((DUAL, L2TP.vip_outside), (DUAL_BY_IPV6, L2TP.vip6_outside)):
        [client] = parsed(ikev2_connections(L2TP, kind))["connections"].values()
        assert (client["remote_addrs"], client["vips"]) == (vip, "0.0.0.0, ::")
        assert client["children"]["vpn"]["remote_ts"] == child["local_ts"]
    toml = tomllib.loads(vpnha_toml(ipsec=True, ipv6=True))["gateway"]["l2tp"]
    assert toml["ipsec"]["virtual_pools"] == [L2TP.virtual_pool, L2TP.virtual_pool6]
    assert ipaddress.ip_network(L2TP.virtual_pool6).subnet_of(ipaddress.ip_network(L2TP.net6))
    assert L2TP.net6 in toml["pools"]


def test_the_two_charons_of_a_pair_speak_to_each_other():
    nodes = [types.SimpleNamespace(address=NODES[name].address) for name in ("gw1", "gw2")]
    one, other = (parsed(pair_settings(*pair))["charon"]["plugins"]["ha"]
                  for pair in (nodes, nodes[::-1]))
    assert (one["local"], one["remote"]) == (other["remote"], other["local"])
    assert one["local"] == NODES["gw1"].address("cluster0")
    assert one["segment_count"] == "1"


def test_only_clients_of_ikev2_may_move():
    mobike = {name: connection["mobike"] for name, connection in
              parsed(gateway_connections(mobike=True))["connections"].items()}
    assert mobike.pop(L2TP_IPSEC) == "no"
    assert set(mobike.values()) == {"yes"}
    assert "mobike = yes" in ikev2_connections(L2TP, MOBILE)


def test_no_weak_algorithm_is_offered():
    for text in (gateway_connections(), l2tp_ipsec_connections(L2TP), ikev2_connections(L2TP)):
        assert not re.search("modp1024|3des|md5|sha1", text)


@pytest.mark.parametrize("text", [l2tp_ipsec_connections(L2TP), ikev2_connections(L2TP),
                                  ikev2_connections(L2TP, EAP_GCM),
                                  ikev2_connections(L2TP, CERTIFICATE_ESN)])
def test_client_and_gateway_have_proposals_and_the_secret_in_common(text):
    client = parsed(text)
    connection, = client["connections"].values()
    child, = connection["children"].values()
    assert connection["proposals"] in IKE_PROPOSALS.split(",")
    assert child["esp_proposals"] in ESP_PROPOSALS.split(",")
    assert connection["remote_addrs"] == L2TP.vip_outside
    assert client["secrets"] == parsed(gateway_connections())["secrets"]


def test_l2tp_goes_inside_of_esp_in_transport_mode():
    for text in (l2tp_ipsec_connections(L2TP), gateway_connections()):
        child = next(connection for connection in parsed(text)["connections"].values()
                     if connection["version"] == "1")["children"].popitem()[1]
        assert (child["mode"], child["local_ts"]) == ("transport", "dynamic[udp/1701]")


def test_virtual_ips_come_from_the_ha_pool():
    pools = parsed(pool_settings(L2TP_2))["charon"]["plugins"]["ha"]["pools"]
    ikev2 = [each for each in parsed(gateway_connections(L2TP_2))["connections"].values()
             if each["version"] == "2"]
    assert len(ikev2) == len(Auth)
    for connection in ikev2:
        assert pools[connection["pools"]] == L2TP_2.virtual_pool == "10.201.64.0/20"


@pytest.mark.parametrize("kind", [Ikev2Kind(), EAP_GCM, CERTIFICATE_ESN])
def test_a_client_of_each_kind_finds_its_connection(kind):
    client = parsed(ikev2_connections(L2TP, kind))["connections"]["vpn"]
    gateway = parsed(gateway_connections())["connections"][f"ikev2-{kind.auth.value}"]
    assert client["local"]["auth"] == gateway["remote"]["auth"]
    assert client["remote"]["auth"] == gateway["local"]["auth"]
    assert client["remote"]["id"] == gateway["local"]["id"]


def test_ppp_inside_of_esp_has_room_for_it():
    assert f"mtu {MTU}" in client_options()
    assert {"mtu 1280", "mru 1280"} <= set(client_options(mtu=1280).splitlines())


def test_every_virtual_ip_that_was_given_counts():
    log = ("2026-11-22T22:13:57.1 08[IKE] installing new virtual IP 10.200.64.1\n"
           "2026-11-22T22:13:58.1 08[IKE] CHILD_SA vpn{1} established\n"
           "2026-11-22T22:14:57.1 08[IKE] installing new virtual IP 10.200.64.2\n")
    node = types.SimpleNamespace(read_log=lambda name: log if name == "charon.log" else "")
    assert Charon(node).virtual_ips() == ["10.200.64.1", "10.200.64.2"]


def syslog():
    path = Path(__file__).resolve().parent.parent / "node" / "syslog.py"
    spec = importlib.util.spec_from_file_location("node_syslog", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("datagram", [
    b"<31>Nov  2 13:33:19 pppd[9]: sent [LCP ConfReq id=0x1]",
    b"<31>pppd[9]: sent [LCP ConfReq id=0x1]",
    b"<31>Nov 22 13:33:19 pppd[9]: sent [LCP ConfReq id=0x1]\n\0"])
def test_a_line_of_syslog_has_its_own_time(datagram):
    now = datetime.datetime(2026, 9, 21, 14, 13, 25, 400, datetime.timezone.utc)
    assert syslog().log_line(datagram, "home1", now) == (
        "2026-09-21T14:13:25.000400+00:00 home1 pppd[9]: sent [LCP ConfReq id=0x1]\n")


def test_a_message_of_several_lines_is_one_line():
    now = datetime.datetime(2026, 9, 21, tzinfo=datetime.timezone.utc)
    assert syslog().log_line(b"<30>a[1]: x\ny", "n", now).endswith(" n a[1]: x y\n")


def test_the_eavesdropper_sends_again_what_the_client_sent_inside_of_esp(tmp_path):
    pcap = Pcap().ip(0, udp(NAT_ADDRESS, VIP, 4500, 4500, ESP)).ip(1, ip(NAT_ADDRESS, VIP, 50, ESP))
    pcap.ip(2, udp(NAT_ADDRESS, VIP, 4500, 4500, b"\0\0\0\0" + ike(37)))
    pcap.ip(3, udp(VIP, NAT_ADDRESS, 4500, 4500, ESP)).ip(4, ip(CLIENT, VIP, 50, ESP))
    frames = list(esp_frames(pcap.write(tmp_path / "recorded.pcap"), NAT_ADDRESS, VIP))
    assert frames == [pcap_frame for _, pcap_frame in pcap.records[:2]]


def test_ipsec_of_a_gateway_is_demanded_and_its_virtual_ips_are_its_own():
    plain = tomllib.loads(vpnha_toml())["gateway"]["l2tp"]
    assert "ipsec" not in plain
    gateway = tomllib.loads(vpnha_toml(ipsec=True))["gateway"]["l2tp"]
    assert gateway["ipsec"] == {"required": True, "virtual_pools": [L2TP.virtual_pool]}
    assert gateway["pools"] == [*plain["pools"], L2TP.virtual_pool]
