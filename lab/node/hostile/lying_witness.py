# SPDX-License-Identifier: GPL-2.0-or-later
"""A witness that lies to both nodes, with the key of the one whose place it has taken.

    lying_witness.py KEY_HEX PORT

It agrees to whatever a node asks. After each answer to a round it sends what no node may take from
a witness: it releases the holder's epoch, asks for marks, hands over in the holder's name, names
lists of voters without the other node, and epochs that are 2^19 higher. Formats:
libvpnha/src/cluster/lease/datagram.hpp."""
from __future__ import annotations

import hashlib
import hmac
import os
import socket
import struct
import sys

MAGIC, VERSION, WITNESS = b"VPNL", 1, 0xFFFF0001
HEADER = struct.Struct(">4sBBI16sQQB")
TAG_BYTES = 32
(HELLO, ROUND, ANSWER, REFUSAL, RELEASE, MARK_REQUEST, MARK_ANSWER, RECALL, MEMORY, QUESTION,
 OPINION) = range(1, 12)
# A round id begins with the epoch.
EPOCH_BYTES, ROUND_ID_BYTES = 12, 28
MARKED, SUPERSEDED = 2, 5
COUNTER_MAX = 1 << 52
NO_EPOCH = bytes(EPOCH_BYTES)
NO_MARKS = b"\0"
JUMP = 1 << 19


def epoch(number: int, node: int) -> bytes:
    return struct.pack(">QI", number, node)


def voters(*nodes: int, number: int = 0) -> bytes:
    """A list that is newer than that of any node."""
    return epoch(number, WITNESS) + struct.pack(f">IB{len(nodes)}I", 1, len(nodes), *nodes)


class Liar:
    def __init__(self, key: bytes, port: int) -> None:
        self._key = key
        self._socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self._socket.bind(("::", port))
        self._boot = os.urandom(16)
        self._instance = int.from_bytes(os.urandom(6), "big")
        self._sequence = 0
        # By the ids of the nodes: where its newest datagram came from, and its boot id.
        self._nodes: dict[int, tuple[tuple, bytes]] = {}
        self._lies = 0

    def serve(self) -> None:
        while True:
            data, source = self._socket.recvfrom(2048)
            body, tag = data[:-TAG_BYTES], data[-TAG_BYTES:]
            if len(body) < HEADER.size or not hmac.compare_digest(self._tag(body), tag):
                continue
            magic, version, gateway, node, boot, instance, _, kind = HEADER.unpack_from(body)
            if (magic, version) == (MAGIC, VERSION) and node != WITNESS:
                self._nodes[node] = source, boot
                self._take(gateway, node, instance, kind, body[HEADER.size:])

    def _tag(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, hashlib.sha512).digest()[:TAG_BYTES]

    def _send(self, gateway: int, node: int, kind: int, body: bytes) -> None:
        self._sequence += 1
        data = HEADER.pack(MAGIC, VERSION, gateway, WITNESS, self._boot, self._instance,
                           self._sequence, kind) + body
        self._socket.sendto(data + self._tag(data), self._nodes[node][0])

    def _take(self, gateway: int, node: int, instance: int, kind: int, body: bytes) -> None:
        if kind == HELLO:
            self._greet(gateway, node, instance, body)
        elif kind == ROUND:
            self._send(gateway, node, ANSWER, body[:ROUND_ID_BYTES] + b"\0" + NO_EPOCH + b"\0"
                       + NO_MARKS)
            self._lie(gateway, node, body[:ROUND_ID_BYTES])
        elif kind == QUESTION:
            self._send(gateway, node, OPINION, body[:ROUND_ID_BYTES] + b"\0" + NO_EPOCH
                       + body[ROUND_ID_BYTES:ROUND_ID_BYTES + self._list_bytes(body)] + NO_MARKS)
        elif kind == RECALL:
            self._send(gateway, node, MEMORY, struct.pack(">Q", instance) + NO_EPOCH + b"\0"
                       + voters(WITNESS, number=JUMP) + NO_MARKS)

    def _list_bytes(self, body: bytes) -> int:
        """Of the flags and the first list of a question; the flags are all zero then."""
        count = body[ROUND_ID_BYTES + 1 + EPOCH_BYTES + 4]
        return 1 + EPOCH_BYTES + 5 + 4 * count

    def _greet(self, gateway: int, node: int, instance: int, body: bytes) -> None:
        if body[0] & 1:
            challenge = body[1:9]
            self._send(gateway, node, HELLO, b"\2" + struct.pack(">Q", instance) + challenge)
        else:
            self._send(gateway, node, HELLO, b"\0")

    def _lie(self, gateway: int, holder: int, round_id: bytes) -> None:
        held, number = round_id[:EPOCH_BYTES], int.from_bytes(round_id[:8], "big")
        high = epoch(min(number + JUMP, COUNTER_MAX), WITNESS)
        for node, (_, boot) in list(self._nodes.items()):
            lies = [(RELEASE, held + b"\1"), (MARK_REQUEST, struct.pack(">I", node) + boot),
                    (REFUSAL, round_id + bytes([MARKED]) + held + b"\0"
                     + voters(node, WITNESS, number=number + JUMP) + NO_MARKS),
                    (REFUSAL, round_id + bytes([SUPERSEDED]) + high + b"\0"
                     + voters(node, WITNESS, number=number + JUMP) + NO_MARKS),
                    (OPINION, round_id + b"\0" + high + b"\0"
                     + voters(node, WITNESS, number=number + JUMP) + NO_MARKS),
                    (ANSWER, round_id + b"\0" + NO_EPOCH + b"\1" + held + bytes(8) + NO_EPOCH
                     + bytes(16) + NO_MARKS),
                    (MARK_ANSWER, struct.pack(">I", holder) + boot + b"\1"
                     + voters(node, WITNESS, number=number + JUMP) + NO_MARKS)]
            kind, body = lies[self._lies % len(lies)]
            self._send(gateway, node, kind, body)
        self._lies += 1


if __name__ == "__main__":
    print("event=started", flush=True)
    Liar(bytes.fromhex(sys.argv[1]), int(sys.argv[2])).serve()
