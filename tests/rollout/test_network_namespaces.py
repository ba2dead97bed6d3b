# SPDX-License-Identifier: GPL-2.0-or-later
"""Several gateways with IPsec as the role sets them up, one of them in a network namespace."""
import tomllib
from typing import Any

import plays
from rendering import GATEWAY, rendered

EAST: dict[str, Any] = {
    **GATEWAY, "name": "east", "id": 2, "netns": "east", "ppp_local": "10.201.0.1",
    "pools": ["10.201.1.0/24"], "ip_range": "10.201.1.10-10.201.1.190", "l2tp": False,
    "ipsec": False, "outside": {"interface": "eth1", "addresses": ["192.0.2.101/24"]},
    "inside": {"interface": "eth2", "addresses": ["198.51.100.101/24"]},
    "ikev2": {"pools": ["10.201.1.0/24"], "id": "east.example.com", "certs": ["east.pem"]}}
NAMESPACE = {"name": "east", "links": ["link set eth3 netns east", "link set eth4 netns east"],
             "setup": ["link set eth3 name eth1 up", "link set eth4 name eth2 up"]}
BOTH = {"vpnha_instances": [GATEWAY, EAST]}


def connections(path: str) -> str:
    return rendered("swanctl.conf.j2", template_destpath=path, **BOTH)


def test_each_charon_has_the_connections_of_its_gateway():
    hosts = connections("/etc/swanctl/conf.d/vpnha.conf")
    assert "192.0.2.100" in hosts and "192.0.2.101" not in hosts and "ike-vpnha" in hosts
    east = connections("/etc/swanctl/east.conf")
    assert "192.0.2.101" in east and "192.0.2.100" not in east and "ike-vpnha" not in east
    assert "pools = clients-east-1" in east
    assert "clients-east-1 = 10.201.1.0/24" in rendered("strongswan.conf.j2", **BOTH)
    gateways = tomllib.loads(rendered("vpnha.toml.j2", **BOTH))["gateway"]
    assert gateways["east"]["netns"] == "east"
    assert gateways["east"]["ipsec"]["connections"] == ["/etc/swanctl/east.conf"]
    assert gateways["dialin"]["ipsec"]["connections"] == ["/etc/swanctl/conf.d/vpnha.conf"]


def listed(**of_each_host: Any) -> dict[str, Any]:
    made = plays.inventory(3)
    made[plays.GROUP]["vars"]["vpnha_instances"].append(EAST)
    for values in made[plays.GROUP]["hosts"].values():
        values.update(of_each_host)
    return made


def test_a_namespace_is_made_with_its_links_and_rules(site: plays.Site):
    played = site.play(listed(vpnha_network_namespaces=[NAMESPACE]),
                       tasks=("nftables", "netns", "secrets"))
    assert played.ok, played.output
    assert site.text("gw2", "vpnha/netns/east.links").splitlines() == NAMESPACE["links"]
    assert site.text("gw2", "vpnha/netns/east.setup").splitlines() == NAMESPACE["setup"]
    assert "/etc/vpnha/netns/east.*.nft" in site.text("gw2", "vpnha/netns/east.nft")
    assert "192.0.2.101" in site.text("gw2", "vpnha/netns/east.east.nft")
    assert site.text("gw2", "nftables.d/vpnha-east.nft") == ""
    drop_in = site.text("gw2", "systemd/system/vpnhad.service.d/netns.conf")
    assert "RestrictNamespaces=net\n" in drop_in
    profile = site.text("gw2", "apparmor.d/local/usr.sbin.swanctl")
    assert profile == "/run/vpnha/run/*/charon.vici rw,\n"
    assert "vpnha-netns@east.service" in site.calls("gw2")
    assert "swanctl --load-all --clear --noprompt --file /etc/swanctl/east.conf --uri " \
           "unix:///run/vpnha/run/east/charon.vici" in site.calls("gw2")


def test_a_host_without_the_namespace_is_named(site: plays.Site):
    played = site.play(listed(), tasks=("netns",))
    assert not played.ok and "gw1 has no east in vpnha_network_namespaces" in played.output
