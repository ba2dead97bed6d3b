# SPDX-License-Identifier: GPL-2.0-or-later
"""The templates of nftables rules, of a gateway and of a node, filled and loaded into a
namespace."""
from __future__ import annotations

import re
import subprocess

import pytest
from vpnlab.host.topology import L2TP, L2TP_2, NODES
from vpnlab.product.ruleset import FLOWS, node_rules, rules


@pytest.fixture
def loaded(tmp_path):
    """The tables that the kernel has after the rules of two gateways were loaded, the first
    twice."""
    first, second = tmp_path / "1.nft", tmp_path / "2.nft"
    first.write_text(rules(L2TP), encoding="utf-8")
    second.write_text(rules(L2TP_2), encoding="utf-8")
    script = f"set -e; nft -f {first}; nft -f {second}; nft -f {first}; nft list ruleset"
    listed = subprocess.run(["unshare", "-rn", "sh", "-c", script], capture_output=True, text=True,
                            check=True).stdout
    tables = re.split(r"^table inet ", listed, flags=re.MULTILINE)[1:]
    return dict(table.split(maxsplit=1) for table in tables)


def test_each_gateway_has_a_table_of_its_own(loaded):
    assert sorted(loaded) == ["vpnha-l2tp", "vpnha-l2tp2"]


@pytest.mark.parametrize("line", [
    "ip daddr 192.0.2.100 jump vip",
    f"ip6 daddr {L2TP.vip6_outside} jump vip",
    "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, "
    "echo-request } accept",
    "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
    "udp dport { 500, 1701, 4500 } accept",
    "ip saddr 192.0.2.0/24 meta l4proto gre accept",
    "ip daddr 10.200.0.0/16 ct state established,related accept",
    'ip saddr 10.200.0.0/16 oifname "inside" snat ip to 198.51.100.100',
    "ipsec in ip daddr 192.0.2.100 ip saddr != 10.200.0.0/16 counter packets 0 bytes 0 drop",
    f"ipsec in ip6 daddr {L2TP.vip6_outside} ip6 saddr != {L2TP.net6} counter packets 0 bytes 0 "
    "drop",
    f'ip6 daddr {L2TP.net6} oifname "outside" rt ipsec missing counter packets 0 bytes 0 drop',
    f"ip6 daddr {L2TP.net6} ct state established,related accept",
    f"ip6 daddr {L2TP.net6} counter packets 0 bytes 0 drop",
])
def test_rules_of_the_first_gateway(loaded, line):
    assert loaded["vpnha-l2tp"].count(line) == 1


# Sent to the VIP by lo, a hundred at once each: who may begin 40 at once is let in that often.
SEND = """
import socket, sys
port, begin = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    for _ in range(100):
        udp.sendto(begin + bytes(40), ("192.0.2.100", port))
"""


def after_a_hundred(tmp_path, port, begin, chain):
    """That chain of the first gateway's rules, after a hundred packets to its VIP."""
    file, sender = tmp_path / "1.nft", tmp_path / "send.py"
    file.write_text(rules(L2TP), encoding="utf-8")
    sender.write_text(SEND, encoding="utf-8")
    script = ("set -e; ip link set lo up; ip address add 192.0.2.100/32 dev lo; "
              f"nft -f {file}; /usr/bin/python3 {sender} {port} '{begin}'; "
              f"nft list chain inet vpnha-l2tp {chain}")
    return subprocess.run(["unshare", "-rn", "sh", "-c", script], capture_output=True, text=True,
                          check=True).stdout


@pytest.mark.parametrize(("port", "begin", "dropped"), [
    pytest.param(1701, "c802 003c 0000 0000", True, id="SCCRQ"),
    pytest.param(1701, "c802 003c 0007 0000", False, id="of-a-tunnel"),
    pytest.param(1701, "4002 003c 0000 0007", False, id="L2TP-data"),
    pytest.param(500, "0102030405060708 0000000000000000", True, id="IKE_SA_INIT"),
    pytest.param(500, "0102030405060708 0102030405060708", False, id="IKE_AUTH"),
    pytest.param(4500, "00000000 0102030405060708 0000000000000000", True, id="behind-NAT"),
    pytest.param(4500, "00000000 0102030405060708 0102030405060708", False, id="IKE-behind-NAT"),
    pytest.param(4500, "01020304 00000001 0000000000000000 0000000000000000", False, id="ESP"),
])
def test_newcomers_are_let_in_so_many_a_second(tmp_path, port, begin, dropped):
    listed = after_a_hundred(tmp_path, port, begin, "newcomer")
    packets = max(map(int, re.findall(r"counter packets (\d+)", listed)))
    # The senders take their time.
    assert 20 <= packets <= 60 if dropped else packets == 0


