# SPDX-License-Identifier: GPL-2.0-or-later
"""The peers of the sessions that session_crowd.py announces: acknowledge what a gateway says.

usage: l2tp_peers.py FIRST COUNT

Listens on COUNT UDP ports from FIRST on; the peer of port N has the tunnel id N, as the gateway
has. Every control message with content is answered by an acknowledgement (RFC 2661 5.8).
"""
from __future__ import annotations

import resource
import selectors
import socket
import struct
import sys

HEADER = struct.Struct("!HHHHHH")
# Control message with length and sequence fields, version 2.
CONTROL = 0xC802
CONTROL_BIT = 0x8000


def acknowledgement(datagram: bytes) -> bytes | None:
    """The answer to a datagram; None to data and to acknowledgements."""
    if len(datagram) <= HEADER.size:
        return None
    flags, _, tunnel, _, ns, nr = HEADER.unpack_from(datagram)
    if not flags & CONTROL_BIT:
        return None
    return HEADER.pack(CONTROL, HEADER.size, tunnel, 0, nr, (ns + 1) & 0xFFFF)


def main() -> None:
    first, count = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 64, count + 64))
    selector = selectors.DefaultSelector()
    for port in range(first, first + count):
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.bind(("", port))
        selector.register(peer, selectors.EVENT_READ)
    print(f"listening on {count} ports", flush=True)
    while True:
        for key, _ in selector.select():
            datagram, sender = key.fileobj.recvfrom(2048)
            answer = acknowledgement(datagram)
            if answer is not None:
                key.fileobj.sendto(answer, sender)


if __name__ == "__main__":
    main()
