# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha.toml as the role makes it of an inventory."""
import ipaddress
import itertools
import re
import tomllib
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from rendering import GATEWAY, ROLE, ROOT, rendered

EVERYTHING: dict[str, Any] = {
    "stand_in": False, "address_hold": "30s", "sessions_max": 5000, "resume_scripts": True,
    "common_pool": ["10.200.16.0/20"], "route_table": 700,
    "links": {"outside_neighbours": ["192.0.2.1"], "lost_after": 5},
    "bandwidth": {"radius": True, "default": "20M/5M", "users": ["alice 100M/20M"]},
    "conntrack": {"replicate": True, "zones": [1, 2], "delay": "1s"}}
SETTINGS: dict[str, Any] = {"lease": {"duration": "400ms", "renew": "120ms"},
                            "admission": {"processor": 90}, "daemon": {"log_level": "debug"}}


def made(gateway: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The file of an inventory whose gateway has these keys, too."""
    return tomllib.loads(rendered("vpnha.toml.j2", gateway, **values))


def test_what_vpnha_toml_has_the_inventory_can_have():
    outside = {"interface": "eth1", "addresses": ["192.0.2.100/24"], "default_via": ["192.0.2.1"]}
    toml = made({**EVERYTHING, "outside": outside, "l2tp": {"hello_interval": "30s"}},
                vpnha_settings=SETTINGS)
    gateway = toml.pop("gateway")["dialin"]
    assert toml == SETTINGS
    assert {key: gateway[key] for key in EVERYTHING} == EVERYTHING
    assert gateway["outside"] == outside
    assert gateway["l2tp"] == {"ppp_options": "/etc/ppp/options.dialin", "hello_interval": "30s"}


def test_what_is_of_the_role_alone_is_not_in_it():
    pptp = {"ip_range": "10.200.1.200-250", "from": "192.0.2.0/24"}
    toml = made({"snat": False, "pptp": pptp})
    gateway = toml["gateway"]["dialin"]
    assert set(gateway) == {"id", "ppp_local", "pools", "outside", "inside", "l2tp", "pptp",
                            "ipsec"}
    assert gateway["pptp"] == {"ppp_options": "/etc/ppp/options.dialin.pptp"}
    assert gateway["ipsec"] == {"required": True,
                                "connections": ["/etc/swanctl/conf.d/vpnha.conf"]}


def test_wireguard_has_its_files_where_the_role_puts_them():
    wireguard = {"key_src": "/keys/wg.key", "peers_src": "/keys/wg.peers", "listen_port": 443}
    assert made({"wireguard": wireguard})["gateway"]["dialin"]["wireguard"] == {
        "private_key": "/etc/vpnha/wireguard-dialin.key",
        "peers": "/etc/vpnha/wireguard-dialin.peers", "listen_port": 443}


def test_a_gateway_without_ipsec_has_no_table_of_it():
    assert "ipsec" not in made({"ipsec": False})["gateway"]["dialin"]


@pytest.mark.parametrize("text", ['a "b" \\c# d', "tab\t and del\x7f", "umlaut ä", "line\nend"])
def test_a_text_comes_through(text: str):
    assert made({}, vpnha_settings={"daemon": {text: text}})["daemon"] == {text: text}


def test_what_toml_has_no_word_for_is_named():
    with pytest.raises(AnsibleError, match=r"'port' of \[lease\] is None"):
        made({}, vpnha_settings={"lease": {"port": None}})


def complaints(gateway: dict[str, Any], **values: Any) -> list[str]:
    """Of Ansible, before the role does anything."""
    specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text("utf-8"))
    options = specs["argument_specs"]["main"]["options"]
    given = {"vpnha_instances": [{**GATEWAY, **gateway}], **values}
    return ArgumentSpecValidator({key: options[key] for key in given}).validate(
        given).error_messages


def test_the_role_takes_each_key_of_a_gateway_and_names_others():
    example = (ROOT / "docs/reference/vpnha.toml.example").read_text("utf-8")
    of_gateway = example.partition("[gateway.dialin]")[2].partition("\n[")[0]
    given = {key: tomllib.loads(f"{key} = {value}")[key]
             for key, value in re.findall(r"(?m)^#?(\w+) = (.*)$", of_gateway)}
    assert len(given) > 12
    assert complaints(given) == []
    assert complaints(EVERYTHING, vpnha_settings=SETTINGS) == []
    assert any("stand_inn" in each for each in complaints({"stand_inn": True}))
    assert any("leese" in each for each in complaints({}, vpnha_settings={"leese": {}}))


def nets(gateway: dict[str, Any], key: str) -> list[Any]:
    return [ipaddress.ip_network(each) for each in gateway.get(key, [])]


@pytest.mark.parametrize("name", ["example.yml", "ikev2.yml"])
def test_the_addresses_of_an_example_lie_apart(name: str):
    text = (ROOT / "ansible" / "inventory" / name).read_text("utf-8")
    for gateway in yaml.safe_load(text)["vpnha_gateways"]["vars"]["vpnha_instances"]:
        pools, given = nets(gateway, "pools"), nets(gateway, "common_pool")
        if gateway.get("l2tp", True):
            assert given != [], "an address would be given twice after a takeover"
            given += [ipaddress.ip_network(f"10.200.{node}.0/24") for node in (1, 2, 3)]
            assert gateway["ip_range"].startswith("10.200.{{ vpnha_node_id }}.")
        given += nets(gateway.get("ikev2", {}), "pools")
        assert all(any(net.subnet_of(pool) for pool in pools) for net in given)
        assert not any(one.overlaps(two) for one, two in itertools.combinations(given, 2))
