# SPDX-License-Identifier: GPL-2.0-or-later
"""What a hostile client sends is what the scenario expects to be dropped."""
import struct

import pytest

from node.hostile import dialled_in
from vpnlab.evidence.capture_decode import Tcp, decode_ip
from vpnlab.traffic.reached import Attempt


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_packet_has_what_the_attempt_names(protocol):
    content, target = dialled_in.packet(
        str(Attempt(protocol, "10.200.1.10", "198.51.100.100", 22)), 30_007)
    # The kernel fills in the length.
    ip = decode_ip(content[:2] + struct.pack("!H", len(content)) + content[4:])
    assert (ip.src, ip.dst, target) == ("10.200.1.10", "198.51.100.100", "198.51.100.100")
    sport, dport = (ip.upper.sport, ip.upper.dport) if isinstance(ip.upper, Tcp) else (
        ip.sport, ip.dport)
    assert (sport, dport) == (30_007, 22)


def test_a_syn_has_a_right_checksum():
    content, _ = dialled_in.packet("tcp,10.200.1.10,198.51.100.100,22", 30_000)
    body = content[20:]
    pseudo = content[12:20] + struct.pack("!HH", dialled_in.PROTOCOLS["tcp"], len(body))
    assert dialled_in.checksum(pseudo + body) == 0
