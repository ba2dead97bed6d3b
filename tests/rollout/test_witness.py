# SPDX-License-Identifier: GPL-2.0-or-later
"""The host of a pair's third vote: what the role brings there, and what the nodes know of it."""
from typing import Any

import plays

LINE = "vpnha-witness-key 1 vpnha wit1 " + "0123456789abcdef" * 4
WITNESS = "wit1"
KEY = f"vpnha-witness/{plays.INSTANCE}.key"
OPTIONS = f"vpnha-witness/{plays.INSTANCE}.conf"


def pair(site: plays.Site, **values: Any) -> dict[str, Any]:
    """Two nodes, the first of which can make the key, and a witness."""
    site.add_node(WITNESS)
    site.program("gw1", "vpnha", f'case "$1" in witness-key) echo {LINE};; esac')
    listed = plays.inventory(2, vpnha_witness_name="wit1", **values)
    listed[plays.WITNESSES] = {"hosts": {WITNESS: {}}}
    return listed


def test_it_has_the_key_of_a_node_and_runs(site: plays.Site):
    listed = pair(site)
    played = site.play_witness(listed)
    assert played.ok, played.output
    assert site.text(WITNESS, KEY) == LINE + "\n"
    assert site.mode(WITNESS, KEY) == 0o600
    assert LINE not in played.output
    assert site.text(WITNESS, OPTIONS) == "OPTIONS=\n"
    assert f"vpnha-witness@{plays.INSTANCE}.service" in site.calls(WITNESS)
    again = site.play_witness(listed)
    assert (again.ok, again.changed) == (True, 0), again.output


def test_another_key_restarts_it(site: plays.Site):
    listed = pair(site)
    assert site.play_witness(listed).ok
    site.program("gw1", "vpnha", f'case "$1" in witness-key) echo {LINE[::-1]};; esac')
    played = site.play_witness(listed)
    assert played.ok and played.changed == 2, played.output
    assert site.text(WITNESS, KEY) == LINE[::-1] + "\n"
    assert f"restart vpnha-witness@{plays.INSTANCE}.service" in site.calls(WITNESS)


def test_the_nodes_know_its_name_and_its_addresses(site: plays.Site):
    listed = pair(site, vpnha_witness_addresses=["192.0.2.9", "[2001:db8::9]:5422"])
    played = site.play(listed)
    assert played.ok, played.output
    text = site.text("gw1", "vpnha/vpnha.toml")
    assert ('[lease]\nwitness = ["192.0.2.9", "[2001:db8::9]:5422"]\nwitness_name = "wit1"\n'
            in text)


def test_without_a_witness_no_node_has_one(site: plays.Site):
    assert "witness" not in site.text("gw1", "vpnha/vpnha.toml")
