# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that make a gateway's network namespace on a node of the lab."""
from __future__ import annotations

import types

from vpnlab.history.packets import SPEAKERS
from vpnlab.host.topology import L2TP_APART, NODES
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
        "link add link outside name apart-outside address 02:00:00:01:03:02 netns apart "
        "type macvlan mode bridge")
    assert network_namespace.setup_file(GW2, L2TP_APART).splitlines()[:3] == [
        "link set apart-outside name outside", "address add 192.0.2.82/24 dev outside",
        "link set outside up"]


def test_what_leaves_by_them_is_the_nodes():
    assert SPEAKERS[GW2.spec.mac("outside", apart=True)] == "gw2"
