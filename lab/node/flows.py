# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads and fills this node's connection tracking by netlink, many flows a call.

usage: flows.py list NET             flows whose client is in NET, as a JSON list
       flows.py digest NET           their number, and a hash of their tuples, as JSON
       flows.py expectations NET     what their helpers expect, as a JSON list
       flows.py add NET COUNT SERVER VIP [BATCH]
       flows.py remove NET COUNT SERVER VIP [BATCH]

Added flows are established TCP connections from NET to SERVER, translated to VIP: what a client's
flow through the gateway leaves in the table, without the client. 60 000 of an address go to one
port of the server, so that each keeps its port at the VIP. BATCH of them are in one call of the
kernel.
"""
from __future__ import annotations

import hashlib
import ipaddress
import json
import socket
import struct
import sys
from collections.abc import Iterator

NETLINK_NETFILTER = 12
CONNTRACK, EXPECTATIONS = 1 << 8, 2 << 8
NEW, GET, DELETE = 0, 1, 2
REQUEST, ACK, DUMP, EXCL, CREATE = 0x1, 0x4, 0x300, 0x200, 0x400
ERROR, DONE = 2, 3
NESTED = 0x8000
TUPLE_ORIG, TUPLE_REPLY, STATUS, PROTOINFO, HELP, NAT_SRC, TIMEOUT = 1, 2, 3, 4, 5, 6, 7
SEQ_ADJ_ORIG, SEQ_ADJ_REPLY = 15, 16
EXPECT_MASTER, EXPECT_TUPLE, EXPECT_TIMEOUT = 1, 2, 4
# Confirmed, seen reply, assured.
ESTABLISHED_STATUS = 0x8 | 0x2 | 0x4
ESTABLISHED = 3
LIFE_S = 3600
FIRST_SERVER_PORT = 9000
FIRST_PORT, PORTS = 1024, 60_000
BATCH = 256
BUFFER = 1 << 22


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("HH", len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def nest(kind: int, *attributes: bytes) -> bytes:
    return attribute(kind | NESTED, b"".join(attributes))


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("HH", data)
        if length < 4:
            return
        yield kind & 0x3FFF, data[4:length]
        data = data[(length + 3) & ~3:]


def tuple_of(kind: int, source: bytes, source_port: int, destination: bytes,
             destination_port: int) -> bytes:
    return nest(kind, nest(1, attribute(1, source), attribute(2, destination)),
                nest(2, attribute(1, b"\6"), attribute(2, struct.pack("!H", source_port)),
                     attribute(3, struct.pack("!H", destination_port))))


def message(kind: int, flags: int, sequence: int, body: bytes, table: int = CONNTRACK) -> bytes:
    return struct.pack("IHHII", 20 + len(body), table | kind, flags, sequence, 0) + \
        struct.pack("BBH", socket.AF_INET, 0, 0) + body


def made_up(net: str, count: int) -> Iterator[tuple[bytes, int, int]]:
    """Of each flow: its client's address and port, and the server's port."""
    first = int(ipaddress.ip_network(net)[1])
    for number in range(count):
        beyond, port = divmod(number, PORTS)
        yield (first + beyond).to_bytes(4, "big"), FIRST_PORT + port, FIRST_SERVER_PORT + beyond


def request(adding: bool, ends_of: tuple[bytes, int, int], server: bytes, vip: bytes,
            sequence: int, last: bool) -> bytes:
    client, port, server_port = ends_of
    original = tuple_of(TUPLE_ORIG, client, port, server, server_port)
    flags = REQUEST | (ACK if last else 0)
    if not adding:
        return message(DELETE, flags, sequence, original)
    # The kernel makes the translated tuple by itself.
    return message(NEW, flags | CREATE | EXCL, sequence, b"".join((
        original, tuple_of(TUPLE_REPLY, server, server_port, client, port),
        attribute(STATUS, struct.pack("!I", ESTABLISHED_STATUS)),
        attribute(TIMEOUT, struct.pack("!I", LIFE_S)),
        nest(NAT_SRC, attribute(1, vip), attribute(2, vip)),
        nest(PROTOINFO, nest(1, attribute(1, bytes([ESTABLISHED])), attribute(2, b"\0"),
                             attribute(3, b"\0"), attribute(4, b"\0\0"),
                             attribute(5, b"\0\0"))))))


def opened() -> socket.socket:
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    kernel.bind((0, 0))
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        kernel.setsockopt(socket.SOL_SOCKET, option + 25, BUFFER)  # SO_RCVBUFFORCE's distance
    return kernel


def change(adding: bool, net: str, count: int, server: str, vip: str, batch: int) -> int:
    """Returns how many the kernel refused."""
    kernel, refused, waiting = opened(), 0, []
    addresses = socket.inet_aton(server), socket.inet_aton(vip)
    for number, ends_of in enumerate(made_up(net, count), 1):
        last = number % batch == 0 or number == count
        waiting.append(request(adding, ends_of, *addresses, number, last))
        if last:
            kernel.send(b"".join(waiting))
            waiting.clear()
            refused += answers(kernel, number)
    return refused


def answers(kernel: socket.socket, until: int) -> int:
    """Reads up to the acknowledgement of the request `until`; the errors before it."""
    errors = 0
    while True:
        data = kernel.recv(1 << 16)
        while len(data) >= 20:
            length, kind, _, sequence, _ = struct.unpack_from("IHHII", data)
            if kind == ERROR:
                errors += struct.unpack_from("i", data, 16)[0] != 0
                if sequence == until:
                    return errors
            data = data[(length + 3) & ~3:]


def ends(data: bytes) -> tuple[int, str]:
    """Protocol and "SOURCE:PART>DESTINATION:PART" of a tuple."""
    parts: dict[tuple[int, int], bytes] = {}
    for outer, content in attributes(data):
        for kind, value in attributes(content):
            parts[outer, kind] = value
    source, destination = (socket.inet_ntoa(parts[1, kind]) for kind in (1, 2))
    numbers = [int.from_bytes(parts.get((2, kind), b""), "big") for kind in (2, 3)]
    return parts[2, 1][0], f"{source}:{numbers[0]}>{destination}:{numbers[1]}"


def flow(data: bytes) -> dict | None:
    """One entry of a listing; None for what is not IPv4."""
    found = dict(attributes(data[20:]))
    if data[16] != socket.AF_INET or TUPLE_REPLY not in found:
        return None
    protocol, original = ends(found[TUPLE_ORIG])
    entry = {"protocol": protocol, "original": original, "reply": ends(found[TUPLE_REPLY])[1],
             "status": int.from_bytes(found.get(STATUS, b""), "big"),
             "timeout_s": int.from_bytes(found.get(TIMEOUT, b""), "big")}
    if HELP in found:
        entry["helper"] = dict(attributes(found[HELP]))[1].rstrip(b"\0").decode()
    for name, kind in (("adjusted_original", SEQ_ADJ_ORIG), ("adjusted_reply", SEQ_ADJ_REPLY)):
        if kind in found:
            entry[name] = [int.from_bytes(value, "big") for _, value in attributes(found[kind])]
    return entry


def expectation(data: bytes) -> dict | None:
    """The same for a listing of expectations; `original` is the tuple of the connection that
    announced it."""
    if data[16] != socket.AF_INET:
        return None
    found = dict(attributes(data[20:]))
    protocol, expected = ends(found[EXPECT_TUPLE])
    return {"protocol": protocol, "original": ends(found[EXPECT_MASTER])[1], "expected": expected,
            "timeout_s": int.from_bytes(found[EXPECT_TIMEOUT], "big")}


def listed(net: str, table: int = CONNTRACK) -> Iterator[dict]:
    wanted = ipaddress.ip_network(net)
    first, last = int(wanted[0]), int(wanted[-1])
    read = flow if table == CONNTRACK else expectation
    kernel = opened()
    kernel.send(message(GET, REQUEST | DUMP, 1, b"", table))
    while True:
        data = kernel.recv(1 << 17)
        while len(data) >= 16:
            length, kind = struct.unpack_from("IH", data)
            if kind == DONE:
                return
            entry = read(data[:length]) if kind != ERROR else None
            if entry is not None:
                source = entry["original"].partition(":")[0]
                if first <= int.from_bytes(socket.inet_aton(source), "big") <= last:
                    yield entry
            data = data[(length + 3) & ~3:]


def digest(net: str) -> dict:
    names = sorted(f"{each['protocol']} {each['original']} {each['reply']}"
                   for each in listed(net))
    return {"flows": len(names),
            "digest": hashlib.sha256("\n".join(names).encode()).hexdigest()}


def main() -> None:
    command, net, *rest = sys.argv[1:]
    if command == "list":
        print(json.dumps(list(listed(net))))
    elif command == "expectations":
        print(json.dumps(list(listed(net, EXPECTATIONS))))
    elif command == "digest":
        print(json.dumps(digest(net)))
    else:
        count, server, vip, *batch = rest
        refused = change(command == "add", net, int(count), server, vip,
                         int(batch[0]) if batch else BATCH)
        print(json.dumps({"refused": refused}))


if __name__ == "__main__":
    main()
