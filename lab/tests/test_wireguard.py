# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of WireGuard's gateways and clients, and what their captures show."""
from __future__ import annotations

from pathlib import Path

from capture_packets import CLIENT, T0, VIP, Pcap, udp
from vpnlab.host.node import Completed
from vpnlab.host.topology import L2TP
from vpnlab.product.wireguard.crowd import WireguardCrowd
from vpnlab.product.wireguard.stock import (CLIENT_KEYS, GATEWAY_KEYS, PORT, PRESHARED_KEY,
                                            client_config, latest_handshake, peers_file)
from vpnlab.steps.wireguard.live import initiations

INITIATION, RESPONSE, DATA = (bytes((kind, 0, 0, 0)) + bytes(144) for kind in (1, 2, 4))


def test_both_ends_have_the_keys_of_each_other():
    peers, client = peers_file(["client1", "home1"]), client_config(CLIENT_KEYS["home1"].private)
    assert peers.count("[Peer]") == 2
    assert f"PublicKey = {CLIENT_KEYS['home1'].public}\n" in peers
    assert "AllowedIPs = 10.200.128.71/32\n" in peers
    assert "Endpoint" not in peers, "of a client behind NAT nobody knows it"
    assert f"PrivateKey = {CLIENT_KEYS['home1'].private}\n" in client
    assert f"PublicKey = {GATEWAY_KEYS.public}\n" in client
    assert f"Endpoint = {L2TP.vip_outside}:51820\n" in client
    assert all(f"PresharedKey = {PRESHARED_KEY}\n" in text for text in (peers, client))


class FakeNode:
    """Makes keys that are none."""

    def __init__(self) -> None:
        self.scripts: list[str] = []
        self.files: dict[str, str] = {}

    def run(self, *argv, stdin="", **_):
        self.scripts.append(stdin or " ".join(argv))
        made = "".join(f"private{number}= public{number}=\n" for number in range(3))
        return Completed(argv, 0, made if "genkey" in stdin else "", "")

    def put(self, path, content, **_):
        self.files[path] = content


def test_each_of_a_crowd_has_a_device_a_key_and_an_address():
    node = FakeNode()
    crowd = WireguardCrowd(node, 3)
    assert "wg genkey" in node.scripts[0] and "wg pubkey" in node.scripts[0]
    peers = crowd.peers()
    assert peers.count("[Peer]") == 3
    assert "PublicKey = public2=\n" in peers and "AllowedIPs = 10.200.130.2/32\n" in peers
    crowd.dial()
    assert "PrivateKey = private2=\n" in node.files["/run/lab/wgc2.conf"]
    assert "wg setconf wgc2 /run/lab/wgc2.conf\nip addr add 10.200.130.2/32 dev wgc2\n" \
        in node.scripts[1]


def test_a_client_that_has_shaken_hands_has_dialled():
    assert latest_handshake("") == 0
    assert latest_handshake(f"{GATEWAY_KEYS.public}\t0\n") == 0
    assert latest_handshake(f"{GATEWAY_KEYS.public}\t1767225600\n") == 1767225600


def test_handshakes_are_counted_that_gateways_begin(tmp_path: Path):
    capture = Pcap()
    capture.ip(1.0, udp(VIP, CLIENT, PORT, 40123, RESPONSE))
    capture.ip(2.0, udp(VIP, CLIENT, PORT, 40123, INITIATION))
    capture.ip(2.5, udp(CLIENT, VIP, 40123, PORT, INITIATION))
    capture.ip(3.0, udp(VIP, CLIENT, PORT, 40123, DATA))
    capture.ip(4.0, udp(VIP, CLIENT, PORT, 40123, INITIATION))
    capture.ip(5.0, udp(VIP, CLIENT, PORT, 40123, b"\1"))
    paths = [capture.write(tmp_path / "gw1.pcap")]
    assert initiations(paths, (T0, T0 + 9)) == 2
    assert initiations(paths, (T0, T0 + 3)) == 1
    assert initiations([], (T0, T0 + 9)) == 0
