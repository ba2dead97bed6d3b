# SPDX-License-Identifier: GPL-2.0-or-later
"""How much a path carries by one TCP connection, in either direction.

usage: bulk.py serve PORT
       bulk.py ask ADDRESS PORT up|down SECONDS [MBIT_PER_SECOND]

ask prints octets and seconds, as JSON; counted is what has arrived. Without a rate the sender sends
as fast as the path takes it.
"""
from __future__ import annotations

import json
import socket
import sys
import time

CHUNK = 1 << 16
UP, DOWN = b"u", b"d"
# Of seconds and rate, behind DOWN.
ORDER_BYTES = 32
# The path's last queue is empty long before.
PATIENCE_S = 20.0


def send(stream: socket.socket, seconds: float, mbit: float) -> None:
    """At `mbit` a second; 0: as fast as the path takes it."""
    chunk = bytes(CHUNK)
    begun, octets = time.monotonic(), 0
    while time.monotonic() < begun + seconds:
        stream.sendall(chunk)
        octets += len(chunk)
        if mbit:
            time.sleep(max(begun + octets * 8 / (mbit * 1e6) - time.monotonic(), 0))


def count(stream: socket.socket) -> tuple[int, float]:
    """Until the other side has sent all: what came, and how long that took from the first."""
    octets, begun = 0, None
    while data := stream.recv(CHUNK):
        begun = begun or time.monotonic()
        octets += len(data)
    return octets, time.monotonic() - (begun or time.monotonic())


def serve(port: int) -> None:
    listener = socket.create_server(("", port))
    print(f"listening on {port}", flush=True)
    while True:
        stream, _ = listener.accept()
        with stream:
            stream.settimeout(PATIENCE_S)
            direction = stream.recv(1)
            if direction == UP:
                stream.sendall(json.dumps(count(stream)).encode())
            else:
                seconds, mbit = stream.recv(ORDER_BYTES).split()
                send(stream, float(seconds), float(mbit))


def ask(address: str, port: int, direction: str, seconds: float, mbit: float) -> None:
    with socket.create_connection((address, port), PATIENCE_S) as stream:
        if direction == "up":
            stream.sendall(UP)
            send(stream, seconds, mbit)
            stream.shutdown(socket.SHUT_WR)
            octets, took = json.loads(stream.recv(CHUNK))
        else:
            stream.sendall(DOWN)
            stream.sendall(f"{seconds:g} {mbit:g}".ljust(ORDER_BYTES).encode())
            octets, took = count(stream)
    print(json.dumps({"octets": octets, "seconds": round(took, 3)}))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        ask(sys.argv[2], int(sys.argv[3]), sys.argv[4], float(sys.argv[5]),
            float(sys.argv[6]) if len(sys.argv) > 6 else 0.0)
