# SPDX-License-Identifier: GPL-2.0-or-later
"""What a flood sends."""
from __future__ import annotations

import base64
import ipaddress
import struct

import pytest

from node.hostile import flood
from vpnlab.product.wireguard.stock import GATEWAY_KEYS, PORT

SOURCE, TARGET = (ipaddress.IPv4Address(each).packed for each in ("192.0.2.129", "192.0.2.100"))
ROUNDS = 200


def udp_of(kind: str) -> tuple[int, bytes]:
    """Port and payload."""
    protocol, body = flood.KINDS[kind](SOURCE, TARGET)
    assert protocol == flood.UDP
    _, port, length, _ = struct.unpack_from("!HHHH", body)
    assert length == len(body)
    return port, body[8:]


@pytest.mark.parametrize("kind", flood.KINDS)
def test_each_packet_has_a_header_and_fits_a_frame(kind):
    for _ in range(ROUNDS):
        protocol, body = flood.KINDS[kind](SOURCE, TARGET)
        packet = flood.packet(protocol, SOURCE, TARGET, body)
        assert packet[0] == 0x45 and packet[9] == protocol and packet[12:20] == SOURCE + TARGET
        assert len(packet) <= 1500


def test_a_right_ike_sa_init_has_lengths_that_add_up():
    ports = set()
    for _ in range(ROUNDS):
        port, message = udp_of("ike-sa")
        ports.add(port)
        message = message if port == flood.IKE_PORT else message.removeprefix(bytes(4))
        kind, length = message[16], struct.unpack_from("!I", message, 24)[0]
        assert length == len(message)
        at, kinds = 28, []
        while kind:
            kinds.append(kind)
            kind, size = message[at], struct.unpack_from("!H", message, at + 2)[0]
            at += size
        assert (kinds, at) == ([33, 34, 40], length)
    assert ports == {flood.IKE_PORT, flood.NAT_T_PORT}


def test_esp_is_no_ike_and_of_no_reserved_spi():
    for _ in range(ROUNDS):
        protocol, body = flood.esp(SOURCE, TARGET)
        spi = body[:4] if protocol == flood.ESP else body[8:12]
        assert struct.unpack("!I", spi)[0] > 255


def test_wireguard_is_that_of_the_gateways():
    assert flood.WIREGUARD_KEY == base64.b64decode(GATEWAY_KEYS.public)
    port, message = udp_of("wireguard")
    assert (port, len(message), message[:4]) == (PORT, 148, b"\1\0\0\0")
    assert message[132:] == bytes(16), "no cookie"


def test_no_malformed_segment_begins_a_connection():
    flags = {flood.tcp_bad(SOURCE, TARGET)[1][13] for _ in range(ROUNDS)}
    assert len(flags) > 4 and 0x02 not in flags