@pytest.mark.parametrize(("begin", "dropped"), [
    pytest.param("0002 0000 0000 0000", 100, id="tunnel-0"),
    pytest.param("4002 0030 0000 0007", 100, id="tunnel-0-with-its-length"),
    pytest.param("0002 0007 0000 0000", 0, id="a-tunnel"),
    pytest.param("4002 0030 0007 0000", 0, id="a-tunnel-with-its-length"),
])
def test_data_of_tunnel_0_reaches_no_xl2tpd(tmp_path, begin, dropped):
    listed = after_a_hundred(tmp_path, 1701, begin, "wanted")
    assert sum(map(int, re.findall(r"counter packets (\d+) bytes \d+ drop", listed))) == dropped


def test_loading_again_doubles_nothing(loaded):
    assert loaded["vpnha-l2tp"].count("type nat hook postrouting") == 1


# A node with a client's device, a link of the cluster and one inside, each a TUN device. By one of
# them come packets: "SOURCE>TARGET:PORT" is UDP, "SOURCE>TARGET" an echo request. It prints which
# socket of the node got each, and by which device the node sent something because of it.
NODE = """
import fcntl, ipaddress, os, select, socket, struct, subprocess, sys

def run(command):
    subprocess.run(command.split(), check=True)

def tun(name, *commands):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1001))
    run(f"ip link set {name} up")
    for command in commands:
        run(f"ip {command} dev {name}")
    return fd

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF

def packet(text):
    source, target = text.split(">")
    target, _, port = target.partition(":")
    body = struct.pack("!HHHH", 40000, int(port), 8, 0) if port else (
        struct.pack("!BBHHH", 8, 0, 0xEFFE, 0x0800, 1))
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, 17 if port else 1, 0,
                       ipaddress.ip_address(source).packed, ipaddress.ip_address(target).packed)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body

device, rules = sys.argv[1:3]
for switch in ("all.rp_filter=0", "default.rp_filter=0", "all.forwarding=1"):
    run(f"sysctl -qw net.ipv4.conf.{switch}")
run("ip link set lo up")
run("ip address add 198.51.100.100/32 dev lo")
devices = {device: tun(device, "address add 10.200.0.1 peer 10.200.1.5",
                       "route add 192.168.7.0/24"),
           "cluster0": tun("cluster0", "address add 10.77.1.1/24"),
           "inside": tun("inside", "address add 198.51.100.11/24", "route add 10.200.1.6/32")}
run(f"nft -f {rules}")
ports = {}
for port in (22, 53, 5405, 5420):
    ports[port] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ports[port].bind(("", port))
by, *sent = sys.argv[3:]
for each in sent:
    os.write(devices[by], packet(each))
    found = [f"port {port}" for port, udp in ports.items() if select.select([udp], [], [], 0.02)[0]
             and udp.recv(100) is not None]
    for name, fd in devices.items():
        while select.select([fd], [], [], 0.02)[0]:
            got = os.read(fd, 2000)
            if got[0] >> 4 == 4 and got[9] in (1, 17) and got[20:22] != b"\\3\\3":
                found.append("echo" if got[9] == 1 and got[20] == 0 else f"by {name}")
    print(each, *found, sep="|")
"""
DEVICES = pytest.mark.parametrize("device", ["ppp0", "vpnha17", "vpnp-0"])
LOCAL, INSIDE_VIP, SERVER = "10.200.0.1", L2TP.vip_inside, "198.51.100.21"
CLIENT, BEHIND, OTHER_CLIENT = "10.200.1.5", "192.168.7.9", "10.200.1.6"
OWN, OTHER_NODE = (NODES[name].address("cluster0") for name in ("gw1", "gw2"))


def arrived(tmp_path, device: str, by: str, *sent: str, text: str = "") -> dict[str, list[str]]:
    """What became of each packet on a node with its rules, or with other ones."""
    file, script = tmp_path / "node.nft", tmp_path / "node.py"
    file.write_text(text or node_rules(), encoding="utf-8")
    script.write_text(NODE, encoding="utf-8")
    seen = subprocess.run(["unshare", "-rn", "/usr/bin/python3", script, device, file, by, *sent],
                          capture_output=True, text=True, check=True).stdout
    return {line.split("|")[0]: line.split("|")[1:] for line in seen.splitlines()}


