# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of the example program session-table (libvpnha/examples).

usage: table_client.py ask ADDRESS PORT WORD…            one datagram, its answer on stdout
       table_client.py put ADDRESS PORT PREFIX WIDTH OUT new keys, WIDTH at a time, until SIGTERM
       table_client.py check ADDRESS PORT OUT…           are all of OUT's keys there, and right?

OUT is JSON: keys that were answered, in that order, and how many were asked for.
"""
from __future__ import annotations

import json
import select
import signal
import socket
import sys
import time
from pathlib import Path

ANSWER_LIMIT_S = 1.0
CHECKS = 5
# Leaves time to a node of the lab, whose Corosync has the same core as its server.
PAUSE_S = 0.05


def connect(address: str, port: str) -> socket.socket:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect((address, int(port)))
    return client


def ask(client: socket.socket, text: str) -> str:
    """Empty: no answer. Nobody listens, or what was put is not confirmed."""
    try:
        client.send(text.encode())
        if select.select([client], [], [], ANSWER_LIMIT_S)[0]:
            return client.recv(16384).decode()
    except ConnectionRefusedError:
        pass
    return ""


def value_of(key: str) -> str:
    return f"value of {key}"


def put(address: str, port: str, prefix: str, width: str, path: str) -> None:
    """Each key has a socket of its own, so that an answer shows which one it is for."""
    stopped: list[bool] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    waiting: dict[socket.socket, str] = {}
    answered: list[str] = []
    asked = 0
    print("started", flush=True)
    while not stopped:
        while len(waiting) < int(width):
            key = f"{prefix}-{asked}"
            client = connect(address, port)
            client.send(f"put {key} {value_of(key)}".encode())
            waiting[client] = key
            asked += 1
        time.sleep(PAUSE_S)
        for client in select.select(list(waiting), [], [], 0.05)[0]:
            try:
                if client.recv(64) == b"ok":
                    answered.append(waiting[client])
            except ConnectionRefusedError:
                time.sleep(0.01)
            del waiting[client]
            client.close()
    Path(path).write_text(json.dumps({"asked": asked, "answered": answered}), encoding="ascii")


def check(address: str, port: str, *paths: str) -> None:
    keys = [key for path in paths
            for key in json.loads(Path(path).read_text(encoding="ascii"))["answered"]]
    wrong = keys
    for _ in range(CHECKS):
        # While a ring forms nobody has the quorum, and nothing is answered, or late: another socket
        # keeps that from being taken for the answer to what was asked next.
        client = connect(address, port)
        missed = []
        for key in wrong:
            answer = ask(client, f"get {key}")
            if answer != f"= {value_of(key)}":
                missed.append(key)
            if not answer:
                client.close()
                client = connect(address, port)
        wrong = missed
        if not wrong:
            break
        time.sleep(ANSWER_LIMIT_S)
    print(json.dumps({"checked": len(keys), "wrong": wrong}))


def main() -> None:
    verb, address, port, *rest = sys.argv[1:]
    if verb == "put":
        put(address, port, *rest)
    elif verb == "check":
        check(address, port, *rest)
    else:
        print(ask(connect(address, port), " ".join(rest)))


if __name__ == "__main__":
    main()
