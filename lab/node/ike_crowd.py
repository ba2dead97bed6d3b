# SPDX-License-Identifier: GPL-2.0-or-later
"""Has this node's charon initiate many CHILD SAs, or terminate many IKE SAs, a few at a time, by
its control socket.

usage: ike_crowd.py initiate|terminate NAME FIRST COUNT

`{}` in NAME is the number, from FIRST on. A name without it is initiated COUNT times: each becomes
an IKE SA of its own where charon does not reuse one (`reuse_ikesa = no`). Prints how many requests
succeeded, and how long that took.
"""
from __future__ import annotations

import socket
import struct
import sys
import threading
import time

SOCKET = "/run/charon.vici"
# charon's README of vici.
COMMAND, RESPONSE, KEY_VALUE = 0, 1, 3
# A gateway takes five half-open SAs of an address (`block_threshold`).
AT_ONCE = 4
TRIES = 3
# What the name in a request is of.
NAMED = {"initiate": "child", "terminate": "ike"}


def named(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def key_value(key: str, value: str) -> bytes:
    return bytes([KEY_VALUE]) + named(key) + struct.pack("!H", len(value)) + value.encode()


def request(command: str, **arguments: str) -> bytes:
    packet = bytes([COMMAND]) + named(command) + b"".join(
        key_value(key, value) for key, value in arguments.items())
    return struct.pack("!I", len(packet)) + packet


def succeeded(response: bytes) -> bool:
    return response[0] == RESPONSE and key_value("success", "yes") in response


def receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("charon has hung up")
        data += part
    return data


def ask(connection: socket.socket, packet: bytes) -> bytes:
    connection.sendall(packet)
    return receive(connection, struct.unpack("!I", receive(connection, 4))[0])


def act(command: str, name: str, numbers: range) -> int:
    """How many succeeded."""
    waiting = iter(numbers)
    done: list[int] = []

    def work() -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(SOCKET)
            for number in waiting:
                packet = request(command, **{NAMED[command]: name.format(number)})
                for _ in range(TRIES):
                    if succeeded(ask(connection, packet)):
                        done.append(number)
                        break

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)


def main() -> None:
    command, name, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    began = time.monotonic()
    done = act(command, name, range(first, first + count))
    print(f"{done} of {count} done, {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
