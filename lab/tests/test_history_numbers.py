# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers that nobody uses twice: runs that are right, and planted repetitions."""
from __future__ import annotations

import pytest

from capture_packets import VIP, avp, gre, ip, l2tp_control, l2tp_data, ppp, tcp, udp
from history_captures import CLIENT, Made, esp, ike_request, kinds, wireguard
from vpnlab.history.numbers import Used
from vpnlab.history.violations import (ESP_NUMBER, GRE_NUMBER, IKE_ID, L2TP_NS, MPPE_COUNT,
                                       SESSION_OWNER, WIREGUARD_NUMBER)

SYN_ACK = 0x12
ECHO_REQUEST = b"\x09\x01\0\x08\0\0\0\0"


@pytest.fixture
def made(tmp_path) -> Made:
    return Made(tmp_path).claim(0, "gw1")


def pptp(seq: int, payload: bytes = b"\x21data", call: int = 4) -> bytes:
    return ip(VIP, CLIENT, 47, gre(call, seq, payload))


def mppe(count: int) -> bytes:
    return ppp(0x00FD, bytes([0x90 | count >> 8, count & 0xFF]) + b"secret")


def control(ns: int, avps: bytes, *, nr: int = 0, tunnel: int = 5) -> bytes:
    return udp(VIP, CLIENT, 1701, 1701, l2tp_control(tunnel, ns, nr, avps))


def from_client(nr: int) -> bytes:
    return udp(CLIENT, VIP, 1701, 1701, l2tp_control(9, 1, nr))


SCCRP, ICRP, HELLO, CDN = avp(0, 2), avp(0, 11), avp(0, 6), avp(0, 14)


def test_used_numbers():
    used = Used()
    assert not any(used.take(number) for number in (0, 1, 1023, 1024, 5_000_000, (1 << 32) - 1))
    assert used.take(1023) and used.take(5_000_000) and not used.take(1025)


def test_each_esp_number_once(made):
    made.serve("gw1", 0.1, 3)
    history = made.check()
    assert kinds(history) == []
    assert (history.seen["wire"]["esp_sas"], history.seen["wire"]["esp_packets"]) == (1, 290)


def test_one_esp_number_twice(made):
    made.serve("gw1", 0.1, 2).send(2.1, "gw1", esp(7, 100))
    history = made.check()
    assert kinds(history) == [ESP_NUMBER]
    assert history.violations[0].count == 1 and "00000007" in history.violations[0].what


def test_one_esp_number_by_two_nodes(made):
    made.serve("gw1", 0.1, 2)
    made.claim(2.2, "gw2").serve("gw2", 2.3, 3, first=190)
    history = made.check()
    assert kinds(history) == [ESP_NUMBER]
    assert history.violations[0].count == 1


def test_sas_have_numbers_of_their_own(made):
    made.serve("gw1", 0.1, 1).serve("gw1", 1.1, 2, spi=8)
    made.send(2, "gw1", esp(7, 1, dst="192.0.2.52"))
    assert kinds(made.check()) == []


def test_each_wireguard_counter_once_under_its_keys(made):
    for receiver, counters in ((7, (0, 1, 3, 2)), (8, (0, 1 << 40))):
        for t, counter in enumerate(counters, 1):
            made.send(receiver + t / 10, "gw1", wireguard(receiver, counter))
    # A handshake has no counter there.
    for t in (9.5, 9.6):
        made.send(t, "gw1", wireguard(7, 0, kind=2))
    history = made.check()
    assert kinds(history) == []
    assert (history.seen["wire"]["wireguard_keys"],
            history.seen["wire"]["wireguard_packets"]) == (2, 6)


def test_one_wireguard_counter_twice(made):
    made.send(0.1, "gw1", wireguard(7, 1)).send(0.2, "gw1", wireguard(7, 2))
    made.claim(1, "gw2").send(1.1, "gw2", wireguard(7, 2))
    history = made.check()
    assert kinds(history) == [WIREGUARD_NUMBER]
    assert "keys 00000007" in history.violations[0].what


def test_an_older_owner_sends_under_wireguard_keys(made):
    made.send(0.1, "gw1", wireguard(7, 1))
    made.claim(1, "gw2").send(1.1, "gw2", wireguard(7, 2)).send(1.2, "gw1", wireguard(7, 3))
    assert SESSION_OWNER in kinds(made.check())


def test_one_gre_number_twice(made):
    made.send(0.1, "gw1", pptp(1)).send(0.2, "gw1", pptp(2)).send(0.3, "gw1", pptp(2))
    assert kinds(made.check()) == [GRE_NUMBER]


def test_calls_have_numbers_of_their_own_and_begin_anew_with_their_connection(made):
    made.send(0.1, "gw1", pptp(1)).send(0.2, "gw1", pptp(1, call=5))
    made.send(0.3, "gw1", tcp(VIP, CLIENT, 1723, 40000, 1, SYN_ACK)).send(0.4, "gw1", pptp(1))
    assert kinds(made.check()) == []


def test_a_resumed_call_asks_by_a_number_that_was_used(made):
    made.send(0.1, "gw1", pptp(1)).send(0.2, "gw1", pptp(1, ppp(0xC021, ECHO_REQUEST)))
    history = made.check()
    assert kinds(history) == []
    assert history.seen["wire"]["gre_asked_again"] == 1


