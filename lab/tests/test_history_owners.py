# SPDX-License-Identifier: GPL-2.0-or-later
"""Who owns an address: takeovers that are right, and planted ones that are not."""
from __future__ import annotations

import ipaddress

import pytest

from capture_packets import Pcap, echo, ip, udp
from history_captures import CLIENT, T0, VIP, Made, esp, kinds, mac
from vpnlab.history.violations import (OLDER_OWNER, OWNERS_IN_TURNS, SESSION_OWNER,
                                       UNCLAIMED_OWNER)
from vpnlab.host.topology import L2TP, NODES


@pytest.fixture
def made(tmp_path) -> Made:
    return Made(tmp_path)


def test_a_takeover_with_an_announcement_is_right(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 2)
    made.claim(2.4, "gw2").serve("gw2", 2.5, 5, first=1000)
    history = made.check()
    assert kinds(history) == []
    seen = history.seen["wire"]
    assert (seen["takeovers"], seen["takeovers_unannounced"], seen["sessions_moved"]) == (1, 0, 1)


def test_a_frame_shortly_before_the_announcement_is_right(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 2)
    made.send(2.39, "gw2", esp(7, 999)).claim(2.4, "gw2").serve("gw2", 2.5, 5, first=1000)
    assert kinds(made.check()) == []


def test_the_role_may_come_back(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 2)
    made.claim(2.1, "gw2").serve("gw2", 2.2, 4, first=1000)
    made.claim(4.1, "gw1").serve("gw1", 4.2, 6, first=2000)
    assert kinds(made.check()) == []


def test_two_owners_for_30_ms(made):
    made.claim(0, "gw1").serve("gw1", 0.105, 2.034)
    made.claim(2.0, "gw2").serve("gw2", 2.007, 5, first=1000)
    history = made.check()
    assert kinds(history) == [OLDER_OWNER, SESSION_OWNER]
    found = history.violations[0]
    assert found.count == 3 and "gw1 speaks for gateway l2tp" in found.what
    assert found.t == pytest.approx(T0 + 2.0, abs=0.011)
    assert found.until - found.t == pytest.approx(0.02, abs=0.001)
    assert str(found.packets[0]) == "gw1-outside.pcap#192"


def test_one_answer_of_an_older_owner(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 2)
    made.claim(2.4, "gw2").serve("gw2", 2.5, 9, first=1000)
    made.send(7, "gw1", echo(VIP, CLIENT, 1, reply=True))
    history = made.check()
    assert kinds(history) == [OLDER_OWNER]
    assert history.violations[0].count == 1


def test_the_last_frame_of_a_run_counts(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 2)
    made.claim(2.4, "gw2").serve("gw2", 2.5, 3, first=1000)
    made.send(3, "gw1", echo(VIP, CLIENT, 1, reply=True))
    assert kinds(made.check()) == [OLDER_OWNER]


def test_an_answer_to_who_has_is_a_frame_of_the_owner(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 2)
    made.claim(2.4, "gw2").serve("gw2", 2.5, 9, first=1000)
    reply = (bytes.fromhex(mac("client1").replace(":", "")) + bytes.fromhex(
        mac("gw1").replace(":", "")) + b"\x08\x06\0\x01\x08\0\x06\x04\0\x02" + b"\0" * 6
        + bytes([192, 0, 2, 100]) + b"\0" * 6 + bytes([192, 0, 2, 51]))
    made.gateways["gw1"].raw(7, reply)
    history = made.check()
    assert kinds(history) == [OLDER_OWNER] and "gw1 speaks" in history.violations[0].what


def test_the_owner_speaks_between_a_first_frame_and_its_announcement(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 2.2)
    made.send(2.0, "gw2", echo(VIP, CLIENT, 1, reply=True))
    made.claim(2.5, "gw2").serve("gw2", 2.6, 4, first=1000)
    assert kinds(made.check()) == [OLDER_OWNER]


def test_a_frame_of_a_node_that_never_claimed(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 5)
    made.send(2.0, "gw3", echo(VIP, CLIENT, 1, reply=True))
    assert kinds(made.check()) == [UNCLAIMED_OWNER]


