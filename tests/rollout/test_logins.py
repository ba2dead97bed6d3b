# SPDX-License-Identifier: GPL-2.0-or-later
"""How users log in, and where they are known, as the role sets it up."""
import re
from typing import Any

import plays
import pytest
from rendering import rendered

RADIUS: dict[str, Any] = {
    "vpnha_radius_auth_servers": ["198.51.100.5:1812", "198.51.100.6:1645"],
    "vpnha_radius_auth_secret": "secret-of-radius"}
FILES = ("options.j2", "pptp-options.j2")


def options(template: str, gateway: dict[str, Any] | None = None, **values: Any) -> list[str]:
    return rendered(template, gateway, **values).splitlines()[1:]


@pytest.mark.parametrize("auth", ["chap", "mschap-v2", "pap"])
def test_users_of_l2tp_log_in_by_one_way(auth: str):
    found = [each for each in options("options.j2", vpnha_ppp_auth=auth)
             if each.startswith("require-")]
    assert found == [f"require-{auth}"]


def test_xl2tpd_adds_no_way_to_log_in():
    text = rendered("xl2tpd.conf.j2", vpnha_ppp_auth="mschap-v2")
    assert not re.search(r"(?m)^ *(require|refuse) (chap|pap)", text), text
    assert "require authentication = yes" in text


@pytest.mark.parametrize("template", FILES)
def test_vpnha_so_sees_what_radius_so_was_answered(template: str):
    assert options(template, **RADIUS)[:3] == [
        "plugin radius.so", "radius-config-file /etc/radiusclient/radiusclient.conf",
        "plugin vpnha.so"]
    assert options(template)[0] == "plugin vpnha.so"
    assert "vpnha_accounting" in options(template, {"accounting": True}, **RADIUS)


def client(**values: Any) -> dict[str, str]:
    text = rendered("radiusclient.conf.j2", **RADIUS, **values)
    return dict(line.split(" ", 1) for line in text.splitlines()
                if not line.startswith("#") and " " in line)


def test_radius_so_knows_all_servers():
    assert client()["authserver"] == "198.51.100.5:1812,198.51.100.6:1645"
    assert client()["acctserver"] == "198.51.100.5:1813,198.51.100.6:1813"
    assert rendered("radius-servers.j2", **RADIUS).splitlines()[1:] == [
        "198.51.100.5 secret-of-radius", "198.51.100.6 secret-of-radius"]


def test_accounts_go_to_the_servers_of_accounts():
    values = {"vpnha_radius": {"accounting_servers": ["198.51.100.7:1813"]}}
    assert client(**values)["acctserver"] == "198.51.100.7:1813"
    assert "198.51.100.7 secret-of-radius" in rendered("radius-servers.j2", **RADIUS, **values)


def test_charon_asks_the_same_servers():
    text = rendered("strongswan.conf.j2", **RADIUS)
    assert re.findall(r"address = (\S+)\n +auth_port = (\d+)\n +secret = (\S+)", text) == [
        ("198.51.100.5", "1812", '"secret-of-radius"'),
        ("198.51.100.6", "1645", '"secret-of-radius"')]
    assert "eap-radius" not in rendered("strongswan.conf.j2")


@pytest.mark.parametrize("template", FILES)
def test_clients_learn_where_to_ask_names(template: str):
    values = {"vpnha_dns": ["198.51.100.53", "2001:db8::53", "198.51.100.54"]}
    assert [each for each in options(template, **values) if each.startswith("ms-dns")] == [
        "ms-dns 198.51.100.53", "ms-dns 198.51.100.54"]
    of_its_own = options(template, {"dns": ["10.0.0.53"]}, **values)
    assert [each for each in of_its_own if each.startswith("ms-dns")] == ["ms-dns 10.0.0.53"]
    assert "dns = 198.51.100.53, 2001:db8::53, 198.51.100.54\n" in rendered(
        "strongswan.conf.j2", **values)
    assert "dns = 10.0.0.53\n" in rendered("strongswan.conf.j2", {"dns": ["10.0.0.53"]}, **values)


def brought(site: plays.Site, *tasks: str, ipsec: bool = True, **values: Any) -> plays.Played:
    """On gw1 alone."""
    listed = plays.inventory(1, **values)
    listed[plays.GROUP]["vars"]["vpnha_instances"][0].update(
        ipsec=ipsec, pptp={"ip_range": "10.200.1.200-250"})
    return site.play(listed, tasks=tasks)


def test_files_of_radius_are_on_a_node_and_its_secret_is_nowhere_else(site: plays.Site):
    played = brought(site, "users", "radius", "l2tp", "pptp", **RADIUS)
    assert played.ok and "secret-of-radius" not in played.output, played.output
    path = site.directory / "gw1/etc/radiusclient"
    assert (path / "servers").stat().st_mode & 0o777 == 0o600
    assert "MS-CHAP2-Response" in (path / "dictionary").read_text("ascii")
    assert (path / "port-id-map").read_text() == ""
    for name in ("options.dialin", "options.dialin.pptp"):
        assert "plugin radius.so" in site.text("gw1", f"ppp/{name}")


@pytest.mark.parametrize(("values", "words"), [
    ({"vpnha_ppp_options": ["auth", "require-chap"]}, "leave require-… and refuse-… out"),
    ({"vpnha_ppp_auth": "pap", "ipsec": False}, "L2TP of dialin is without IPsec"),
    ({**RADIUS, "vpnha_radius_auth_secret": "two words"}, "radius.so of pppd reads no other one"),
    ({**RADIUS, "vpnha_radius_auth_secret": "x" * 49}, "radius.so of pppd reads no other one")])
def test_logins_that_could_not_work_are_refused(site: plays.Site, values: dict[str, Any],
                                                words: str):
    played = brought(site, "users", **values)
    assert not played.ok and words in played.output, played.output
