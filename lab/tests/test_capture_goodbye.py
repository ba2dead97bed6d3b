# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import struct
from pathlib import Path

import pytest

from capture_packets import T0, VIP, Pcap, avp, l2tp_control, ppp
from vpnlab.evidence.capture_goodbye import Goodbye, goodbyes

CDN, STOP_CCN, HELLO = avp(0, 14), avp(0, 4), avp(0, 6)
LCP = 0xC021
# Tunnel ids: what the client reads, and what the gateway reads.
CLIENTS, GATEWAYS = 9, 5


def lcp(code: int, ident: int) -> bytes:
    return ppp(LCP, struct.pack("!BBH", code, ident, 4))


@pytest.fixture
def read(tmp_path: Path):
    def run(pcap: Pcap, start: float = 0, end: float = 10) -> tuple[Goodbye, Goodbye]:
        return goodbyes(pcap.write(tmp_path / "g.pcap"), VIP, (T0 + start, T0 + end))
    return run


def test_each_word_has_its_own_answer(read):
    pcap = Pcap().framed(1, lcp(5, 7)).framed(1.25, lcp(6, 7), from_client=False)
    pcap.control(2, l2tp_control(GATEWAYS, 4, 2, CDN))
    pcap.control(3, l2tp_control(GATEWAYS, 5, 2, STOP_CCN))
    pcap.control(3.5, l2tp_control(CLIENTS, 2, 6), from_client=False)
    client, gateway = read(pcap)
    assert client == Goodbye(["TermReq", "CDN", "StopCCN"], answered_ms=1500.0)
    assert gateway == Goodbye()


def test_what_is_sent_again_was_not_answered_in_time(read):
    pcap = Pcap()
    for t in (1, 2):
        pcap.control(t, l2tp_control(CLIENTS, 65535, 3, CDN), from_client=False)
    pcap.control(2.5, l2tp_control(GATEWAYS, 3, 65535))
    assert read(pcap)[1] == Goodbye(["CDN"], repeated=["CDN"], unanswered=["CDN"])
    pcap.control(3, l2tp_control(GATEWAYS, 3, 0))
    assert read(pcap)[1] == Goodbye(["CDN"], repeated=["CDN"], answered_ms=2000.0)


def test_another_answer_is_none(read):
    pcap = Pcap().framed(1, lcp(5, 7)).framed(2, lcp(6, 8), from_client=False)
    # The client's own Nr acknowledges nothing of the client's.
    pcap.control(3, l2tp_control(GATEWAYS, 4, 9, STOP_CCN))
    assert read(pcap)[0].unanswered == ["TermReq", "StopCCN"]


def test_neither_other_words_nor_other_times_count(read):
    pcap = Pcap().control(1, l2tp_control(GATEWAYS, 4, 2, HELLO))
    pcap.control(2, l2tp_control(GATEWAYS, 5, 2, CDN)).control(8, l2tp_control(GATEWAYS, 6, 2, CDN))
    pcap.control(9, l2tp_control(CLIENTS, 2, 7), from_client=False)
    assert read(pcap, 3, 7) == (Goodbye(), Goodbye())
    # An answer may come late.
    assert read(pcap, 1, 7)[0] == Goodbye(["CDN"], answered_ms=7000.0)


def test_behind_a_stopccn_ppp_speaks_to_nobody(read):
    pcap = Pcap().control(1, l2tp_control(GATEWAYS, 4, 2, STOP_CCN)).framed(2, lcp(5, 7))
    pcap.control(3, l2tp_control(CLIENTS, 2, 5), from_client=False)
    assert read(pcap)[0] == Goodbye(["StopCCN"], answered_ms=2000.0)
