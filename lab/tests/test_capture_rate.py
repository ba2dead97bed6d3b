# SPDX-License-Identifier: GPL-2.0-or-later
"""How densely packets follow each other."""
from __future__ import annotations

import pytest
from capture_packets import CLIENT, GW1_MAC, T0, VIP, Pcap, avp, l2tp_control, udp
from vpnlab.evidence.capture_goodbye import CDN
from vpnlab.evidence.capture_rate import first_ends, most_within, packet_times

HELLO = 6


def control(port: int, message: int) -> bytes:
    return udp(VIP, CLIENT, 1701, port, l2tp_control(port, 1, 0, avp(0, message)))


def test_most_within_a_window_that_may_begin_anywhere():
    assert most_within([]) == 0
    assert most_within([1.0]) == 1
    assert most_within([3.0, 0.9, 1.1, 1.5, 1.8]) == 4
    assert most_within([0.0, 1.0, 2.0]) == 1
    assert most_within([0.0, 1.0, 2.0], 2.5) == 3


def test_the_end_of_a_session_counts_once(tmp_path):
    pcap = Pcap()
    for t, port, message in ((1, 20000, CDN), (1.5, 20002, HELLO), (2, 20000, CDN),
                             (3, 20001, CDN)):
        pcap.ip(t, control(port, message), GW1_MAC)
    path = pcap.write(tmp_path / "a.pcap")
    assert first_ends(path, VIP) == pytest.approx([T0 + 1, T0 + 3])
    assert not first_ends(path, CLIENT)
    assert len(packet_times(path)) == 4