def test_clients_of_ikev2_are_known_by_their_addresses_of_either_family(tmp_path):
    file = tmp_path / "node.nft"
    file.write_text(node_rules(), encoding="utf-8")
    listed = subprocess.run(
        ["unshare", "-rn", "sh", "-c", f"nft -f {file} && nft list table inet vpnha_node"],
        capture_output=True, text=True, check=True).stdout
    for family, net in (("ip", L2TP.addresses), ("ip6", L2TP.net6)):
        # nft joins the nets of all gateways.
        begin = f"{family} saddr {{ {net.partition('/')[0]}-"
        rules_of = [line for line in listed.splitlines() if begin in line]
        assert [("goto client" in line, "drop" in line) for line in rules_of] == [
            (True, False), (False, True)]


@DEVICES
def test_a_client_reaches_of_the_node_what_it_must(tmp_path, device):
    refused = [f"{CLIENT}>{address}:{port}" for address in (LOCAL, INSIDE_VIP, OWN)
               for port in (22, 5405, 5420)]
    found = arrived(tmp_path, device, device, *refused, f"{CLIENT}>{LOCAL}:53",
                    f"{CLIENT}>{INSIDE_VIP}:53", f"{CLIENT}>{LOCAL}", f"{CLIENT}>{INSIDE_VIP}")
    assert found == {**{each: [] for each in refused}, f"{CLIENT}>{LOCAL}:53": [],
                     f"{CLIENT}>{INSIDE_VIP}:53": ["port 53"],
                     f"{CLIENT}>{LOCAL}": ["echo"], f"{CLIENT}>{INSIDE_VIP}": ["echo"]}


@DEVICES
def test_a_client_has_its_own_address_or_one_that_a_route_leads_to(tmp_path, device):
    forged = [f"{source}>{target}" for source in (SERVER, OTHER_CLIENT, OTHER_NODE, LOCAL)
              for target in (f"{SERVER}:7", f"{LOCAL}:53", LOCAL)]
    found = arrived(tmp_path, device, device, *forged, f"{CLIENT}>{SERVER}:7",
                    f"{BEHIND}>{SERVER}:7", f"{BEHIND}>{LOCAL}", f"{BEHIND}>{LOCAL}:22")
    assert found == {**{each: [] for each in forged}, f"{CLIENT}>{SERVER}:7": ["by inside"],
                     f"{BEHIND}>{SERVER}:7": ["by inside"], f"{BEHIND}>{LOCAL}": ["echo"],
                     f"{BEHIND}>{LOCAL}:22": []}


@DEVICES
def test_a_client_reaches_no_other_node(tmp_path, device):
    other = NODES["gw2"].address("inside")
    found = arrived(tmp_path, device, device, f"{CLIENT}>{OTHER_NODE}:5420",
                    f"{CLIENT}>{other}:22", f"{BEHIND}>{other}:22")
    assert not any(found.values())


def test_the_addresses_of_clients_count_where_they_have_no_device(tmp_path):
    found = arrived(tmp_path, "ppp0", "inside", f"{OTHER_CLIENT}>{INSIDE_VIP}:22",
                    f"{OTHER_CLIENT}>{OTHER_NODE}:5420", f"{OTHER_CLIENT}>{INSIDE_VIP}",
                    f"{SERVER}>198.51.100.11:22")
    assert found == {f"{OTHER_CLIENT}>{INSIDE_VIP}:22": [], f"{OTHER_CLIENT}>{OTHER_NODE}:5420": [],
                     f"{OTHER_CLIENT}>{INSIDE_VIP}": ["echo"],
                     f"{SERVER}>198.51.100.11:22": ["port 22"]}


@pytest.mark.parametrize("port", [5405, 5420])
def test_the_ports_of_the_cluster_are_open_to_nodes_by_its_links(tmp_path, port):
    found = arrived(tmp_path, "ppp0", "cluster0", f"{OTHER_NODE}>{OWN}:{port}",
                    f"10.77.1.99>{OWN}:{port}", f"{OTHER_NODE}>198.51.100.11:{port}")
    assert list(found.values()) == [[f"port {port}"], [], []]
    found = arrived(tmp_path, "ppp0", "inside", f"{OTHER_NODE}>{OWN}:{port}",
                    f"{SERVER}>{OWN}:{port}", f"{SERVER}>198.51.100.11:{port}",
                    f"{CLIENT}>{SERVER}:{port}")
    assert list(found.values())[:3] == [[], [], []]


def test_a_client_has_so_many_flows_at_once(tmp_path):
    text = rules(L2TP).replace(f"ct count over {FLOWS}", "ct count over 5")
    sent = [f"{CLIENT}>{SERVER}:{port}" for port in range(7, 17)]
    found = arrived(tmp_path, "ppp0", "ppp0", *sent, f"{OTHER_CLIENT}>{SERVER}:7", text=text)
    assert list(found.values()) == [["by inside"]] * 5 + [[]] * 5 + [["by inside"]]