def test_two_nodes_that_both_claim_in_turns(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 2)
    for i in range(3):
        made.claim(2 + i * 0.1, "gw2").claim(2.05 + i * 0.1, "gw1")
    found = kinds(made.check())
    assert set(found) == {OWNERS_IN_TURNS} and len(found) == 5


def test_a_takeover_without_an_announcement_counts_as_such(made):
    made.serve("gw1", 0.1, 2).serve("gw2", 2.5, 5, first=1000)
    history = made.check()
    assert kinds(history) == []
    assert history.seen["wire"]["takeovers_unannounced"] == 1


def test_what_a_node_passes_on_is_no_word_of_the_gateway(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 2)
    made.claim(2.4, "gw2").serve("gw2", 2.5, 5, first=1000)
    made.send(3, "gw1", udp(CLIENT, VIP, 4500, 4500, b"x" * 40))
    assert kinds(made.check()) == []


def test_what_another_machine_forges_is_no_word_of_the_gateway(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 2)
    made.client.ip(1, echo(VIP, CLIENT, 1, reply=True), "02:00:00:00:03:34")
    history = made.check()
    assert kinds(history) == []
    assert history.seen["client1"]["addresses"] == 0


def advertise(node: str, to: str) -> bytes:
    """A neighbour advertisement of the VIP from the node's own address."""
    own, vip, target = (ipaddress.ip_address(each).packed for each in (
        "fe80::1", L2TP.vip6_outside, to))
    body = b"\x88\0\0\0\x20\0\0\0" + vip
    return (b"\x33\x33\0\0\0\1" + bytes.fromhex(mac(node).replace(":", "")) + b"\x86\xdd\x60\0\0\0"
            + len(body).to_bytes(2, "big") + b"\x3a\xff" + own + target + body)


def test_an_address_of_ipv6_is_claimed_by_an_advertisement_to_all(made):
    for t, node in ((0, "gw1"), (2, "gw2"), (4, "gw1")):
        made.gateways[node].raw(t, advertise(node, "ff02::1"))
    history = made.check()
    assert kinds(history) == []
    seen = history.seen["wire"]
    assert (seen["announcements"], seen["takeovers"], seen["takeovers_unannounced"]) == (3, 2, 0)


def test_an_advertisement_to_one_is_a_frame_of_the_owner(made):
    for t, node in ((0, "gw1"), (2, "gw2")):
        made.gateways[node].raw(t, advertise(node, "ff02::1"))
    made.gateways["gw1"].raw(4, advertise("gw1", "2001:db8:1::51"))
    history = made.check()
    assert kinds(history) == [OLDER_OWNER] and "gw1 speaks" in history.violations[0].what


def test_who_has_lost_one_address_has_lost_all(made, tmp_path):
    made.claim(0, "gw1").serve("gw1", 0.1, 2)
    made.claim(2.4, "gw2").serve("gw2", 2.5, 5, first=1000)
    inside = Pcap()
    inside.ip(3, echo(L2TP.vip_inside, "198.51.100.21", 1), NODES["gw1"].mac("inside"))
    inside.write(tmp_path / "gw1-inside.pcap")
    history = made.check()
    assert kinds(history) == [OLDER_OWNER]
    assert str(history.violations[0].packets[0]) == "gw1-inside.pcap#1"


def test_gateways_have_owners_of_their_own(made):
    made.claim(0, "gw1").serve("gw1", 0.1, 5)
    made.claim(0, "gw2", "192.0.2.101")
    for i in range(50):
        made.send(0.1 + i * 0.1, "gw2", ip("192.0.2.101", CLIENT, 17, b"\0" * 20))
    history = made.check()
    assert kinds(history) == []
    assert history.seen["wire"]["addresses"] == 2


def test_a_client_sees_two_owners_as_well(made):
    made.client.arp(0, VIP, mac("gw1"))
    made.client.arp(1, VIP, mac("gw2"))
    for t in (0.5, 1.5):
        made.client.ip(t, echo(VIP, CLIENT, 1, reply=True), mac("gw1"))
    made.client.ip(3, echo(VIP, CLIENT, 2, reply=True), mac("gw2"))
    history = made.check()
    assert [(each.kind, each.vantage) for each in history.violations] == [(OLDER_OWNER, "client1")]
