# SPDX-License-Identifier: GPL-2.0-or-later
"""Announces many sessions to vpnhad, each as the plugin of a pppd would, and holds them.

usage: session_crowd.py SOCKET GATEWAY PEER FIRST COUNT ADDRESS OUR_ADDRESS [--ask RATE]
                        [--echo SECONDS] [--name OCTETS] [--sequenced]

Session i has the tunnel and session id FIRST + i at both ends, the UDP port FIRST + i of PEER, and
the i-th address from ADDRESS on. No pppd stands behind them, so a gateway can have more of them
than a node could run processes. docs/reference/plugin-protocol.md describes the messages.

--ask: RATE of them come each second, and each asks for its address first; ADDRESS is of no
consequence. How long the answers took is printed as JSON. --echo: the interval of LCP echoes, by
whoever continues with them. --name: the length of their names. --sequenced: they require sequence
numbers of their data, so they end with their node.
"""
from __future__ import annotations

import argparse
import ipaddress
import json
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import time

VERSION, SESSION_UP, ASKS, GIVEN = 2, 1, 4, 131
GATEWAY, PID, USER, ADDRESS = 1, 2, 10, 14
# Receive unit 1400, no magic number, the map of a synchronous link, no compression of fields.
LINK_OPTIONS = struct.pack("!HIIB", 1400, 0, 0, 0)
MTU = 1400
# Bit of what makes a session not resumable.
SEQUENCED = 1 << 4
# Unanswered ones that end a session.
ECHO_FAILURES = 6
# Nearly as long as a name may be: fewer sessions make as much to send.
NAME_OCTETS = 250
ANSWER_OCTETS = 2048


def field(number: int, value: bytes) -> bytes:
    return struct.pack("!HH", number, len(value)) + value


def message(kind: int, fields: list[tuple[int, bytes]]) -> bytes:
    return (struct.pack("!HBB", VERSION, kind, 0)
            + b"".join(field(number, value) for number, value in fields))


def user(number: int, octets: int) -> bytes:
    return f"user{number}".ljust(octets, "x").encode()


def session_up(gateway: str, peer: str, number: int, address: str, our_address: str,
               echo_s: int = 0, name_octets: int = NAME_OCTETS,
               not_resumable: int = 0) -> bytes:
    ids = socket.inet_aton(peer) + struct.pack("!5H", *[number] * 5)
    values = [gateway.encode(), struct.pack("!I", os.getpid()), b"l2tp", ids, LINK_OPTIONS,
              LINK_OPTIONS, socket.inet_aton(our_address) + socket.inet_aton(address),
              struct.pack("!HHB", echo_s, ECHO_FAILURES if echo_s else 0, 0),
              struct.pack("!Q", int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)),
              user(number, name_octets),
              struct.pack("!H", MTU) + f"made{number}".encode(),
              struct.pack("!I", not_resumable)]
    return message(SESSION_UP, list(enumerate(values, 1)))


def asks(gateway: str, number: int, name_octets: int = NAME_OCTETS) -> bytes:
    return message(ASKS, [(GATEWAY, gateway.encode()), (PID, struct.pack("!I", os.getpid())),
                          (USER, user(number, name_octets))])


def given_address(answer: bytes) -> str | None:
    """None: it is none that gives an address."""
    number, length = struct.unpack_from("!HH", answer, 4) if len(answer) >= 12 else (0, 0)
    if answer[2] != GIVEN or number != ADDRESS or length != 4:
        return None
    return str(ipaddress.ip_address(answer[8:12]))


def percentile(values: list[float], percent: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


class Crowd:
    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._connections: list[socket.socket] = []

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(self._options.socket)
        self._connections.append(connection)
        return connection

    def _announce(self, connection: socket.socket, index: int, address: str) -> None:
        options = self._options
        connection.send(session_up(options.gateway, options.peer, options.first + index, address,
                                   options.our_address, options.echo, options.name,
                                   SEQUENCED if options.sequenced else 0))

    def announce(self) -> None:
        """All, as fast as vpnhad takes them."""
        first = ipaddress.ip_address(self._options.address)
        for index in range(self._options.count):
            self._announce(self._connect(), index, str(first + index))

    def ask(self) -> list[float]:
        """At the rate; how many milliseconds each waited for its address."""
        options = self._options
        begun, asked, waited_ms = time.monotonic(), 0, []
        with selectors.DefaultSelector() as waiting:
            while len(waited_ms) < options.count:
                due = begun + asked / options.ask
                if asked < options.count and time.monotonic() >= due:
                    connection = self._connect()
                    connection.send(asks(options.gateway, options.first + asked, options.name))
                    waiting.register(connection, selectors.EVENT_READ,
                                     (asked, time.monotonic()))
                    asked += 1
                    continue
                patience = None if asked == options.count else max(0, due - time.monotonic())
                for key, _ in waiting.select(patience):
                    index, since = key.data
                    address = given_address(key.fileobj.recv(ANSWER_OCTETS))
                    waited_ms.append(1000 * (time.monotonic() - since))
                    if address is None:
                        raise SystemExit(f"session {index} is given no address")
                    waiting.unregister(key.fileobj)
                    self._announce(key.fileobj, index, address)
        return waited_ms


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("socket", "gateway", "peer"):
        parser.add_argument(name)
    for name in ("first", "count"):
        parser.add_argument(name, type=int)
    for name in ("address", "our_address"):
        parser.add_argument(name)
    parser.add_argument("--ask", type=float, default=0)
    parser.add_argument("--echo", type=int, default=0)
    parser.add_argument("--name", type=int, default=NAME_OCTETS)
    parser.add_argument("--sequenced", action="store_true")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (options.count + 64, options.count + 64))
    crowd = Crowd(options)
    if options.ask:
        waited_ms = crowd.ask()
        print(json.dumps({f"p{percent}_ms": round(percentile(waited_ms, percent), 2)
                          for percent in (50, 99, 100)}), flush=True)
    else:
        crowd.announce()
    print(f"announced {options.count}", flush=True)
    signal.pause()


if __name__ == "__main__":
    sys.exit(main())
