# SPDX-License-Identifier: GPL-2.0-or-later
"""Announces many sessions to vpnhad, each as the plugin of a pppd would, and holds them.

usage: session_crowd.py SOCKET GATEWAY PEER FIRST COUNT ADDRESS OUR_ADDRESS

Session i has the tunnel and session id FIRST + i at both ends, the UDP port FIRST + i of PEER, and
the i-th address from ADDRESS on. No pppd stands behind them, so a gateway can have more of them
than a node could run processes. docs/plugin-protocol.md describes the messages.
"""
from __future__ import annotations

import ipaddress
import os
import resource
import signal
import socket
import struct
import sys
import time

VERSION, SESSION_UP = 2, 1
# Receive unit 1400, no magic number, the map of a synchronous link, no compression of fields.
LINK_OPTIONS = struct.pack("!HIIB", 1400, 0, 0, 0)

# Nearly as long as a name may be: fewer sessions make as much to tell.
USER_BYTES = 250


def field(number: int, value: bytes) -> bytes:
    return struct.pack("!HH", number, len(value)) + value


def session_up(gateway: str, peer: str, number: int, address: str, our_address: str) -> bytes:
    ids = socket.inet_aton(peer) + struct.pack("!5H", *[number] * 5)
    values = [gateway.encode(), struct.pack("!I", os.getpid()), b"l2tp", ids, LINK_OPTIONS,
              LINK_OPTIONS, socket.inet_aton(our_address) + socket.inet_aton(address),
              # No echoes: nobody would answer them.
              struct.pack("!HH", 0, 0), struct.pack("!Q", int(time.time() * 1000)),
              f"user{number}".ljust(USER_BYTES, "x").encode(), f"made{number}".encode(),
              struct.pack("!I", 0)]
    return (struct.pack("!HBB", VERSION, SESSION_UP, 0)
            + b"".join(field(kind, value) for kind, value in enumerate(values, 1)))


def main() -> None:
    path, gateway, peer, first, count, address, our_address = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(count) + 64, int(count) + 64))
    connections = []
    for index in range(int(count)):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(path)
        connection.send(session_up(gateway, peer, int(first) + index,
                                   str(ipaddress.ip_address(address) + index), our_address))
        connections.append(connection)
    print(f"announced {len(connections)}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
