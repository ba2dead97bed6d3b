# SPDX-License-Identifier: GPL-2.0-or-later
"""What the forger of PPTP sends is whole, and has no number that it could know."""
import socket
import struct

from node.hostile import forged_pptp

SOURCE, TARGET = socket.inet_aton("192.0.2.51"), socket.inet_aton("192.0.2.100")
PORT, CALL = 40123, 0x0188


def sent():
    return [packet for _ in range(100)
            for packet in forged_pptp.packets(SOURCE, TARGET, PORT, CALL)]


def test_it_speaks_from_the_clients_address():
    for packet in sent():
        assert packet[12:20] == SOURCE + TARGET
        assert struct.unpack("!H", packet[2:4])[0] == len(packet)


def test_gre_is_of_the_call_and_far_ahead():
    bodies = [packet[20:] for packet in sent() if packet[9] == forged_pptp.GRE]
    assert bodies
    for body in bodies:
        assert struct.unpack("!HH", body[2:4] + body[6:8]) == (0x880B, CALL)
        assert 1 << 24 <= struct.unpack("!I", body[8:12])[0] < 1 << 31


def test_segments_are_of_the_connection_and_their_sums_are_right():
    bodies = [packet[20:] for packet in sent() if packet[9] == forged_pptp.TCP]
    assert {body[13] for body in bodies} == {4, 20, 17, 2, 24}
    for body in bodies:
        assert struct.unpack("!HH", body[:4]) == (PORT, 1723)
        pseudo = SOURCE + TARGET + struct.pack("!HH", forged_pptp.TCP, len(body))
        assert forged_pptp.checksum(pseudo + body) == 0
    assert len({body[4:8] for body in bodies}) > len(bodies) // 2
