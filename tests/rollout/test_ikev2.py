# SPDX-License-Identifier: GPL-2.0-or-later
"""Gateways of IKEv2 as the role sets them up, beside L2TP and without it."""
import re
import tomllib
from typing import Any

import plays
import pytest
from rendering import rendered

IKEV2: dict[str, Any] = {"pools": ["10.200.32.0/20", "10.200.48.0/20"], "id": "vpn.example.com",
                         "certs": ["gateway.pem"]}
POOLS = ["10.200.1.0/24", "10.200.32.0/19"]


def of(ikev2: dict[str, Any], l2tp: bool = True) -> dict[str, Any]:
    """Keys of a gateway."""
    return {"pools": POOLS, "l2tp": l2tp, "ipsec": l2tp, "ikev2": {**IKEV2, **ikev2}}


def swanctl(ikev2: dict[str, Any], l2tp: bool = True) -> str:
    return rendered("swanctl.conf.j2", of(ikev2, l2tp))


def connection(ikev2: dict[str, Any]) -> str:
    """ikev2, of all that the role writes."""
    text = swanctl(ikev2)
    found = re.search(r"(?ms)^    ikev2 \{.*?^    \}", text)
    assert found is not None, text
    return found[0]


def values(text: str) -> dict[str, str]:
    return dict(re.findall(r"(?m)^ +(\w+) = (.*)$", text))


def test_a_pool_is_known_to_charon_and_to_vpnhad():
    settings = rendered("strongswan.conf.j2", of({}))
    assert re.findall(r"clients-\d = (\S+)", settings) == IKEV2["pools"]
    assert values(connection({}))["pools"] == "clients-1, clients-2"
    gateway = tomllib.loads(rendered("vpnha.toml.j2", of({})))["gateway"]["dialin"]
    assert gateway["ipsec"] == {"required": True, "virtual_pools": IKEV2["pools"],
                                "connections": ["/etc/swanctl/conf.d/vpnha.conf"]}


def test_the_connection_outlives_a_takeover_and_a_change_of_network():
    found = values(connection({}))
    assert {key: found[key] for key in ("mobike", "unique", "rand_time", "hw_offload")} == {
        "mobike": "yes", "unique": "never", "rand_time": "0", "hw_offload": "no"}
    assert found["local_addrs"] == "192.0.2.100" and found["send_cert"] == "always"
    assert found["proposals"].startswith("aes256-sha256-modp2048,")
    assert found["local_ts"] == "0.0.0.0/0"


def test_with_a_pool_of_ipv6_clients_reach_both_families():
    pools = ["10.200.32.0/20", "2001:db8:200:64::/112"]
    assert re.findall(r"clients-\d = (\S+)",
                      rendered("strongswan.conf.j2", of({"pools": pools}))) == pools
    found = values(connection({"pools": pools}))
    assert (found["pools"], found["local_ts"]) == ("clients-1, clients-2", "0.0.0.0/0, ::/0")


@pytest.mark.parametrize("auth", ["eap-mschapv2", "eap-radius", "pubkey"])
def test_clients_show_who_they_are(auth: str):
    keys = {"auth": auth, "cacerts": ["clients.pem"], "mobike": False}
    remote = values(connection(keys).partition("remote {")[2].partition("}")[0])
    assert remote == ({"auth": "pubkey", "cacerts": "clients.pem"} if auth == "pubkey" else
                      {"auth": auth, "eap_id": "%any"})
    assert values(connection(keys))["mobike"] == "no"
    users = re.findall(r'id = "(alice)"', swanctl(keys))
    assert users == (["alice"] if auth == "eap-mschapv2" else [])


def test_a_radius_server_may_give_fixed_addresses():
    keys = {"auth": "eap-radius", "fixed_pools": ["10.200.60.0/24"]}
    assert values(connection(keys))["pools"] == "radius, clients-1, clients-2"
    assert "10.200.60.0" not in rendered("strongswan.conf.j2", of(keys))
    gateway = tomllib.loads(rendered("vpnha.toml.j2", of(keys)))["gateway"]["dialin"]
    assert gateway["ipsec"]["virtual_pools"] == [*IKEV2["pools"], "10.200.60.0/24"]


def test_a_gateway_without_l2tp_has_nothing_of_it():
    connections = swanctl({}, l2tp=False)
    assert "l2tp-ipsec" not in connections and "ike-vpnha" not in connections
    gateway = tomllib.loads(rendered("vpnha.toml.j2", of({}, l2tp=False)))["gateway"]["dialin"]
    assert "l2tp" not in gateway and "required" not in gateway["ipsec"]


def test_its_settings_are_read_again_and_no_charon_that_is_not_there_is_missed(site: plays.Site):
    listed = plays.inventory(3, vpnha_dns=["198.51.100.53"])
    listed[plays.GROUP]["vars"]["vpnha_instances"][0].update(of({}))
    swanctl_of_gw2 = site.directory / "gw2/bin/swanctl"
    swanctl_of_gw2.write_text("#!/bin/sh\necho 'connecting to unix URI failed' >&2\nexit 1\n",
                              "utf-8")
    played = site.play(listed, tasks=("secrets",))
    assert played.ok, played.output
    assert "swanctl --reload-settings" in site.calls("gw1")
    settings = site.directory / "gw1/etc/strongswan.d/vpnha.conf"
    assert settings.stat().st_mode & 0o777 == 0o600
