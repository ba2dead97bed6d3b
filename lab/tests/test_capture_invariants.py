# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import struct
from pathlib import Path

import pytest

from capture_packets import (CLIENT, GW1_MAC, GW2_MAC, INNER, SERVER, T0, VIP, Pcap, avp, conf_req,
                             echo, gre, ike, ip, l2tp_control, l2tp_data, ppp, tcp, udp)
from vpnlab.evidence.capture_invariants import (WireInvariants, cleartext_l2tp, cleartext_pptp,
                                                ike_answers, l2tp_sent,
                                                pptp_acknowledgements, pptp_hang_ups,
                                                replays_accepted, sequence_invariants)

SYN = 0x02
HELLO, CDN = avp(0, 6), avp(0, 14)
HOME, NAT = "192.168.55.71", "192.0.2.61"
CLIENTS = "10.200.0.0/16"


def esp(seq: int, spi: int = 7) -> bytes:
    return spi.to_bytes(4, "big") + seq.to_bytes(4, "big") + b"\0" * 32


def in_udp(src: str, dst: str, seq: int, sport: int = 4500) -> bytes:
    return udp(src, dst, sport, 4500, esp(seq))


@pytest.fixture
def check(tmp_path: Path):
    def run(pcap: Pcap) -> WireInvariants:
        return sequence_invariants([pcap.write(tmp_path / "s.pcap")], VIP)
    return run


@pytest.mark.parametrize("expected, messages", [
    pytest.param(0, [(3, 1, HELLO), (3, 2, HELLO)], id="a retransmission with a newer Nr"),
    pytest.param(0, [(3, 1, HELLO), (4, 1, b""), (4, 2, CDN)], id="a ZLB uses no number"),
    pytest.param(1, [(3, 1, HELLO), (3, 1, CDN)], id="another message"),
])
def test_the_same_number_with_another_message_is_reuse(check, expected, messages):
    pcap = Pcap()
    for i, (ns, nr, body) in enumerate(messages):
        pcap.control(i, l2tp_control(5, ns, nr, body), from_client=False)
    assert check(pcap).l2tp_ns_reused == expected


def test_a_hello_with_an_acknowledged_number_asks_for_the_counters(check):
    pcap = Pcap().control(0, l2tp_control(5, 0, 1, avp(0, 2)), from_client=False)
    pcap.control(1, l2tp_control(9, 2, 1))
    pcap.control(2, l2tp_control(5, 0, 0, HELLO), from_client=False)
    assert check(pcap).l2tp_ns_reused == 0
    pcap.control(3, l2tp_control(5, 0, 0, CDN), from_client=False)
    assert check(pcap).l2tp_ns_reused == 1


def hello_then_cdn(ns: int) -> Pcap:
    """Both with that number, while the client expects 5 and then 7."""
    pcap = Pcap().control(0, l2tp_control(9, 2, 5))
    pcap.control(1, l2tp_control(5, ns, 0, HELLO), from_client=False)
    pcap.control(2, l2tp_control(9, 2, 7))
    return pcap.control(3, l2tp_control(5, ns, 0, CDN), from_client=False)


def test_a_number_ahead_of_the_clients_is_counted_by_itself(check):
    pcap = hello_then_cdn(7)
    found = check(pcap)
    assert (found.l2tp_ns_led, found.l2tp_ns_reused) == (1, 0)
    pcap.control(4, l2tp_control(9, 2, 8))
    pcap.control(5, l2tp_control(5, 7, 0, avp(0, 2)), from_client=False)
    found = check(pcap)
    assert (found.l2tp_ns_led, found.l2tp_ns_reused) == (1, 1)


def test_a_number_that_the_client_has_taken_was_not_ahead(check):
    found = check(hello_then_cdn(6))
    assert (found.l2tp_ns_led, found.l2tp_ns_reused) == (0, 1)


def test_acknowledgements_of_another_device_are_forged(tmp_path):
    pcap = Pcap().control(0, l2tp_control(9, 2, 5))
    pcap.control(1, l2tp_control(5, 4, 0, CDN), from_client=False)
    path = pcap.control(2, l2tp_control(5, 4, 0, HELLO), from_client=False).write(tmp_path / "s")
    assert sequence_invariants([path], VIP).l2tp_ns_reused == 0
    assert sequence_invariants([path], VIP, "02:00:00:00:ff:ff").l2tp_ns_reused == 1


