# SPDX-License-Identifier: GPL-2.0-or-later
"""What the role loads into the cluster is what the templates of cib-templates/ and stonith/ make,
whose goldens tests/cib has."""
import re
import xml.etree.ElementTree as ElementTree

import plays
import pytest
import sites
from inventories import CONFIRM, DUEL, TWO, VPNHA, YIELD, board, device, level
from vpnlab.product.cluster import fill, render_cib

L2TP = {"name": "dialin", "id": 1, "ppp_local": "10.200.0.1", "pools": ["10.200.1.0/24"],
        "ip_range": "10.200.1.10-10.200.1.190", "outside": {"addresses": ["192.0.2.100/24"]}}
# The one device of tests/cib's sites.
DUMMY = {"vpnha_fence_agent": "fence_dummy", "vpnha_fence_parameters": "status_file=/run/power",
         "vpnha_instances": [L2TP]}
IKEV2 = {**L2TP, "l2tp": False, "ikev2": {"pools": ["10.200.1.0/24"], "id": "vpn", "certs": ["a"]}}
WIREGUARD = {**L2TP, "l2tp": False, "wireguard": {
    "key_src": "/keys/wg.key", "peers_src": "/keys/wg.peers"}}
# Of the values of tests/cib.
ADDRESSES = {"name": "web", "addresses": ["192.0.2.9/24", "2001:db8::9/64"], "interface": "outside",
             "service": "ocf:pacemaker:Dummy", "primary": "gw2"}
LINK = {"name": "web", "protocol": "pptp", "peer": "192.0.2.51", "user": "site one",
        "password": "secret", "link": "link0", "routes": ["10.1.0.0/16", "10.2.0.0/16"],
        "addresses": ["192.0.2.9/24", "2001:db8::9/64"], "interface": "outside"}
SITES = {
    "l2tp": (3, {}),
    "l2tp-ipsec": (3, {"vpnha_instances": [{**L2TP, "ipsec": True}]}),
    "ikev2": (3, {"vpnha_instances": [IKEV2]}),
    "wireguard": (3, {"vpnha_instances": [WIREGUARD]}),
    "fence-vpnha": (3, {"ha_cluster_resource_primitives": [VPNHA], "ha_cluster_stonith_levels": [
        level(2, ".*", "fencing", kind="target_pattern"),
        level(1, ".*", "fencing-vpnha", kind="target_pattern")]}),
    "two-nodes": (2, {"ha_cluster_resource_primitives": [YIELD, CONFIRM],
                      "ha_cluster_stonith_levels": [
        level(1, ".*", "fencing-yield", "fencing", "fencing-confirm", kind="target_pattern")]}),
    "two-nodes-witness": (2, {"ha_cluster_resource_primitives": [DUEL, YIELD],
                              "ha_cluster_stonith_levels": [
        level(2, ".*", "fencing-yield", "fencing", kind="target_pattern"),
        level(1, ".*", "fencing-duel", "fencing", kind="target_pattern")]}),
    "sbd": (3, {"ha_cluster_sbd_enabled": True}),
    "two-gateways-apart": (3, {"vpnha_instances": [
        IKEV2, {**IKEV2, "name": "dialin2", "id": 2, "netns": "second"}]}),
    "two-gateways": (3, {"vpnha_instances": [L2TP, {**L2TP, "name": "dialin2", "id": 2}]}),
}


def loaded(site: plays.Site, nodes: int, **values) -> ElementTree.Element:
    """What the role writes, as crmsh loads it."""
    played = site.play(plays.inventory(nodes, **values), tasks=("fencing", "resources"))
    assert played.ok, played.output
    text = site.text("gw1", "vpnha/cluster.crm")
    # Comments and all: it is loaded like this.
    assert text.startswith("# ") and not re.search("@[A-Z_]+@", text)
    return render_cib(text)


@pytest.mark.parametrize("name", SITES)
def test_a_site_of_the_role_is_that_of_the_templates(name: str, site: plays.Site):
    nodes, values = SITES[name]
    found = loaded(site, nodes, **{**DUMMY, **values})
    assert sites.configuration(found) == sites.configuration(sites.by_crm(name))


