# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends PPP frames to a gateway within a client's session of L2TP, as one of its packets each.

usage: ppp_frames.py TARGET PORT TUNNEL SESSION FRAME...

PORT: from which the client speaks. TUNNEL, SESSION: the ids that the gateway assigned. FRAME: in
hexadecimal digits, from the protocol on. The answers go to the client's own daemons: the socket of
its tunnel is connected, this one is not.
"""
from __future__ import annotations

import socket
import struct
import sys

L2TP_PORT = 1701
# A data packet of version 2 without optional fields; address and control field of HDLC.
HEADER = struct.Struct("!HHH")
DATA, HDLC = 0x0002, b"\xff\x03"


def packet(tunnel: int, session: int, frame: bytes) -> bytes:
    return HEADER.pack(DATA, tunnel, session) + HDLC + frame


def main() -> None:
    target, port, tunnel, session, *frames = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        # Beside xl2tpd's.
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sender.bind(("", int(port)))
        for frame in frames:
            sender.sendto(packet(int(tunnel), int(session), bytes.fromhex(frame)),
                          (target, L2TP_PORT))


if __name__ == "__main__":
    main()
