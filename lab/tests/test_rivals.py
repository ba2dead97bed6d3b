# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands beside vpnha: its configurations, and what counts of a fault."""
from __future__ import annotations

import re
import types

import pytest

from vpnlab.evidence.measure import Measured
from vpnlab.evidence.result import ClientResult, ClientSeries, Invariants, Phases, Vip
from vpnlab.host.topology import L2TP, NODES, VIP_INSIDE, VIP_OUTSIDE
from vpnlab.product.cluster import fill
from vpnlab.product.l2tp_gateway import CONFIG as L2TP_CONFIG
from vpnlab.product.l2tp_gateway import StockGateway
from vpnlab.product.pptp_gateway import CONFIG as PPTPD_CONFIG
from vpnlab.product.sites import bgp
from vpnlab.product.wireguard.stock import CLIENT_KEYS
from vpnlab.steps.rivals.clusters import NODES as NODES_OF_RIVALS
from vpnlab.steps.rivals.clusters import OF_ALL, OF_IPSEC, PAIR_NODES, PEER, Pacemaker
from vpnlab.steps.rivals.faults import FAULTS, figures
from vpnlab.steps.rivals.keepalived import (PRIORITIES, Keepalived, conntrackd_conf,
                                            keepalived_conf, primary_backup)
from vpnlab.steps.rivals.l2tpns import ROUTERS, L2tpns, router_conf, startup_config
from vpnlab.steps.todays_stack import QUORUM_ONLY, TEMPLATE, prepare_more, put_service


def test_both_addresses_are_in_one_group_on_their_own_links():
    text = keepalived_conf("gw1", PRIORITIES[0])
    found = dict(re.findall(r"vrrp_instance (\w+) \{.*?virtual_ipaddress \{\s*(\S+)\s", text,
                            re.DOTALL))
    assert found == {"outside": f"{VIP_OUTSIDE}/24", "inside": f"{VIP_INSIDE}/24"}
    assert re.search(r"group \{\s*outside\s*inside\s*\}", text)
    assert len(set(re.findall(r"virtual_router_id (\d+)", text))) == 2
    assert text.count("{") == text.count("}")


def test_nothing_but_router_id_and_priority_differs_between_the_two():
    one, other = (keepalived_conf(name, priority)
                  for name, priority in zip(("gw1", "gw2"), PRIORITIES))
    differing = [line.split()[0] for line, same in zip(one.splitlines(), other.splitlines())
                 if line != same]
    assert differing == ["router_id", "priority", "priority"]


def test_the_stock_daemons_follow_the_addresses():
    script = primary_backup(["/etc/init.d/xl2tpd", "/etc/init.d/pptpd"])
    cases = dict(re.findall(r"^    (\w+)\)\n(.*?);;", script, re.DOTALL | re.MULTILINE))
    words = {name: re.findall(r"(?:flows|services) (\S+)", text) for name, text in cases.items()}
    # Flows are in the kernel before anybody asks for them.
    assert words == {"primary": ["-c", "-f", "-R", "-B", "start"], "backup": ["stop", "-t", "-n"],
                     "fault": ["stop", "-t"]}
    assert "for each in /etc/init.d/xl2tpd /etc/init.d/pptpd; do" in script


class FakeNode:
    """What is put into it, and what it runs."""

    def __init__(self, name):
        self.name, self.spec = name, NODES[name]
        self.files, self.ran = {}, []

    def address(self, network):
        return self.spec.address(network)

    def put(self, path, content, mode=None):
        self.files[path] = content

    def start(self, *argv, **_):
        self.ran.append(argv)

    def run(self, *argv, **_):
        self.ran.append(argv)

    def read(self, path):
        return self.files.get(path)


def test_a_pair_speaks_of_its_flows_over_a_link_of_its_own():
    one, other = FakeNode("gw1"), FakeNode("gw2")
    Keepalived(one, other, PRIORITIES[0]).start(["/etc/init.d/xl2tpd"])
    text = one.files["/etc/conntrackd/conntrackd.conf"]
    assert text == conntrackd_conf(one.address("cluster0"), other.address("cluster0"),
                                   ("127.0.0.1", VIP_OUTSIDE, VIP_INSIDE,
                                    *(one.address(each) for each in one.spec.networks)))
    assert "IPv4_Destination_Address 10.77.1.2" in text and text.count("{") == text.count("}")
    assert one.ran == [("/usr/sbin/conntrackd", "-C", "/etc/conntrackd/conntrackd.conf")]


def test_a_planned_move_of_vrrp_is_the_end_of_keepalived():
    node = FakeNode("gw1")
    daemon = Keepalived(node, FakeNode("gw2"), PRIORITIES[0])
    node.files["/run/keepalived.pid"] = "123\n"
    daemon.leave()
    assert node.ran == [("kill", "-TERM", "123")]


def test_a_service_has_no_variables_left():
    node = FakeNode("gw1")
    path = put_service(node, "xl2tpd", "/run/x.pid", "/usr/sbin/xl2tpd -p /run/x.pid")
    assert path == "/etc/init.d/xl2tpd"
    assert "PIDFILE=/run/x.pid" in node.files[path] and "@" not in node.files[path]


