# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps connections to vpnhad's control socket, as users of a group who may only look.

usage: hold_control.py SOCKET GROUP USERS CONNECTIONS SECONDS

USERS: so many users without a name, each of whom tries to keep CONNECTIONS open and asks for a
status on each, again and again for SECONDS. Prints how many connections answered at once in the
end, and how many were refused, as JSON.
"""
from __future__ import annotations

import grp
import json
import os
import socket
import struct
import sys
import time

FIRST_UID = 60_000
REQUEST = json.dumps({"version": 1, "verb": "status"}).encode()
ANSWER_LIMIT_S = 10
PAUSE_S = 2.0


def answered(client: socket.socket) -> bool:
    """Whether vpnhad answers a request, and not by a refusal of the connection."""
    try:
        client.sendall(struct.pack("!I", len(REQUEST)) + REQUEST)
        head = client.recv(4, socket.MSG_WAITALL)
        text = client.recv(struct.unpack("!I", head)[0], socket.MSG_WAITALL)
        return bool(json.loads(text)["ok"])
    except (OSError, struct.error, ValueError):
        return False


def connect(path: str, uid: int) -> socket.socket | None:
    """The kernel names the user of a connection as it was at its connect()."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(ANSWER_LIMIT_S)
    os.seteuid(uid)
    try:
        client.connect(path)
        return client
    except OSError:
        client.close()
        return None
    finally:
        os.seteuid(0)


def main(path: str, group: str, users: int, connections: int, seconds: float) -> None:
    gid = grp.getgrnam(group).gr_gid
    os.setgroups([gid])
    os.setegid(gid)
    held: list[socket.socket] = []
    refused = 0
    for uid in range(FIRST_UID, FIRST_UID + users):
        for _ in range(connections):
            client = connect(path, uid)
            if client is not None and answered(client):
                held.append(client)
            else:
                refused += 1
    print(json.dumps({"held": len(held), "refused": refused}), flush=True)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        held = [client for client in held if answered(client)]
        time.sleep(PAUSE_S)
    print(json.dumps({"held": len(held), "refused": refused}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