def test_esp_and_gre_numbers(check):
    pcap = Pcap()
    for t, seq in enumerate((1, 2, 2, 3)):
        pcap.ip(t, ip(VIP, CLIENT, 50, esp(seq)), GW1_MAC)
        pcap.ip(t, ip(VIP, CLIENT, 47, gre(3, seq)), GW1_MAC)
        pcap.ip(t, ip(CLIENT, VIP, 47, gre(3, 1)))
    got = check(pcap)
    assert (got.esp_seq_reused, got.gre_seq_reused, got.l2tp_ns_reused) == (1, 1, None)


def test_a_number_is_reused_by_another_node_too_and_in_udp_too(check):
    pcap = Pcap().ip(0, in_udp(VIP, CLIENT, 1), GW1_MAC).ip(1, in_udp(VIP, CLIENT, 2), GW1_MAC)
    assert check(pcap).esp_seq_reused == 0
    pcap.ip(2, in_udp(VIP, CLIENT, 1 << 20), GW2_MAC)
    assert check(pcap).esp_seq_reused == 0
    pcap.ip(3, in_udp(VIP, CLIENT, 2), GW2_MAC)
    assert check(pcap).esp_seq_reused == 1


def test_each_sa_has_its_own_numbers(check):
    pcap = Pcap().ip(0, ip(VIP, CLIENT, 50, esp(1, spi=7)), GW1_MAC)
    pcap.ip(1, ip(VIP, CLIENT, 50, esp(1, spi=8)), GW1_MAC)
    assert check(pcap).esp_seq_reused == 0


def test_the_clients_own_numbers_are_no_concern_of_the_gateway(check):
    pcap = Pcap().ip(0, ip(VIP, CLIENT, 50, esp(1)), GW1_MAC)
    for t in (1, 2):
        pcap.ip(t, ip(CLIENT, VIP, 50, esp(9)))
    assert check(pcap).esp_seq_reused == 0


def test_ike_and_keepalives_have_no_esp_number(check):
    pcap = Pcap()
    for t in (0, 1):
        pcap.ip(t, udp(VIP, CLIENT, 4500, 4500, b"\0\0\0\0" + ike(37, 1)), GW1_MAC)
        pcap.ip(t, udp(VIP, CLIENT, 4500, 4500, b"\xff"), GW1_MAC)
    assert check(pcap).esp_seq_reused is None


def test_a_new_pptp_connection_begins_its_calls_anew(check):
    pcap = Pcap().ip(0, ip(VIP, CLIENT, 47, gre(3, 1)), GW1_MAC)
    pcap.ip(1, tcp(CLIENT, VIP, 4001, 1723, 1, SYN))
    pcap.ip(2, ip(VIP, CLIENT, 47, gre(3, 1)), GW1_MAC)
    assert check(pcap).gre_seq_reused == 0


@pytest.fixture
def clear(tmp_path: Path):
    def run(client: Pcap, sent: Pcap, client_ip: str = HOME, public_ip: str = NAT) -> int | None:
        return cleartext_l2tp(client.write(tmp_path / "client.pcap"), client_ip,
                              [sent.write(tmp_path / "gw1.pcap")], public_ip, VIP)
    return run


def test_l2tp_outside_of_esp_counts_in_both_directions(clear):
    client = Pcap().ip(0, udp(HOME, VIP, 1701, 1701, l2tp_data(b"x")))
    client.ip(1, udp(VIP, HOME, 1701, 1701, l2tp_control(5, 0, 0)))
    assert clear(client, Pcap()) == 2


def test_l2tp_inside_of_esp_does_not_count(clear):
    client = Pcap().ip(0, in_udp(HOME, VIP, 1)).ip(1, in_udp(VIP, HOME, 1))
    assert clear(client, Pcap().ip(1, in_udp(VIP, NAT, 1), GW1_MAC)) == 0


def test_what_the_nat_lets_not_pass_counts_too(clear):
    client = Pcap().ip(0, in_udp(HOME, VIP, 1))
    assert clear(client, Pcap().ip(1, udp(VIP, NAT, 1701, 1701, b"\0"), GW2_MAC)) == 1


def mppe(coherency: int) -> bytes:
    return ppp(0x00FD, struct.pack("!H", 0x9000 | coherency) + b"secret")