def test_stock_daemons_of_one_node_hand_out_addresses_of_their_own():
    node = FakeNode("gw2")
    StockGateway(node).configure()
    prepare_more(node, [PEER])
    own = re.search(r"ip range = (\S+)-", node.files[L2TP_CONFIG])[1]
    others = re.search(r"^remoteip (\S+)-(\d+)$", node.files[PPTPD_CONFIG], re.MULTILINE)
    assert own == "10.200.2.10" and others.groups() == ("10.200.2.200", "250")
    assert CLIENT_KEYS[PEER].public in node.files["/etc/wireguard/wg0.conf"]


def test_every_rival_has_nodes_for_its_clients_and_ends_with_the_last_service():
    assert set(OF_ALL) < set(PAIR_NODES) < set(NODES_OF_RIVALS) and set(OF_IPSEC) < set(OF_ALL)
    protocols = {make(FakeNode(name), gateway=L2TP).protocol for name, make in OF_ALL.items()}
    assert protocols == {"l2tp", "l2tp-ipsec", "ikev2", "pptp", "wireguard"}
    text = fill(TEMPLATE.read_text(encoding="utf-8"), {
        "VIP_OUTSIDE": "", "VIP_INSIDE": "", "NODES": "", "FENCE_AGENT": "", "FENCE_PARAMETERS": "",
        "DAEMON": "xl2tpd", "PRIMITIVES": "\n".join(each.primitive for each in Pacemaker.more),
        "MORE": " ".join(each.name for each in Pacemaker.more)})
    assert text.rstrip().endswith("group gateway vip-outside vip-inside xl2tpd pptpd wireguard")
    assert "primitive wireguard lsb:wireguard op monitor" in text


def test_members_of_l2tpns_have_both_routers_as_neighbours():
    text = startup_config("gw1", [("192.0.2.54", 65000), ("198.51.100.21", 65001)])
    assert text.endswith("neighbour 192.0.2.54 remote-as 65000\n"
                         "neighbour 198.51.100.21 remote-as 65001\n")
    assert f"set bind_address {VIP_OUTSIDE}\n" in text and "set cluster_interface cluster0" in text


def test_a_router_of_l2tpns_reaches_its_members_directly():
    text = router_conf(FakeNode("server"), [FakeNode("gw1"), FakeNode("gw2")])
    assert text.startswith("router bgp 65001\n bgp router-id 198.51.100.21\n")
    for address in ("198.51.100.11", "198.51.100.12"):
        assert f" neighbor {address} dont-capability-negotiate\n" in text
        assert f"  neighbor {address} route-map direct in\n" in text


@pytest.mark.parametrize("outside, inside, serves", [
    ("192.0.2.12", "198.51.100.12", "gw2"), ("192.0.2.12", "198.51.100.11", None),
    ("", "", None)])
def test_the_member_serves_by_which_both_routers_go(monkeypatch, outside, inside, serves):
    found = {"client4": outside, "server": inside}
    monkeypatch.setattr(bgp, "learned_from", lambda router, prefix: found[router.name])
    rival = object.__new__(L2tpns)
    rival._nodes = [FakeNode("gw1"), FakeNode("gw2")]
    rival._routers = [FakeNode(name) for name in ROUTERS]
    serving = rival.serving()
    assert (serving.name if serving else None) == serves


def test_who_shares_an_address_has_no_two_owners():
    seen = Measured([], [], Vip(2, 5000.0), Phases(), Invariants(), [], [])
    assert figures("freeze", seen, (0.0, 1.0), one_owner=False)["two_owners_ms"] is None
    assert figures("freeze", seen, (0.0, 1.0))["two_owners_ms"] == 5000.0


def test_the_node_for_quorum_never_serves():
    text = fill(QUORUM_ONLY.read_text(encoding="utf-8"), {"QUORUM_ONLY": "gw3"})
    assert text == "location quorum-only gateway -inf: gw3\n"


def test_pacemaker_moves_the_group_to_another_node():
    nodes = [FakeNode(name) for name in ("gw1", "gw2", "gw3")]
    rival = object.__new__(Pacemaker)
    rival.cluster = types.SimpleNamespace(nodes=nodes)
    rival.move(nodes[0])
    assert nodes[0].ran == [("crm_resource", "--move", "--resource", "gateway", "--node", "gw2")]


def client(protocol, answered):
    """Asked ten times a second for half a minute."""
    pings = [(number / 10, 0.01 if answered(number / 10) else None) for number in range(300)]
    return ClientResult(protocol, protocol, series=ClientSeries(pings=pings))


@pytest.mark.parametrize("answered, kept, silence", [
    (lambda t: t < 10 or t > 12, True, 2000),
    (lambda t: t < 10, False, None),
    # Another session, behind what is observed.
    (lambda t: t < 10 or t > 28, False, None),
])
def test_what_is_not_answered_in_the_end_is_lost(answered, kept, silence):
    seen = Measured([client("ikev2", answered)], [], Vip(1, 0.0), Phases(), Invariants(), [], [])
    found = figures("power cut", seen, (10.0, 25.0))
    assert found["two_owners_ms"] == 0.0 and found["fault"] == "power cut"
    assert found["clients"][0]["kept"] is kept
    assert found["clients"][0]["silence_ms"] == (
        silence if silence is None else pytest.approx(silence, abs=250))


def test_each_fault_has_a_name_of_its_own():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) == 4
