# SPDX-License-Identifier: GPL-2.0-or-later
"""One TCP stream that its server drives: the client only acknowledges.

usage: pushed.py serve PORT INTERVAL_S RESULT
       pushed.py take ADDRESS PORT SOURCE_PORT RESULT

The server sends numbered records to the first client that comes, until SIGTERM, and then ends the
stream; the client checks them, until that end or SIGTERM. RESULT, as JSON. Server: peer, bytes,
resets, errors. Client: bytes, intact (numbered without a gap up to the server's end), errors, and
gap_ms: the longest time in which nothing came.
"""
from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sys
import time

RECORD = 64
CONNECT_LIMIT_S = 10.0


def record(number: int) -> bytes:
    return f"{number:012d} ".encode() + bytes([97 + number % 26]) * (RECORD - 14) + b"\n"


class Stopped(Exception):
    pass


def stop(*_: object) -> None:
    raise Stopped


def write(path: str, result: dict) -> None:
    with open(path + ".new", "w", encoding="ascii") as file:
        json.dump(result, file)
    os.rename(path + ".new", path)


def code(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, str(error))


def serve(port: str, interval: str, path: str) -> None:
    listener = socket.create_server(("", int(port)))
    print(f"listening on {port}", flush=True)
    connection, peer = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sent, errors = 0, []
    try:
        due = time.monotonic()
        while True:
            connection.sendall(record(sent // RECORD))
            sent += RECORD
            due = max(due + float(interval), time.monotonic() - float(interval))
            time.sleep(max(0.0, due - time.monotonic()))
    except Stopped:
        # A signal in the middle of sendall() may leave part of a record: the end shows how much.
        connection.close()
    except OSError as error:
        errors.append(code(error))
    write(path, {"peer": f"{peer[0]}:{peer[1]}", "bytes": sent, "errors": errors,
                 "resets": sum(each in ("ECONNRESET", "EPIPE") for each in errors)})


def take(address: str, port: str, source_port: str, path: str) -> None:
    received, altered, ended, errors = bytearray(), False, False, []
    count, came, gap = 0, time.monotonic(), 0.0
    try:
        connection = socket.create_connection((address, int(port)), timeout=CONNECT_LIMIT_S,
                                              source_address=("", int(source_port)))
        connection.settimeout(None)
        print("connected", flush=True)
        while data := connection.recv(1 << 12):
            now = time.monotonic()
            gap, came = max(gap, now - came), now
            received += data
            while len(received) >= RECORD:
                altered = altered or bytes(received[:RECORD]) != record(count)
                count += 1
                del received[:RECORD]
        ended = True
    except Stopped:
        gap = max(gap, time.monotonic() - came)
    except OSError as error:
        errors.append(code(error))
    write(path, {"bytes": count * RECORD + len(received), "errors": errors,
                 "intact": ended and not altered and not received and count > 0,
                 "gap_ms": round(gap * 1000.0, 1)})


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    {"serve": serve, "take": take}[sys.argv[1]](*sys.argv[2:])