def expected(nodes, *texts: str) -> ElementTree.Element:
    """A gateway with boards in the place of its own device."""
    values = {**sites.VALUES, "NODES": " ".join(nodes)}
    gateway = fill((sites.ROOT / "cib-templates/l2tp-gateway.crm").read_text("utf-8"), values)
    gateway = re.sub(r"(?s)primitive fencing .*?clone fencing-clone fencing\n", "", gateway)
    boards = (sites.ROOT / "stonith/ipmilan.crm").read_text("utf-8")
    return render_cib(gateway, *(
        fill(boards, {"NODE": node, "BOARD": f"{node}.example", "USER": "vpnha",
                      "PASSWORD": "/etc/vpnha/board"}) for node in nodes),
        *(fill(text, values) for text in texts))


def topology(name: str, nodes, devices: str) -> str:
    """The template of stonith/, with a level for each node, as its head has it."""
    text = (sites.ROOT / "stonith" / name).read_text("utf-8").partition("fencing_topology pattern")
    return text[0] + "fencing_topology " + " ".join(
        f"{node}: {devices.replace('NODE', node)}" for node in nodes) + "\n"


def test_boards_take_the_place_of_the_one_device(site: plays.Site):
    nodes = sites.THREE
    found = loaded(site, 3, vpnha_instances=[L2TP], vpnha_fence_agent="",
                   ha_cluster_resource_primitives=[*map(board, nodes), VPNHA],
                   ha_cluster_stonith_levels=[
                       each for node in nodes for each in (level(1, node, "fencing-vpnha"),
                                                           level(2, node, f"fencing-{node}"))])
    wanted = expected(nodes, topology("fence-vpnha-then-power.crm", nodes,
                                      "fencing-vpnha fencing-NODE"))
    assert sites.configuration(found) == sites.configuration(wanted)


@pytest.mark.parametrize(("values", "template", "more"), [
    ({"vpnha_addresses": [ADDRESSES]}, "vip-gateway", {}),
    ({"vpnha_links": [LINK]}, "pppd-link", {"SECRET_FILE": "/etc/vpnha/link-web.secret"})])
def test_addresses_and_links_are_beside_a_gateway(values, template, more, site: plays.Site):
    found = loaded(site, 3, **DUMMY, **values)
    filled = {**sites.VALUES, "NODES": " ".join(sites.THREE)}
    # As docs/use/cluster-templates.md has it: these first.
    wanted = render_cib(
        fill((sites.ROOT / f"cib-templates/{template}.crm").read_text("utf-8"),
             {**filled, "SUFFIX": "-web", **more}),
        fill((sites.ROOT / "cib-templates/l2tp-gateway.crm").read_text("utf-8"), filled))
    assert sites.configuration(found) == sites.configuration(wanted)


def test_addresses_may_have_neither_a_service_nor_a_primary(site: plays.Site):
    found = loaded(site, 3, **DUMMY, vpnha_addresses=[
        {key: value for key, value in ADDRESSES.items() if key not in ("service", "primary")}])
    assert found.find(".//primitive[@id='vip-web']") is not None
    text = site.text("gw1", "vpnha/cluster.crm")
    assert "service-web" not in text and "vip-primary" not in text


def test_who_is_notified_of_failures_is_in_the_cluster(site: plays.Site):
    found = loaded(site, 3, **DUMMY, vpnha_alert_recipients=["mailto:ops@example.com",
                                                             "https://chat.example.com/hook"])
    alert = found.find(".//alert")
    assert alert is not None and alert.attrib["path"] == "/usr/local/sbin/vpnha-alert"
    assert [each.attrib["value"] for each in alert.iter("recipient")] == [
        "mailto:ops@example.com", "https://chat.example.com/hook"]


def test_a_gateway_of_pptp_alone(site: plays.Site):
    found = loaded(site, 3, **{**DUMMY, "vpnha_instances": [
        {**L2TP, "l2tp": False, "pptp": {"ip_range": "10.200.1.10-19"}}]})
    wanted = render_cib(fill((sites.ROOT / "cib-templates/pptp-gateway.crm").read_text("utf-8"), {
        **sites.VALUES, "NODES": " ".join(sites.THREE),
        "PPTPD_CONFIG": "/etc/vpnha/pptpd-dialin.conf"}))
    assert sites.configuration(found) == sites.configuration(wanted)


