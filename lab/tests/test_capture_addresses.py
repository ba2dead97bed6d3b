# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses that a gateway gave, as the wire has it."""
from __future__ import annotations

import ipaddress
import struct

import dpkt
import pytest

from vpnlab.evidence.capture_addresses import Given, given_addresses, given_twice

VIP, CLIENT = "192.0.2.100", "192.0.2.150"
ADDRESS = "10.200.32.5"


def ip(src, dst, protocol, payload):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0,
                         ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed)
    return bytes(12) + b"\x08\x00" + header + payload


def l2tp(src, dst, ppp, session=7):
    body = struct.pack("!HHHH", 0x4002, 8 + len(ppp), 3, session) + ppp
    return ip(src, dst, 17, struct.pack("!HHHH", 1701, 1701, 8 + len(body), 0) + body)


def gre(src, dst, ppp, call=9):
    return ip(src, dst, 47, struct.pack("!HHHHI", 0x3001, 0x880B, len(ppp), call, 1) + ppp)


def ipcp(code, address=ADDRESS, first=b""):
    options = first + b"\x03\x06" + ipaddress.ip_address(address).packed
    return b"\xff\x03\x80\x21" + struct.pack("!BBH", code, 1, 4 + len(options)) + options


ECHO = b"\xff\x03\xc0\x21" + bytes([10, 1, 0, 8, 0, 0, 0, 0])


@pytest.fixture(name="capture")
def make_capture(tmp_path):
    def make(*frames, name="client1-outside"):
        path = tmp_path / f"{name}.pcap"
        with path.open("wb") as stream:
            writer = dpkt.pcap.Writer(stream)
            for t, data in frames:
                writer.writepkt(data, ts=t)
        return path
    return make


def test_an_acknowledged_address_is_given_until_the_gateways_last_word(capture):
    path = capture((1, l2tp(CLIENT, VIP, ipcp(1))),
                   (2, l2tp(VIP, CLIENT, ipcp(2, first=b"\x81\x06\x01\x01\x01\x01"))),
                   (3, l2tp(VIP, CLIENT, ECHO)), (4, l2tp(CLIENT, VIP, ECHO)),
                   (5, l2tp(VIP, CLIENT, ECHO, session=8)))
    given, = given_addresses([path], VIP)
    assert (given.address, given.since, given.until) == (ADDRESS, 2, 3)


def test_who_agrees_to_the_end_has_had_it(capture):
    path = capture((1, l2tp(VIP, CLIENT, ipcp(2))), (2, l2tp(VIP, CLIENT, ECHO)),
                   (3, l2tp(VIP, CLIENT, b"\xff\x03\xc0\x21\x06\x01\x00\x04")),
                   (4, l2tp(VIP, CLIENT, ECHO)))
    given, = given_addresses([path], VIP)
    assert given.until == 2


def test_pptp_counts_as_well_and_the_clients_own_word_does_not(capture):
    path = capture((1, gre(CLIENT, VIP, ipcp(2))), (2, gre(VIP, CLIENT, ipcp(2))),
                   (3, gre(VIP, CLIENT, ipcp(3, "10.200.32.9"))))
    given, = given_addresses([path], VIP)
    assert (given.address, given.since, given.until) == (ADDRESS, 2, 3)
    assert given.session.startswith("pptp")


def test_malformed_options_are_none(capture):
    frame = b"\xff\x03\x80\x21" + struct.pack("!BBH", 2, 1, 6) + b"\x03\x01"
    assert not given_addresses([capture((1, l2tp(VIP, CLIENT, frame)))], VIP)


def test_twice_is_while_the_other_session_lives():
    first = Given(ADDRESS, "a", 1, 9)
    assert not given_twice([first, Given(ADDRESS, "b", 10, 12), Given("10.200.32.6", "c", 2, 3)])
    second = Given(ADDRESS, "b", 8, 8.5)
    assert len(given_twice([first, second])) == 1
    # Nor does a short one between them hide the long one.
    assert len(given_twice([first, second, Given(ADDRESS, "d", 8.8, 9.5)])) == 2
