# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that make a gateway's network namespace on a node of the lab."""
from __future__ import annotations

import types

from vpnlab.history.packets import SPEAKERS
from vpnlab.host.topology import IPSEC_GATEWAYS, L2TP_APART, NODES, VPN_GATEWAYS
from vpnlab.product import network_namespace

GW2 = types.SimpleNamespace(spec=NODES["gw2"])


def test_a_units_lines_are_commands_of_its_instance():
    unit = "[Service]\nExecStart=/bin/ip netns add %i\nExecStart=-/sbin/nft -f '/etc/%i.nft'\n" \
           "ExecStopPost=/bin/ip netns delete %i\n"
    assert list(network_namespace.start_lines(unit, "apart")) == [
        (["/bin/ip", "netns", "add", "apart"], True),
        (["/sbin/nft", "-f", "/etc/apart.nft"], False)]


def test_the_shipped_unit_makes_the_namespace_before_its_links():
    lines = list(network_namespace.start_lines(
        network_namespace.UNIT.read_text("utf-8"), "apart"))
    commands = [" ".join(command) for command, _ in lines]
    assert commands[0] == "/bin/ip netns add apart"
    links, setup = (next(at for at, each in enumerate(commands) if each.endswith(f"apart.{name}"))
                    for name in ("links", "setup"))
    assert 0 < links < setup
    assert not any("%" in each for each in commands)


def test_each_node_has_devices_and_addresses_of_its_own():
    assert network_namespace.links_file(GW2, L2TP_APART).splitlines()[0] == (
        "link add link outside name apart-outside address 02:00:00:02:03:02 netns apart "
        "type macvlan mode bridge")
    assert network_namespace.setup_file(GW2, L2TP_APART).splitlines()[:3] == [
        "link set apart-outside name outside", "address add 192.0.2.82/24 dev outside",
        "link set outside up"]


def test_no_two_namespaces_share_an_address_a_mac_or_a_device():
    apart = [gateway for gateway in IPSEC_GATEWAYS if gateway.netns]
    lines = [line for node in NODES.values() if node.is_gateway for gateway in apart
             for line in (
                 network_namespace.links_file(types.SimpleNamespace(spec=node), gateway) +
                 network_namespace.setup_file(types.SimpleNamespace(spec=node), gateway)
             ).splitlines()]
    macs = [line.split()[7] for line in lines if line.startswith("link add")]
    own = [line.split()[2].partition("/")[0] for line in lines if line.startswith("address add")]
    assert len(set(macs)) == len(macs) == len(set(own)) == len(own) == 2 * 2 * 5
    assert not set(own) & ({vip for gateway in VPN_GATEWAYS for vip in gateway.vips} |
                           {node.address(network) for node in NODES.values()
                            for network in node.networks})


def test_what_leaves_by_them_is_the_nodes():
    for gateway in IPSEC_GATEWAYS[1:]:
        assert SPEAKERS[GW2.spec.mac("outside", gateway.id)] == "gw2"