def test_an_echo_request_of_a_resumed_call_uses_no_number_of_gre_again(check):
    pcap = Pcap().ip(0, ip(VIP, CLIENT, 47, gre(3, 7, mppe(1))), GW1_MAC)
    pcap.ip(1, ip(VIP, CLIENT, 47, gre(3, 7, ppp(0xC021, struct.pack("!BBHI", 9, 200, 8, 0)))),
            GW2_MAC)
    assert check(pcap).gre_seq_reused == 0
    pcap.ip(2, ip(VIP, CLIENT, 47, gre(3, 7, ppp(0xC021, conf_req()))), GW2_MAC)
    assert check(pcap).gre_seq_reused == 1


@pytest.mark.parametrize("expected, coherencies", [
    pytest.param(None, [], id="no MPPE"),
    pytest.param(0, [0, 1, 2, 258], id="a jump"),
    pytest.param(0, [0, 2000, 4000, 4095, 0, 1], id="round the circle"),
    pytest.param(0, [1, 0, 2], id="reordered"),
    pytest.param(2, [5, 6, 7, 6, 7, 8], id="twice"),
])
def test_mppe_indexes(check, expected, coherencies):
    pcap = Pcap().ip(0, ip(VIP, CLIENT, 47, gre(3, 0, ppp(0xC021, conf_req()))), GW1_MAC)
    for t, coherency in enumerate(coherencies, 1):
        pcap.ip(t, ip(VIP, CLIENT, 47, gre(3, t, mppe(coherency))), GW1_MAC)
        pcap.ip(t, ip(CLIENT, VIP, 47, gre(3, t, mppe(1))))
    assert check(pcap).mppe_index_reused == expected


def test_a_new_control_connection_has_new_keys(check):
    pcap = Pcap()
    for t in (0, 2):
        pcap.ip(t, tcp(CLIENT, VIP, 40000 + t, 1723, 1, SYN))
        pcap.ip(t + 1, ip(VIP, CLIENT, 47, gre(3, 1, mppe(1))), GW1_MAC)
    assert check(pcap).mppe_index_reused == 0


@pytest.mark.parametrize("expected, packet", [
    pytest.param("", ip(VIP, CLIENT, 47, gre(3, 1, mppe(1))), id="data"),
    pytest.param("", ip(VIP, CLIENT, 47, gre(3, 1, ppp(0xC021, b"\x0a\x01\0\x08\0\0\0\0"))),
                 id="echo"),
    pytest.param("", tcp(VIP, CLIENT, 1723, 40000, 1, 0x18, b"x"), id="control"),
    pytest.param("", tcp(CLIENT, VIP, 40000, 1723, 1, 0x04), id="of the client"),
    pytest.param("RST", tcp(VIP, CLIENT, 1723, 40000, 1, 0x04), id="RST"),
    pytest.param("FIN", tcp(VIP, CLIENT, 1723, 40000, 1, 0x11), id="FIN"),
    pytest.param("ICMP error", ip(VIP, CLIENT, 1, b"\x03\x02" + b"\0" * 30), id="ICMP"),
    pytest.param("LCP code 1", ip(VIP, CLIENT, 47, gre(3, 1, ppp(0xC021, conf_req()))), id="LCP"),
    pytest.param("CCP code 1", ip(VIP, CLIENT, 47, gre(3, 1, ppp(0x80FD, conf_req()))), id="CCP"),
    pytest.param("CHAP code 1", ip(VIP, CLIENT, 47, gre(3, 1, ppp(0xC223, conf_req()))),
                 id="CHAP"),
])
def test_what_hangs_a_client_of_pptp_up(tmp_path, expected, packet):
    pcap = Pcap().ip(1, packet, GW1_MAC).ip(5, packet, GW1_MAC)
    found = pptp_hang_ups(pcap.write(tmp_path / "p.pcap"), VIP, (T0 + 0.5, T0 + 3))
    assert found == ([f"0.500 s: {expected}"] if expected else [])


@pytest.mark.parametrize("expected, protocols", [
    pytest.param(None, [0xC021], id="only control"),
    pytest.param(0, [0xC021, 0x00FD], id="encrypted"),
    pytest.param(2, [0x00FD, 0x0021, 0x0057], id="IPv4 and IPv6 in the clear"),
])
def test_pptp_in_the_clear_is_a_users_packet_without_mppe(tmp_path, expected, protocols):
    pcap = Pcap()
    for seq, protocol in enumerate(protocols):
        pcap.ip(seq, ip(CLIENT, VIP, 47, gre(1, seq, ppp(protocol, conf_req()))))
        pcap.ip(seq, ip(CLIENT, "192.0.2.99", 47, gre(1, seq, ppp(0x0021, conf_req()))))
    assert cleartext_pptp(pcap.write(tmp_path / "p.pcap"), VIP) == expected