@pytest.mark.parametrize("counts, found", [
    ([0, 1, 2, 3], []),
    ([4094, 4095, 0, 1], []),
    ([10, 11, 1500, 1501], []),
    ([10, 11, 11], [MPPE_COUNT]),
    ([10, 11, 9], [MPPE_COUNT]),
    ([10, 2058], [MPPE_COUNT]),
])
def test_mppe_counts_grow(made, counts, found):
    for i, count in enumerate(counts):
        made.send(0.1 + i * 0.01, "gw1", pptp(i, mppe(count)))
    assert kinds(made.check()) == found


def test_new_keys_of_mppe_count_from_0_again(made):
    made.send(0.1, "gw1", pptp(1, mppe(50)))
    made.send(0.2, "gw1", pptp(2, ppp(0x80FD, b"\x02\x01\0\x04")))
    made.send(0.3, "gw1", pptp(3, mppe(0)))
    assert kinds(made.check()) == []


def test_an_l2tp_message_may_be_sent_again(made):
    for t in (0.1, 0.2):
        made.send(t, "gw1", control(0, SCCRP)).send(t + 0.01, "gw1", control(1, ICRP, nr=round(t)))
    made.send(0.3, "gw1", control(1, b""))
    assert kinds(made.check()) == []


def test_two_l2tp_messages_under_one_ns(made):
    made.send(0.1, "gw1", control(0, SCCRP)).send(0.2, "gw1", control(1, ICRP))
    made.claim(1, "gw2").send(1.1, "gw2", control(1, CDN))
    assert kinds(made.check()) == [L2TP_NS]


def test_a_client_that_dials_again_by_the_same_number_has_another_tunnel(made):
    made.send(0.1, "gw1", control(0, SCCRP)).send(0.2, "gw1", control(1, ICRP))
    made.send(0.3, "gw1", control(0, SCCRP + avp(9, 77))).send(0.4, "gw1", control(1, CDN))
    assert kinds(made.check()) == []


@pytest.mark.parametrize("acknowledged, found", [(2, []), (1, [L2TP_NS])])
def test_a_resumed_tunnel_asks_by_a_number_that_the_client_has(made, acknowledged, found):
    made.send(0.1, "gw1", control(0, SCCRP)).send(0.2, "gw1", control(1, ICRP))
    made.from_client(0.3, from_client(acknowledged))
    made.claim(1, "gw2").send(1.1, "gw2", control(1, HELLO))
    assert kinds(made.check()) == found


def test_numbered_data_acknowledges_nothing(made):
    made.send(0.1, "gw1", control(0, SCCRP)).send(0.2, "gw1", control(1, ICRP))
    made.from_client(0.3, from_client(2))
    made.from_client(0.4, udp(CLIENT, VIP, 1701, 1701, l2tp_data(b"data", header="sequence")))
    made.claim(1, "gw2").send(1.1, "gw2", control(1, HELLO))
    assert kinds(made.check()) == []


def test_whoever_forges_a_client_acknowledges_nothing(made):
    made.send(0.1, "gw1", control(0, SCCRP)).send(0.2, "gw1", control(1, ICRP))
    made.from_client(0.3, from_client(1))
    made.client.ip(0.4, from_client(2), "02:00:00:00:03:35")
    made.claim(1, "gw2").send(1.1, "gw2", control(1, HELLO))
    assert kinds(made.check()) == [L2TP_NS]


def test_messages_to_nobodys_tunnel_are_not_two_of_one(made):
    made.send(0.1, "gw1", control(1, CDN, tunnel=0)).send(0.2, "gw1", control(1, ICRP, tunnel=0))
    history = made.check()
    assert kinds(history) == [] and history.seen["wire"]["l2tp_messages"] == 0


def test_where_no_client_is_seen_a_hello_may_have_a_number_below_the_highest(made):
    for ns, avps in enumerate((SCCRP, ICRP, CDN)):
        made.send(0.1 + ns / 10, "gw1", control(ns, avps))
    made.send(1.1, "gw1", control(1, HELLO))
    assert kinds(made.check()) == []


def test_an_ike_request_may_be_sent_again_by_another_node(made):
    made.send(0.1, "gw1", ike_request(3, b"alive?"))
    made.claim(1, "gw2").send(1.1, "gw2", ike_request(3, b"alive?"))
    made.send(1.2, "gw2", ike_request(4, b"other?"))
    history = made.check()
    assert kinds(history) == []
    assert (history.seen["wire"]["ike_requests"],
            history.seen["wire"]["ike_requests_repeated"]) == (3, 1)


def test_two_ike_requests_under_one_id(made):
    made.send(0.1, "gw1", ike_request(3, b"alive?"))
    made.claim(1, "gw2").send(1.1, "gw2", ike_request(3, b"rekey!", exchange=36))
    history = made.check()
    assert kinds(history) == [IKE_ID]
    assert "request 3" in history.violations[0].what


def test_a_first_message_of_ike_may_come_again_with_a_cookie(made):
    for body in (b"first", b"with a cookie"):
        made.send(0.1, "gw1", ike_request(0, body, exchange=34))
    assert kinds(made.check()) == []


def test_answers_and_fragments_are_not_two_requests(made):
    made.send(0.1, "gw1", ike_request(3, b"one", flags=0x20)).send(
        0.2, "gw1", ike_request(3, b"two", flags=0x20))
    for number in (1, 2):
        made.send(0.3 + number / 10, "gw1", ike_request(
            5, b"\0\0\0\x0c" + bytes([0, number, 0, 2]) + b"part", first_payload=53))
    assert kinds(made.check()) == []
