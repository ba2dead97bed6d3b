# SPDX-License-Identifier: GPL-2.0-or-later
import ipaddress
import itertools

import pytest

from vpnlab.host.errors import NotFound
from vpnlab.host.topology import (IPSEC_GATEWAYS, NETWORKS, NODES, VPN_GATEWAYS, NodeRoot,
                                  boot_config, hosts_file, kernel_arguments, node_spec)

# Names of Linux interfaces have at most 15 characters.
INTERFACE_NAME_MAX = 15


@pytest.mark.parametrize("node, network, address", [
    ("gw1", "cluster0", "10.77.1.1"),
    ("gw3", "cluster1", "10.77.2.3"),
    ("gw2", "outside", "192.0.2.12"),
    ("gw2", "inside", "198.51.100.12"),
    ("gw1", "management", "10.77.9.1"),
    ("client1", "outside", "192.0.2.51"),
    ("server", "inside", "198.51.100.21"),
    ("nat1", "outside", "192.0.2.61"),
    ("nat1", "home", "192.168.55.61"),
    ("home2", "home", "192.168.55.72"),
])
def test_address_follows_from_node_and_network(node, network, address):
    assert node_spec(node).address(network) == address


def test_memory_is_given_to_a_role():
    assert node_spec("gw2", {"gateway": 2048}).memory_mb == 2048
    assert node_spec("client1", {"gateway": 2048}).memory_mb == NODES["client1"].memory_mb


def test_no_two_links_share_an_address_a_mac_or_a_tap():
    links = [(node, network) for node in NODES.values() for network in node.networks]
    for what in (lambda n, net: n.address(net), lambda n, net: n.mac(net),
                 lambda n, net: n.mac(net, IPSEC_GATEWAYS[1].id), lambda n, net: n.tap(net)):
        values = [what(node, network) for node, network in links]
        assert len(values) == len(set(values))


def test_no_node_has_a_vip_of_its_own():
    own = {node.address(network) for node in NODES.values() for network in node.networks}
    assert not own & {vip for gateway in VPN_GATEWAYS
                      for vip in (gateway.vip_outside, gateway.vip_inside)}


def test_device_names_fit():
    for node, network in itertools.product(NODES.values(), NETWORKS):
        if network in node.networks:
            assert len(node.tap(network)) <= INTERFACE_NAME_MAX


def test_pools_of_gateways_do_not_overlap():
    pools = [gateway.pool(node) for node in NODES.values() if node.is_gateway
             for gateway in VPN_GATEWAYS]
    assert len({first.rpartition(".")[0] for first, _ in pools}) == len(pools)


def test_virtual_ips_are_in_the_gateways_addresses_and_in_no_pool_of_pppd():
    for gateway in VPN_GATEWAYS:
        virtual = ipaddress.ip_network(gateway.virtual_pool)
        assert virtual.subnet_of(ipaddress.ip_network(gateway.addresses))
        taken = [gateway.ppp_local, *(address for node in NODES.values() if node.is_gateway
                                      for address in gateway.pool(node))]
        assert not [each for each in taken if ipaddress.ip_address(each) in virtual]


def test_a_client_behind_nat_has_the_address_of_its_router():
    assert NODES["client2"].public_address == "192.0.2.52"
    assert {NODES[name].public_address for name in ("home1", "home2")} == {"192.0.2.61"}
    via = f"192.0.2.0/24 via {NODES['nat1'].address('home')}"
    assert boot_config(node_spec("home1"), "token", "", "/log", "/disk")["routes"] == [via]


def test_client_has_no_cluster_link():
    with pytest.raises(NotFound, match="client1 has no link to cluster0"):
        node_spec("client1").address("cluster0")


def test_unknown_node_is_named_with_those_that_exist():
    with pytest.raises(NotFound, match="gw9.*gw1"):
        node_spec("gw9")


def test_hosts_file_resolves_a_gateway_to_its_cluster_address():
    entries = dict(reversed(line.split()[:2]) for line in hosts_file().splitlines())
    assert entries["gw2"] == "10.77.1.2"
    assert entries["gw2-outside"] == "192.0.2.12"
    assert entries["server"] == "198.51.100.21"


def test_boot_config_gives_the_server_its_way_to_the_clients():
    config = boot_config(node_spec("server"), "token", "", "/log", "/disk")
    assert config["routes"] == [f"10.{200 + number}.0.0/16 via 198.51.100.{100 + number}"
                                for number in range(len(VPN_GATEWAYS))]
    assert config["links"][0] == {"name": "inside", "mac": "02:00:00:00:04:15",
                                  "address": "198.51.100.21/24"}


def test_gateways_forward_and_bind_to_addresses_they_do_not_have():
    sysctls = boot_config(node_spec("gw1"), "token", "", "/log", "/disk")["sysctls"]
    assert sysctls["net.ipv4.ip_forward"] == "1"
    assert sysctls["net.ipv4.ip_nonlocal_bind"] == "1"
    assert {key: value for key, value in sysctls.items() if "rp_filter" in key} == {
        "net.ipv4.conf.all.rp_filter": "0", "net.ipv4.conf.default.rp_filter": "0"}


def test_gateways_track_connections_as_the_replication_of_flows_needs_it():
    sysctls = boot_config(node_spec("gw4"), "token", "", "/log", "/disk")["sysctls"]
    assert {key: value for key, value in sysctls.items() if ".netfilter." in key} == {
        "net.netfilter.nf_conntrack_events": "1", "net.netfilter.nf_conntrack_max": "262144",
        "net.netfilter.nf_conntrack_buckets": "262144"}
    assert "net.netfilter.nf_conntrack_events" not in boot_config(
        node_spec("client1"), "token", "", "/log", "/disk")["sysctls"]


def test_a_newly_installed_node_has_links_and_memory_and_no_settings_of_the_lab():
    config = boot_config(node_spec("gw1"), "token", "", "/log", "/disk",
                         NodeRoot("/debian", {"/srv/debian": "/archive"}, fresh=True))
    assert config["sysctls"] == {} and len(config["links"]) == 5 and config["fresh"]
    assert (config["root"], config["mounts"]) == ("/debian", {"/srv/debian": "/archive"})
    arguments = kernel_arguments(node_spec("gw1"), "/linux", "/init.py", "/c.json", "gw1", "/u/",
                                 fresh=True)
    assert "mem=1024M" in arguments


def test_a_node_with_another_root_has_the_lab_s_settings_all_the_same():
    config = boot_config(node_spec("gw1"), "token", "/stage", "/log", "/disk", NodeRoot("/debian"))
    plain = boot_config(node_spec("gw1"), "token", "/stage", "/log", "/disk")
    assert config == {**plain, "root": "/debian"}
    assert plain["sysctls"] and not plain["fresh"]


def test_kernel_command_line_has_a_link_per_network_and_a_read_only_root():
    arguments = kernel_arguments(node_spec("gw1"), "/linux", "/init.py", "/c.json", "gw1", "/u/")
    assert "ro" in arguments and "rw" not in arguments
    vectors = [word for word in arguments if word.startswith("vec")]
    assert len(vectors) == 5
    assert "ifname=gw1-cluster0,mac=02:00:00:00:01:01" in vectors[0]
