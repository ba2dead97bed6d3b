# SPDX-License-Identifier: GPL-2.0-or-later
"""What the forger of L2TP sends is well-formed, and has no id that the client assigned."""
import itertools

from node.hostile import forged_l2tp
from vpnlab.evidence.capture_decode import DLT_RAW, L2tp, decode_frame

TUNNEL, SESSION = 0x1234, 0x0567
SOURCE, TARGET = "192.0.2.51", "192.0.2.100"


def sent(count):
    for message in itertools.islice(forged_l2tp.messages(TUNNEL, SESSION), count):
        yield decode_frame(0.0, DLT_RAW, forged_l2tp.packet(SOURCE, TARGET, 1701, message))


def test_it_speaks_from_the_clients_address_to_its_tunnel():
    for frame in sent(200):
        assert (frame.ip.src, frame.ip.dst) == (SOURCE, TARGET)
        assert isinstance(frame.ip.upper, L2tp)
        assert frame.ip.upper.tunnel in (0, TUNNEL)


def test_it_ends_nothing_by_an_id_of_the_client():
    known = {None, 0, TUNNEL, SESSION, forged_l2tp.DIALLED}
    for frame in sent(200):
        avps, ids = frame.ip.upper.avps, set()
        for kind in (forged_l2tp.TUNNEL_ID, forged_l2tp.SESSION_ID):
            begin = avps.find(b"\x80\x08\0\0\0" + bytes([kind]))
            ids.add(int.from_bytes(avps[begin + 6:begin + 8], "big") if begin >= 0 else None)
        assert ids <= known
