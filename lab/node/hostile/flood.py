# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends what wants to begin a session, or makes no sense, to a gateway's address, for a while.

usage: flood.py KIND TARGET SOURCES PER_SECOND SECONDS

KIND: sccrq (L2TP), data (L2TP, of tunnel 0), data-length (the same, with its length), unknown (a
HELLO of a tunnel that nobody has), syn (PPTP), gre (data of a call that nobody has), ike
(IKE_SA_INIT with a payload of random bytes), ike-sa (a right IKE_SA_INIT, at both ports), esp (of
an SA that nobody has, also in UDP), wireguard (handshakes with a right MAC), junk (random bytes to
the ports of IKE and L2TP), radius (Disconnect-Requests), lease, corosync (random bytes to their
ports). Malformed: sccrq-bad (lengths of AVPs), tcp-bad (segments of no connection of PPTP), gre-bad
(flags, versions and lengths), wireguard-bad, fragment (first fragments alone).
SOURCES: a net, in turn of whose addresses a packet comes; of one address: its own. Prints how many
packets were sent in how many seconds, as JSON.
"""
from __future__ import annotations

import base64
import hashlib
import ipaddress
import itertools
import json
import random
import socket
import struct
import sys
import time
from collections.abc import Callable

UDP, TCP, GRE = socket.IPPROTO_UDP, socket.IPPROTO_TCP, socket.IPPROTO_GRE
ESP = socket.IPPROTO_ESP
L2TP_PORT, PPTP_PORT, IKE_PORT, NAT_T_PORT = 1701, 1723, 500, 4500
RADIUS_PORT, LEASE_PORT, COROSYNC_PORT = 3799, 5420, 5405
WIREGUARD_PORT = 51820
# The gateways' (vpnlab/product/wireguard/stock.py).
WIREGUARD_KEY = base64.b64decode("4Qp8yVUKFtRZae5RpQSgJg7c+mZGir4JipZTdwd4RV8=")
# So many packets are sent without a look at the clock.
BURST = 50
TTL = 64
MORE_FRAGMENTS = 0x2000


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data + b"\0" * (len(data) % 2)))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def packet(protocol: int, source: bytes, target: bytes, body: bytes, fragment: int = 0) -> bytes:
    # The kernel fills in identification, length and checksum of the header.
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, fragment, TTL, protocol, 0, source,
                       target) + body


def udp(port: int, payload: bytes) -> tuple[int, bytes]:
    # Without a checksum.
    return UDP, struct.pack("!HHHH", random.randrange(1024, 65536), port, 8 + len(payload),
                            0) + payload


def avp(kind: int, value: bytes) -> bytes:
    return struct.pack("!HHH", 0x8000 | (6 + len(value)), 0, kind) + value


def sccrq(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    """RFC 2661 4.4.3 and 6.1."""
    body = (avp(0, struct.pack("!H", 1)) + avp(2, b"\1\0") + avp(7, b"flood") +
            avp(3, struct.pack("!I", 3)) + avp(9, struct.pack("!H", random.randrange(1, 65536))) +
            avp(10, struct.pack("!H", 4)))
    return udp(L2TP_PORT, struct.pack("!HHHHHH", 0xC802, 12 + len(body), 0, 0, 0, 0) + body)


def data(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    """RFC 2661 3.1: no control message, without the optional fields."""
    return udp(L2TP_PORT, struct.pack("!HHH", 0x0002, 0, 0) + random.randbytes(12))


def data_length(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    return udp(L2TP_PORT, struct.pack("!HHHH", 0x4002, 20, 0, 0) + random.randbytes(12))


def unknown(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    hello = avp(0, struct.pack("!H", 6))
    return udp(L2TP_PORT, struct.pack("!HHHHHH", 0xC802, 12 + len(hello),
                                      random.randrange(1, 65536), 0, 1, 1) + hello)


def syn(source: bytes, target: bytes) -> tuple[int, bytes]:
    fields = (random.randrange(1024, 65536), PPTP_PORT, random.getrandbits(32), 0, 5 << 4, 2, 65535)
    head = struct.pack("!HHIIBBHHH", *fields, 0, 0)
    pseudo = source + target + struct.pack("!HH", TCP, len(head))
    return TCP, struct.pack("!HHIIBBHHH", *fields, checksum(pseudo + head), 0)


def gre(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    """RFC 2637 4.1: with a sequence number."""
    payload = random.randbytes(60)
    return GRE, struct.pack("!BBHHHI", 0x30, 0x01, 0x880B, len(payload),
                            random.randrange(1, 65536), random.getrandbits(32)) + payload


def ike(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    """IKE_SA_INIT (RFC 7296 3.1) with a payload of random bytes."""
    body = struct.pack("!BBH", 0, 0, 204) + random.randbytes(200)
    return udp(IKE_PORT, random.randbytes(8) + bytes(8) +
               struct.pack("!BBBBII", 33, 0x20, 34, 0x08, 0, 28 + len(body)) + body)


def ike_sa(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    """IKE_SA_INIT with an SA that charon takes (aes256-sha256-modp2048), a key and a nonce
    (RFC 7296 3.3, 3.4, 3.9); at port 4500 behind the non-ESP marker (RFC 3948 2.2)."""
    transforms = ((1, 12, b"\x80\x0e\x01\x00"), (2, 5, b""), (3, 12, b""), (4, 14, b""))
    last = len(transforms) - 1
    chosen = b"".join(struct.pack("!BBHBBH", 0 if index == last else 3, 0, 8 + len(attribute), kind,
                                  0, number) + attribute
                      for index, (kind, number, attribute) in enumerate(transforms))
    proposal = struct.pack("!BBHBBBB", 0, 0, 8 + len(chosen), 1, 1, 0, len(transforms)) + chosen
    key = struct.pack("!HH", 14, 0) + random.randbytes(256)
    body = b"".join(struct.pack("!BBH", following, 0, 4 + len(content)) + content
                    for following, content in ((34, proposal), (40, key),
                                               (0, random.randbytes(32))))
    message = random.randbytes(8) + bytes(8) + struct.pack("!BBBBII", 33, 0x20, 34, 0x08, 0,
                                                           28 + len(body)) + body
    if random.random() < 0.5:
        return udp(IKE_PORT, message)
    return udp(NAT_T_PORT, bytes(4) + message)


def esp(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    """RFC 4303 2: an SPI above the reserved ones, a number, and as much as a small packet has."""
    body = struct.pack("!II", random.randrange(256, 1 << 32), 1) + random.randbytes(80)
    return (ESP, body) if random.random() < 0.5 else udp(NAT_T_PORT, body)


def wireguard(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    """The first message of a handshake from nobody, with a right mac1, for which the public key of
    the gateway suffices: it reaches the work on elliptic curves."""
    message = b"\1\0\0\0" + random.randbytes(112)
    key = hashlib.blake2s(b"mac1----" + WIREGUARD_KEY).digest()
    mac = hashlib.blake2s(message, key=key, digest_size=16).digest()
    return udp(WIREGUARD_PORT, message + mac + bytes(16))


def wireguard_bad(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    """Each type of a message, and none, of any length."""
    return udp(WIREGUARD_PORT, struct.pack("<I", random.randrange(6)) +
               random.randbytes(random.randrange(200)))


def sccrq_bad(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    """An SCCRQ with an AVP that ends before it begins, or beyond the message; or with a length of
    the message that is not its own."""
    length = random.choice((0, 1, 5, 7, 64, 1023))
    body = avp(0, struct.pack("!H", 1)) + struct.pack("!HHH", 0x8000 | length, 0,
                                                      random.randrange(40)) + random.randbytes(10)
    whole = 12 + len(body) + random.choice((0, -8, 8, 1000))
    return udp(L2TP_PORT, struct.pack("!HHHHHH", 0xC802, whole, 0, 0, 0, 0) + body)


def tcp_bad(source: bytes, target: bytes) -> tuple[int, bytes]:
    """A segment of a connection that nobody has, with any flags but SYN alone, and any offset."""
    flags = random.choice((0x00, 0x01, 0x04, 0x10, 0x12, 0x18, 0x29, 0x3F))
    fields = (random.randrange(1024, 65536), PPTP_PORT, random.getrandbits(32),
              random.getrandbits(32), random.randrange(16) << 4, flags, 65535)
    rest = random.randbytes(random.randrange(0, 40, 2))
    head = struct.pack("!HHIIBBHHH", *fields, 0, 0)
    pseudo = source + target + struct.pack("!HH", TCP, len(head) + len(rest))
    return TCP, struct.pack("!HHIIBBHHH", *fields, checksum(pseudo + head + rest), 0) + rest


def gre_bad(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    """Any flags and version, and a length of the payload that is not its own."""
    return GRE, struct.pack("!HHHH", random.getrandbits(16), random.choice((0x880B, 0x0800, 0)),
                            random.getrandbits(16),
                            random.randrange(1, 65536)) + random.randbytes(random.randrange(60))


def junk(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    return udp(random.choice((L2TP_PORT, IKE_PORT, NAT_T_PORT)),
               random.randbytes(random.randrange(1, 200)))


def radius(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    """RFC 5176 2.1, with a Message-Authenticator of random bytes."""
    attribute = struct.pack("!BB", 80, 18) + random.randbytes(16)
    return udp(RADIUS_PORT, struct.pack("!BBH", 40, random.randrange(256), 20 + len(attribute)) +
               random.randbytes(16) + attribute)


def lease(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    return udp(LEASE_PORT, random.randbytes(120))


def corosync(_source: bytes, _target: bytes) -> tuple[int, bytes]:
    return udp(COROSYNC_PORT, random.randbytes(120))


FRAGMENT = "fragment"
KINDS: dict[str, Callable[[bytes, bytes], tuple[int, bytes]]] = {
    "sccrq": sccrq, "data": data, "data-length": data_length, "unknown": unknown, "syn": syn,
    "gre": gre, "ike": ike, "junk": junk, "radius": radius, "lease": lease, "corosync": corosync,
    "ike-sa": ike_sa, "esp": esp, "wireguard": wireguard, "sccrq-bad": sccrq_bad,
    "tcp-bad": tcp_bad, "gre-bad": gre_bad, "wireguard-bad": wireguard_bad, FRAGMENT: ike_sa}


def flood(kind: str, target: str, sources: str, per_second: float, seconds: float) -> dict:
    make, to = KINDS[kind], ipaddress.IPv4Address(target).packed
    fragment = MORE_FRAGMENTS if kind == FRAGMENT else 0
    net = ipaddress.IPv4Network(sources)
    whose = itertools.cycle([each.packed for each in net.hosts()] or [net.network_address.packed])
    sent, begun = 0, time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        while time.monotonic() < begun + seconds:
            for source in itertools.islice(whose, BURST):
                protocol, body = make(source, to)
                try:
                    raw.sendto(packet(protocol, source, to, body, fragment), (target, 0))
                    sent += 1
                except BlockingIOError:
                    pass
            time.sleep(max(begun + sent / per_second - time.monotonic(), 0))
    return {"packets": sent, "seconds": round(time.monotonic() - begun, 3)}


if __name__ == "__main__":
    print(json.dumps(flood(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]),
                           float(sys.argv[5]))))
