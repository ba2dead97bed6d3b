# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeds of the target probe: what servers answer it."""

import struct

from corpus_parts import u16

L2TP, IKEV1, IKEV2, RADIUS, PPTP, WIREGUARD, DIAL, LINK = range(8)
OURS, SPI = 0x1234, 0x1122334455667788
GRE = 0x8000


def messages_of(protocol, *messages):
    return bytes([protocol]) + b"".join(
        u16(len(each) | (GRE if gre else 0)) + each for each, gre in messages)


def datagrams(protocol, *messages):
    return messages_of(protocol, *((each, False) for each in messages))


def l2tp(ns, nr, *avps):
    body = b"".join(struct.pack("!HHH", 0x8000 | 6 + len(value), 0, kind) + value
                    for kind, value in avps)
    return struct.pack("!HHHHHH", 0xC802, 12 + len(body), OURS, 0, ns, nr) + body


def data(protocol, code, number, body=b""):
    frame = struct.pack("!HHBBH", 0xFF03, protocol, code, number, 4 + len(body)) + body
    return struct.pack("!HHH", 0x0002, OURS, OURS) + frame


def ike(version, exchange, flags, *payloads, responder=0):
    body, following = b"", 0
    for kind, value in reversed(payloads):
        body = struct.pack("!BBH", following, 0, 4 + len(value)) + value + body
        following = kind
    return struct.pack("!QQBBBBII", SPI, responder, following, version, exchange, flags, 0,
                       28 + len(body)) + body


def pptp(kind, body):
    return struct.pack("!HHIHH", 12 + len(body), 1, 0x1A2B3C4D, kind, 0) + body


SCCRP = l2tp(0, 1, (0, u16(2)), (9, u16(0x77)))
ICRP = struct.pack("!HHHHHHHHHHHHHH", 0xC802, 28, OURS, OURS, 1, 3, 0x8008, 0, 0, 11,
                   0x8008, 0, 14, 0x88)
SERVER, CLIENT = bytes([10, 200, 0, 1]), bytes([10, 200, 1, 5])
PONG = (struct.pack("!HHHHH", 0x0002, OURS, OURS, 0xFF03, 0x0021) +
        struct.pack("!BBHHHBBH", 0x45, 0, 28, 0, 0, 64, 1, 0) + SERVER + CLIENT + bytes(8))
STOPCCN = l2tp(0, 1, (0, u16(4)), (9, u16(0x77)), (1, u16(2) + u16(6) + b"full"))
COOKIE = ike(0x20, 34, 0x20, (41, struct.pack("!BBH", 0, 0, 16390) + b"cookie"))
INVALID_KE = ike(0x20, 34, 0x20, (41, struct.pack("!BBHH", 0, 0, 17, 14)))
NO_PROPOSAL = ike(0x20, 34, 0x20, (41, struct.pack("!BBH", 0, 0, 14)))
ANSWER = ike(0x20, 34, 0x20, (33, b"proposal"), (34, b"value"), (40, b"nonce"))
MAIN_MODE = ike(0x10, 2, 0, (1, b"proposal"), responder=9)
INFORMATIONAL = ike(0x10, 5, 0, (11, struct.pack("!IBBH", 1, 1, 0, 14)))
GREETING = pptp(2, u16(0x0100) + b"\x01\x00")
CONNECTED = pptp(8, u16(128) + u16(65000) + b"\x01\x00")
REFUSED = pptp(8, u16(0) + u16(65000) + b"\x07\x00")
LCP = b"\xff\x03\xc0\x21"


def frame(code):
    lcp = LCP + struct.pack("!BBH", code, 1, 4)
    return struct.pack("!HHHHI", 0x3001, 0x880B, len(lcp), 65000, code) + lcp


def call(protocol, code, number, body=b""):
    ppp = struct.pack("!HHBBH", 0xFF03, protocol, code, number, 4 + len(body)) + body
    return struct.pack("!HHHHI", 0x3001, 0x880B, len(ppp), 65000, number) + ppp, True


MPPE = b"\x12\x06\x01\0\0\x40"
PROBE = {
    "l2tp-all-the-way": datagrams(L2TP, SCCRP, l2tp(1, 2)),
    "l2tp-refused": datagrams(L2TP, STOPCCN),
    "dial-all-the-way": datagrams(
        DIAL, SCCRP, l2tp(1, 2), ICRP, l2tp(2, 4), data(0xC021, 1, 1, b"\3\5\xc2\x23\x81"),
        data(0xC021, 2, 1), data(0xC223, 1, 5, b"\x10" + bytes(16)), data(0xC223, 3, 5, b"welcome"),
        data(0x8021, 1, 1, b"\3\6" + SERVER), data(0x8021, 3, 2, b"\3\6" + CLIENT),
        data(0x8021, 2, 3), PONG, data(0xC021, 6, 4), l2tp(2, 5)),
    "dial-no-login": datagrams(
        DIAL, SCCRP, l2tp(1, 2), ICRP, l2tp(2, 4), data(0xC021, 1, 1, b"\3\4\xc0\x23"),
        data(0xC021, 2, 1), data(0xC023, 3, 2, b"\2no")),
    "ikev1-chosen": datagrams(IKEV1, MAIN_MODE),
    "ikev1-refused": datagrams(IKEV1, INFORMATIONAL),
    "ikev2-another-group": datagrams(IKEV2, INVALID_KE),
    "ikev2-cookie": datagrams(IKEV2, COOKIE, ANSWER),
    "ikev2-refused": datagrams(IKEV2, NO_PROPOSAL),
    "radius-answer": datagrams(RADIUS, struct.pack("!BBH16s", 2, 9, 20, b"")),
    "pptp-all-the-way": messages_of(PPTP, (GREETING, False), (CONNECTED, False), (frame(1), True),
                                    (frame(2), True)),
    "link-encrypts": messages_of(
        LINK, (GREETING, False), (CONNECTED, False), call(0xC021, 1, 1, b"\3\5\xc2\x23\x81"),
        call(0xC021, 2, 1), call(0xC223, 1, 5, b"\x10" + bytes(16)), call(0xC223, 3, 5, b"welcome"),
        call(0x80FD, 1, 1, MPPE), call(0x80FD, 2, 2), call(0x8021, 1, 1, b"\3\6" + SERVER),
        call(0x8021, 3, 3, b"\3\6" + CLIENT), call(0x8021, 2, 4),
        (struct.pack("!HHHHIHHH", 0x3001, 0x880B, 26, 65000, 9, 0xFF03, 0x00FD, 0x9000) +
         bytes(20), True), call(0xC021, 5, 9)),
    "pptp-refused": messages_of(PPTP, (GREETING + REFUSED, False)),
    # In the order of WireGuard, and sealed by nobody.
    "wireguard-response": datagrams(WIREGUARD, struct.pack("<III", 2, 7, 0x1234) + bytes(80)),
    "wireguard-cookie": datagrams(WIREGUARD, struct.pack("<II", 3, 0x1234) + bytes(56)),
    "pptp-in-pieces": messages_of(PPTP, (GREETING[:5], False), (GREETING[5:] + CONNECTED, False)),
}
