# SPDX-License-Identifier: GPL-2.0-or-later
"""What the forger sends is what the passive observer looks for."""
import struct

import pytest

from node.hostile import forger
from vpnlab.evidence.capture_decode import DLT_EN10MB, decode_frame
from vpnlab.evidence.capture_vip import _source

MAC = bytes.fromhex("020000000301")


@pytest.mark.parametrize("address", ["192.0.2.100", "10.200.3.10", "2001:db8:1::100"])
def test_every_frame_is_received_as_one_from_the_address(address):
    frames = [decode_frame(0.0, DLT_EN10MB, frame) for frame in forger.frames(MAC, address)]
    assert [_source(frame) for frame in frames] == [address, address]
    assert {frame.src_mac for frame in frames} == {"02:00:00:00:03:01"}


def test_an_advertisement_has_a_right_checksum():
    frame = forger.frames(MAC, "2001:db8:1::100")[0]
    body = frame[54:]
    pseudo = frame[22:54] + struct.pack("!II", len(body), forger.ICMPV6)
    assert forger.checksum(pseudo + body) == 0