@pytest.mark.parametrize("expected, acks", [
    pytest.param(None, [], id="nothing"),
    pytest.param(0, [None, None], id="data alone"),
    pytest.param(2, [None, 7, 8], id="data with acknowledgements"),
])
def test_acknowledgements_of_pptp_are_the_clients(tmp_path, expected, acks):
    pcap = Pcap().ip(0, ip(VIP, CLIENT, 47, gre(1, 1, ack=5)))
    for seq, ack in enumerate(acks):
        pcap.ip(seq, ip(CLIENT, VIP, 47, gre(1, seq, ppp(0x00FD, conf_req()), ack)))
    assert pptp_acknowledgements(pcap.write(tmp_path / "p.pcap"), VIP) == expected


def test_what_is_for_another_client_does_not_count(clear):
    client = Pcap().ip(0, in_udp(HOME, VIP, 1))
    assert clear(client, Pcap().ip(1, udp(VIP, CLIENT, 1701, 1701, b"\0"), GW1_MAC)) == 0


def test_a_client_without_nat_counts_each_packet_once(clear):
    leak = udp(VIP, CLIENT, 1701, 1701, l2tp_data(b"x"))
    assert clear(Pcap().ip(0, leak, GW1_MAC), Pcap().ip(0, leak, GW1_MAC), CLIENT, CLIENT) == 1


def test_without_a_packet_nothing_was_observed(clear):
    assert clear(Pcap().ip(0, udp(SERVER, CLIENT, 9, 9, b"")), Pcap()) is None


def test_what_gateways_send_outside_of_esp_counts_whoever_it_is_for(tmp_path):
    pcap = Pcap().ip(0, in_udp(VIP, NAT, 1)).ip(1, udp(CLIENT, VIP, 1701, 1701, b"\0"))
    for t, target in ((2, NAT), (3, CLIENT)):
        pcap.ip(t, udp(VIP, target, 1701, 1701, b"\0"), GW1_MAC)
    assert l2tp_sent([pcap.write(tmp_path / "gw1.pcap")], VIP) == 2


def test_an_answer_to_dead_peer_detection_is_one_of_the_gateways_in_its_time(tmp_path):
    pcap = Pcap()
    for t, exchange in ((1, 5), (2, 37), (3, 36), (4, 37)):
        pcap.ip(t, udp(VIP, CLIENT, 4500, 4500, b"\0\0\0\0" + ike(exchange)), GW1_MAC)
        pcap.ip(t, udp(CLIENT, VIP, 4500, 4500, b"\0\0\0\0" + ike(exchange)))
    path = pcap.write(tmp_path / "client.pcap")
    assert ike_answers(path, VIP, (T0 + 0.5, T0 + 3.5)) == 2


@pytest.fixture
def replays(tmp_path: Path):
    def run(*nodes: Pcap) -> int | None:
        return replays_accepted([pcap.write(tmp_path / f"gw{number}.pcap")
                                 for number, pcap in enumerate(nodes)], CLIENTS, SERVER)
    return run


def test_a_probe_that_comes_out_twice_was_accepted_twice(replays):
    pcap = Pcap()
    for seq in (1, 2, 3):
        pcap.ip(seq, echo(INNER, SERVER, seq), GW1_MAC)
    assert replays(pcap) == 0
    pcap.ip(4, echo(INNER, SERVER, 2), GW1_MAC).ip(5, echo(INNER, SERVER, 2), GW1_MAC)
    assert replays(pcap) == 2


def test_it_does_not_matter_which_node_accepted_it(replays):
    first, second = Pcap().ip(1, echo(INNER, SERVER, 1)), Pcap().ip(2, echo(INNER, SERVER, 1))
    assert replays(first, second) == 1


def test_other_probes_are_no_replays(replays):
    pcap = Pcap().ip(1, echo(INNER, SERVER, 1)).ip(2, echo(INNER, SERVER, 1, ident=8))
    pcap.ip(3, echo("10.200.0.11", SERVER, 1))
    # Numbers wrap.
    pcap.ip(1000, echo(INNER, SERVER, 1))
    assert replays(pcap) == 0


def test_replies_and_strangers_show_nothing(replays):
    pcap = Pcap()
    for t in (1, 2):
        pcap.ip(t, echo(SERVER, INNER, 1, reply=True)).ip(t, echo(CLIENT, SERVER, 1))
        pcap.ip(t, echo(INNER, SERVER, 1, reply=True))
    assert replays(pcap) is None