def test_two_nodes_with_boards(site: plays.Site):
    found = loaded(site, 2, vpnha_instances=[L2TP], vpnha_fence_agent="",
                   ha_cluster_resource_primitives=[*map(board, TWO), YIELD, CONFIRM],
                   ha_cluster_stonith_levels=[
                       level(1, node, "fencing-yield", f"fencing-{node}", "fencing-confirm")
                       for node in TWO])
    wanted = expected(TWO, topology("two-nodes.crm", TWO,
                                    "fencing-yield,fencing-NODE,fencing-confirm"))
    assert sites.configuration(found) == sites.configuration(wanted)


def test_values_with_blanks_and_quotes_come_through(site: plays.Site):
    password = r'a "b" \c# d'
    odd = device("fencing", "fence_virsh", ip="host", password=password, ssl=True)
    odd |= {"meta_attrs": [{"attrs": [{"name": "priority", "value": 5}]}],
            "operations": [{"action": "monitor", "attrs": [{"name": "interval", "value": "60s"}]}]}
    found = loaded(site, 3, vpnha_instances=[L2TP], vpnha_fence_agent="",
                   ha_cluster_resource_primitives=[odd])
    primitive = found.find(".//primitive[@id='fencing']")
    assert primitive is not None
    values = {each.attrib["name"]: each.attrib["value"] for each in primitive.iter("nvpair")}
    assert values == {"ip": "host", "password": password, "ssl": "true", "priority": "5",
                      "pcmk_host_list": "gw1 gw2 gw3", "pcmk_host_check": "static-list"}
    assert [(each.attrib["name"], each.attrib["interval"]) for each in primitive.iter("op")] == [
        ("monitor", "60s")]


def test_a_device_that_the_inventory_no_longer_has_is_named(site: plays.Site):
    program = site.directory / "gw1" / "bin" / "cibadmin"
    program.write_text("#!/bin/sh\necho '<primitive id=\"fencing\" class=\"stonith\"/>"
                       "<primitive class=\"stonith\" id=\"fencing-old\"/>'\n", encoding="utf-8")
    played = site.play(plays.inventory(3), tasks=("resources",))
    assert not played.ok, played.output
    assert "devices that the inventory has not: fencing-old." in played.output, played.output


def test_sbd_is_in_force_before_pacemaker_relies_on_it(site: plays.Site):
    program = site.directory / "gw2" / "bin" / "systemctl"
    program.write_text(program.read_text("utf-8").replace("ActiveState=active",
                                                          "ActiveState=inactive"))
    played = site.play(plays.inventory(3, ha_cluster_sbd_enabled=True), tasks=("resources",))
    assert not played.ok and "sbd does not run on: gw2." in played.output, played.output
    assert "crm " not in site.calls("gw1")


def test_sbd_has_its_watchdog_and_time(site: plays.Site):
    (site.directory / "watchdog").touch()
    listed = plays.inventory(3, ha_cluster_sbd_enabled=True, ha_cluster_sbd_options=[
        {"name": "watchdog-timeout", "value": 8}])
    for values in listed[plays.GROUP]["hosts"].values():
        values["ha_cluster"]["sbd_watchdog"] = str(site.directory / "watchdog")
    played = site.play(listed, tasks=("sbd", "resources"))
    assert played.ok, played.output
    text = site.text("gw3", "default/sbd")
    assert f"SBD_WATCHDOG_DEV={site.directory / 'watchdog'}\n" in text
    assert "SBD_WATCHDOG_TIMEOUT=8\n" in text
    assert "stonith-watchdog-timeout=16s" in site.text("gw1", "vpnha/cluster.crm")
    assert "systemctl is-enabled sbd.service" in site.calls("gw3")


def test_sbd_without_a_watchdog_is_refused(site: plays.Site):
    listed = plays.inventory(3, ha_cluster_sbd_enabled=True)
    for values in listed[plays.GROUP]["hosts"].values():
        values["ha_cluster"]["sbd_watchdog"] = "/dev/no-watchdog"
    played = site.play(listed, tasks=("sbd",))
    assert not played.ok and "/dev/no-watchdog is not there" in played.output, played.output
