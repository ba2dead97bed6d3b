#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the seed corpus of the fuzz targets of protocols: PLACE/TARGET/NAME, a file per case.

make_corpus.py PLACE: the build calls it. What is there of an earlier one goes. Inputs that a fuzzer
found, and those that were recorded, are in ../corpus.
"""

import pathlib
import shutil
import struct
import sys
import zlib

import pptp_corpus
from ipsec_corpus import HA_MESSAGE, SA_RECORD, VICI
from probe_corpus import PROBE
from radius_corpus import RADIUS
from wireguard_corpus import PEER_LISTING, PEERS_FILE, WIREGUARD_RECORD
from xfrm_corpus import XFRM
from corpus_parts import ADDRESS, PROXIED, facts, frames, sized, u16

TUNNEL, PEER_TUNNEL = 0x1111, 0x2222
VIP, CLIENT = 0xC0000264, 0xC0000233


def avp(kind, value, mandatory=True, vendor=0, length=None, hidden=False):
    flags = (0x8000 if mandatory else 0) | (0x4000 if hidden else 0)
    size = 6 + len(value) if length is None else length
    return struct.pack("!HHH", flags | size, vendor, kind) + value


def control(ns, nr, *avps, tunnel=TUNNEL, session=0, length=None, flags=0xC802):
    body = b"".join(avps)
    size = 12 + len(body) if length is None else length
    return struct.pack("!HHHHHH", flags, size, tunnel, session, ns, nr) + body


def message(kind):
    return avp(0, u16(kind))


def lcp(code, identifier, data=b"", protocol=0xC021, length=None):
    size = 4 + len(data) if length is None else length
    return struct.pack("!HBBH", protocol, code, identifier, size) + data


CDN = control(2, 5, message(14), avp(1, u16(3)), avp(14, u16(0x101)), session=1)
STOPCCN = control(2, 5, message(4), avp(9, u16(PEER_TUNNEL)), avp(1, u16(1)))
ICRQ = control(2, 5, message(10), avp(14, u16(77)), avp(15, struct.pack("!I", 1)))
SCCRQ = control(0, 0, message(1), avp(2, b"\x01\x00"), avp(7, b"lac"), avp(9, u16(9)), tunnel=0)

L2TP_CONTROL = {
    "zlb": control(2, 5),
    "hello": control(2, 5, message(6)),
    "cdn": CDN,
    "stopccn": STOPCCN,
    "icrq": ICRQ,
    "sccrq": SCCRQ,
    "data-packet": b"\x00\x02" + u16(TUNNEL) + u16(1) + lcp(9, 1, b"\0\0\0\0"),
    "avp-length-0": control(2, 5, message(6), avp(7, b"", length=0)),
    "avp-length-5": control(2, 5, message(6), avp(7, b"", length=5)),
    "avp-longer-than-message": control(2, 5, message(6), avp(7, b"abc", length=100)),
    "avp-vendor-9-type-0": control(2, 5, avp(0, u16(4), vendor=9)),
    "avp-hidden-result": control(2, 5, message(14), avp(1, u16(3), hidden=True)),
    "avps-65": control(2, 5, message(6), *[avp(7, b"") for _ in range(64)]),
    "length-11": control(2, 5, length=11),
    "length-over-datagram": control(2, 5, length=200),
    "padding-behind-length": control(2, 5) + b"\0" * 8,
    "type-not-first": control(2, 5, avp(1, u16(1)), message(6)),
    "version-3": control(2, 5, flags=0xC803),
    "offset-bit": control(2, 5, flags=0xCA02),
}


def step(kind, data=b""):
    return struct.pack("!BH", kind, len(data)) + data


def passes(milliseconds):
    return step(3, u16(milliseconds))


SYNC = step(0, control(2, 5)) + step(0, control(2, 6))

L2TP_TUNNEL = {
    "sync-and-hangup": SYNC + step(0, CDN),
    "sync-and-stopccn": SYNC + step(0, STOPCCN),
    "second-call": SYNC + step(0, ICRQ) + step(0, control(3, 7)),
    "operator-ends": SYNC + step(4) + step(0, control(2, 7)),
    "redial-forged": SYNC + step(0, SCCRQ) + step(1, lcp(10, 0x80, b"\0\0\0\1")) + passes(3000),
    "redial-real": SYNC + step(0, SCCRQ) + passes(1000) + passes(1000) + passes(1000),
    "unanswered": b"".join(passes(8000) for _ in range(12)),
    "unknown-mandatory": SYNC + step(0, control(2, 6, message(6), avp(99, b""))),
    "unknown-type": SYNC + step(0, control(2, 6, message(99))),
    "renegotiation": SYNC + step(2, lcp(1, 1)) + step(1, lcp(1, 1)) + passes(1000),
    "ahead": SYNC + step(0, control(9, 6, message(6))) + step(0, control(10, 7)),
    "hostile-numbers": step(5, control(9, 1)) + step(5, control(9, 2)) + passes(61000)
    + passes(8000) * 7 + step(5, control(300, 20, message(6))) + passes(1000) + passes(31000),
    "hostile-ends": SYNC + step(5, control(2, 6, message(4), avp(9, u16(TUNNEL)), avp(1, u16(1))))
    + step(5, control(3, 6, message(14), avp(1, u16(3)), avp(14, u16(1)), session=1))
    + step(5, control(4, 6, message(6), avp(99, b""))) + step(0, CDN),
    "hostile-sccrq": b"".join(step(5, SCCRQ) + passes(pause) for pause in (1000, 2000, 7000) * 3),
    "hostile-acknowledges": step(5, control(2, 6)) + step(5, control(2, 7)) + step(5, ICRQ)
    + step(5, control(3, 9)) + passes(40000) + step(5, control(3, 9, message(99))),
}


LCP = {
    "echo-request": frames(lcp(9, 1, b"\x0b\x0b\x0b\x0bhello")),
    "echo-request-looped": frames(lcp(9, 1, b"\x0a\x0a\x0a\x0a")),
    "echo-request-short": frames(lcp(9, 1, b"\0\0")),
    "echo-request-over-mru": frames(lcp(9, 1, b"\0" * 1800)),
    "terminate": frames(lcp(5, 7), lcp(9, 8, b"\0\0\0\0")),
    "renegotiate": frames(lcp(1, 1, b"\x01\x04\x05\xdc")),
    "renegotiate-ipcp": frames(lcp(1, 1, b"\x03\x06\0\0\0\0", protocol=0x8021)),
    "ccp": frames(*[lcp(1, n, protocol=0x80FD) for n in range(8)]),
    "unknown-code": frames(lcp(200, 1, b"abc")),
    "code-reject-of-echo": frames(lcp(7, 1, lcp(9, 1, b"\0\0\0\0")[2:])),
    "length-3": frames(lcp(9, 1, length=3)),
    "length-over-frame": frames(lcp(9, 1, b"\0\0\0\0", length=2000)),
    "padding": frames(lcp(9, 1, b"\0\0\0\0") + b"\0" * 20),
    "protocol-only": frames(b"\xc0\x21", b"\xc0", b""),
    "silent": frames(*[b"\0\x21" for _ in range(60)]),
}

KEY = struct.pack("!IHIHHHHH", VIP, 1701, CLIENT, 1701, TUNNEL, PEER_TUNNEL, 1, 0x101)


IDENTIFIERS = struct.pack("!QQ", 1, 2)
ROUTES = b"\x02\x04\xc6\x33\x64\x00\x18\x10\x20\x01\x0d\xb8\x00\x01" + bytes(10) + b"\x30"


def record(version=1, key=KEY, **of_facts):
    return bytes([version]) + key + facts(**of_facts)


L2TP_RECORD = {
    "key": KEY,
    "key-with-id-0": KEY[:-2] + b"\0\0",
    "record": record(),
    "record-without-names": record(user=b"", interface=b""),
    "record-longest-names": record(user=b"u" * 255, interface=b"i" * 15),
    "record-user-too-long": record(user=b"u" * 256),
    "record-mru-127": record(mru=127),
    "record-ipv6": record(ipv6=IDENTIFIERS, routes=ROUTES),
    "record-ipv6-one-identifier": record(ipv6=IDENTIFIERS[:8] + bytes(8)),
    "record-route-of-5-octets": record(routes=b"\x01\x05" + bytes(5) + b"\x18"),
    "record-proxied": record(proxied=PROXIED, flags=0x1f),
    "record-proxied-cut": record(proxied=PROXIED[:-1]),
    "record-unknown-flag": record(flags=0x40),
    "record-ends-with-node": record(obstacle=b"multilink"),
    "record-obstacle-too-long": record(obstacle=b"o" * 201),
    "record-version-2": record(version=2),
    "record-cut": record()[:-1],
    "record-tail": record() + b"\0",
}


def frame(kind, body, version=1):
    covered = b"VPNH" + struct.pack("!BB", version, kind) + body
    return covered + struct.pack("!I", zlib.crc32(covered))


def epoch(number, node=2):
    return struct.pack("!QI", number, node)


def key(identity=KEY):
    return struct.pack("!BH", 1, len(identity)) + identity


HELLO = struct.pack("!BBQQ", 1, 1, 0, 7)
STATE = struct.pack("!Q12xQ", 5, 0)  # Sequence, MAC addresses, witness.
CHANGE = b"\x00" + key() + sized(record())
ERASED = b"\x01" + key() + sized(b"")
EVERYTHING = epoch(0) + struct.pack("!Q", 0)  # Newer than version {}.
DIGEST = struct.pack("!QIQ", 0, 0, 0)


def version(number, sequence):
    return epoch(number) + struct.pack("!Q", sequence)


WIRE = {
    "hello": frame(1, HELLO + sized(b"gw2") + b"\x01\x01\x01\x02\x02" + epoch(3) + STATE),
    "hello-unpromoted": frame(1, HELLO + sized(b"gw2") + b"\x01\x01\x00\x02\x02" + epoch(9)
                              + STATE),
    "hello-with-255-gateways-missing": frame(1, HELLO + sized(b"") + b"\xff"),
    "setup": frame(2, b"\x01" + struct.pack("!H", 1) + sized(b"l2tp.port") + b"\x01"
                   + struct.pack("!Q", 7)),
    "claim": frame(3, b"\x01" + epoch(3) + struct.pack("!IQ", 0, 0)),
    "claim-that-would-wrap": frame(3, b"\x01" + epoch(2**64 - 1) + struct.pack("!IQ", 0, 0)),
    "update": frame(4, b"\x01" + epoch(3) + struct.pack("!QI", 0, 2) + CHANGE + ERASED),
    "update-with-a-gap": frame(4, b"\x01" + epoch(3) + struct.pack("!QI", 9, 1) + CHANGE),
    "update-of-poison": frame(4, b"\x01" + epoch(3) + struct.pack("!QI", 0, 1)
                              + b"\x00" + key() + sized(b"\xff" * 40)),
    "update-of-a-later-type": frame(4, b"\x01" + epoch(3) + struct.pack("!QI", 0, 1)
                                    + b"\x00\x42" + sized(b"\x01") + sized(b"\xff")),
    "update-of-an-optional-type": frame(4, b"\x01" + epoch(3) + struct.pack("!QI", 0, 1)
                                        + b"\x00\x81" + sized(b"\x01") + sized(b"\xff")),
    "update-with-a-huge-count": frame(4, b"\x01" + epoch(3) + struct.pack("!QI", 0, 2**32 - 1)),
    "digest": frame(5, b"\x01" + epoch(3) + DIGEST),
    "snapshot-request": frame(6, b"\x01\x00" + EVERYTHING),
    "snapshot-request-since": frame(6, b"\x01\x01" + version(1, 0)),
    "snapshot": frame(7, b"\x01" + epoch(3) + EVERYTHING + b"\x01" + struct.pack("!I", 1)
                      + b"\x00" + key() + version(3, 1) + sized(record())),
    "snapshot-end": frame(8, b"\x01" + epoch(3) + EVERYTHING + DIGEST),
    "barrier": frame(10, b"\x01" + epoch(3)),
    "confirm": frame(9, b"\x01" + epoch(3) + struct.pack("!QQI", 1, 2, 1) + version(3, 1)),
    "move-asked": frame(0x80, b"\x01\x00" + epoch(3) + struct.pack("!III", 3, 0, 0)),
    "move-handed": frame(0x80, b"\x01\x02" + epoch(3) + struct.pack("!III", 3, 12345, 67)),
    "move-of-a-later-phase": frame(0x80, b"\x01\xff" + epoch(3) + struct.pack("!III", 3, 0, 0)),
    "extension": frame(0x91, b"whatever"),
    "version-2": frame(3, b"\x01" + epoch(3), version=2),
    "type-0": frame(0, b""),
}


# Lease datagrams without their tag, which the target adds; from node 2, in its first instance.
def lease(kind, body, gateway=1, node=2, version=1):
    return (b"VPNL" + struct.pack("!BBI", version, gateway, node) + b"\x02" * 16
            + struct.pack("!QQB", 1, 7, kind) + body)


def voters(*nodes, changed=0, in_epoch=0):
    return (epoch(in_epoch, 1 if in_epoch else 0)
            + struct.pack("!IB", changed, len(nodes)) + struct.pack(f"!{len(nodes)}I", *nodes))


def round_id(number, node=2, k=1):
    return epoch(number, node) + struct.pack("!QQ", 1, k)


# The receiver is node 1, and its boot id is 0.
def marks(*nodes):
    return bytes([len(nodes)]) + b"".join(
        struct.pack("!I", node) + bytes([0 if node == 1 else node]) * 16 for node in nodes)


def asked(number, flags, lists, more=b"", duration=3 * 10**8, marked=marks()):
    in_vain = b"" if flags & 1 else struct.pack("!Q", 0)
    return (round_id(number) + struct.pack("!QqB", 10**9, duration, flags) + lists + more
            + checkpoint(number) + in_vain + marked)


def checkpoint(number):
    return epoch(number, 2) + struct.pack("!QQ", 5, 10**9)


def asking(lists, marked=marks(), node=2):
    return round_id(3, node) + lists + epoch(2, 1) + struct.pack("!Q", 5) + marked


def opinion(verdict, granted, marked=marks(), flags=b"\x00"):
    return (round_id(1, 1) + bytes([verdict]) + granted + flags + voters(1, 2, 3) + marked)


ELSEWHERE = epoch(1, 3)
KNOWN = epoch(1, 3) + struct.pack("!QQB", 4, 10**9, 1) + checkpoint(1)
NEXT = voters(1, 2, changed=1, in_epoch=2)

LEASE = {
    "hello": lease(1, b"\x00"),
    "hello-challenge": lease(1, b"\x01" + struct.pack("!Q", 5)),
    "hello-repeated": lease(1, b"\x02" + struct.pack("!QQ", 1, 5)),
    "hello-both": lease(1, b"\x03" + struct.pack("!QQQ", 6, 1, 5)),
    "hello-unknown-flag": lease(1, b"\x04"),
    "claim": lease(2, asked(3, 0, voters(1, 2, 3))),
    "claim-of-one": lease(2, asked(3, 0, voters(1))),
    "claim-with-release": lease(2, asked(3, 4, voters(1), epoch(1, 1))),
    "renewal": lease(2, asked(3, 1, voters(1, 2, 3))),
    "renewal-with-marks": lease(2, asked(3, 1, voters(1, 2, 3), marked=marks(3, 9))),
    "renewal-with-the-receivers-mark": lease(2, asked(3, 1, voters(1, 2, 3), marked=marks(1))),
    "renewal-with-too-many-marks": lease(2, asked(3, 1, voters(1, 2, 3),
                                                  marked=marks(*range(1, 18)))),
    "round-with-next-list": lease(2, asked(3, 3, voters(1, 2, 3) + NEXT)),
    "round-with-too-many-voters": lease(2, asked(3, 0, voters(*range(1, 9)))),
    "round-with-too-long-a-lease": lease(2, asked(3, 0, voters(1), duration=5 * 10**8 + 1)),
    "round-with-no-lease": lease(2, asked(3, 0, voters(1), duration=0)),
    "round-with-a-negative-lease": lease(2, asked(3, 0, voters(1), duration=-1)),
    "round-with-no-voters": lease(2, asked(3, 0, voters())),
    "round-at-the-last-epoch": lease(2, asked(2**52, 0, voters(1, 2, 3))),
    "answer": lease(3, round_id(1, 1) + b"\x00" + ELSEWHERE + b"\x00" + marks()),
    "answer-known": lease(3, round_id(1, 1) + b"\x01" + KNOWN + ELSEWHERE + b"\x00" + marks()),
    "answer-with-marks": lease(3, round_id(1, 1) + b"\x00" + ELSEWHERE + b"\x00" + marks(3, 9)),
    "answer-with-handover": lease(3, round_id(1, 1) + b"\x02" + ELSEWHERE + b"\x01" + epoch(1, 2)
                                  + struct.pack("!Q", 10**9) + checkpoint(1) + marks()),
    "answer-with-handover-cut": lease(3, round_id(1, 1) + b"\x00" + ELSEWHERE + b"\x01"
                                      + epoch(1, 2) + struct.pack("!Q", 10**9)),
    "refusal-promised": lease(4, round_id(1, 1) + b"\x07" + epoch(9, 3) + b"\x00"
                              + voters(1, 2, 3) + marks()),
    "refusal-marked": lease(4, round_id(1, 1) + b"\x02" + epoch(9, 0) + b"\x00"
                            + voters(1, 2, 3) + marks(3)),
    "refusal-with-next-list": lease(4, round_id(1, 1) + b"\x04" + epoch(9, 3) + b"\x02"
                                    + voters(1, 2, 3) + NEXT + marks()),
    "release": lease(5, epoch(1, 1) + b"\x01"),
    "release-unserved": lease(5, epoch(1, 1) + b"\x00"),
    "mark-request": lease(6, struct.pack("!I", 3) + b"\x03" * 16),
    "mark-request-of-node-1": lease(6, struct.pack("!I", 1) + b"\x00" * 16),
    "mark-answer": lease(7, struct.pack("!I", 3) + b"\x03" * 16 + b"\x01" + voters(1, 2, 3)
                         + marks(3)),
    "mark-answer-with-next-list": lease(7, struct.pack("!I", 3) + b"\x03" * 16 + b"\x03"
                                        + voters(1, 2, 3) + NEXT + marks()),
    "version-2": lease(1, b"\x00", version=2),
    "gateway-0": lease(1, b"\x00", gateway=0),
    "node-0": lease(1, b"\x00", node=0),
    "recall": lease(8, b""),
    "memory": lease(9, struct.pack("!Q", 1) + epoch(9, 3) + b"\x00"
                    + voters(1, 2, 3, in_epoch=4) + marks(3)),
    "memory-of-two": lease(9, struct.pack("!Q", 1) + epoch(9, 2) + b"\x00"
                           + voters(1, 2, in_epoch=4) + marks(1)),
    "memory-with-next-list": lease(9, struct.pack("!Q", 1) + epoch(9, 3) + b"\x02"
                                   + voters(1, 2, 3) + NEXT + b"\x00"),
    "memory-of-nothing": lease(9, struct.pack("!Q", 1) + epoch(0, 0) + b"\x00" + voters(1, 2)
                               + b"\x00"),
    "memory-with-too-many-marks": lease(9, struct.pack("!Q", 1) + epoch(9, 3) + b"\x00"
                                        + voters(1, 2, 3) + marks(*range(1, 18))),
    "question": lease(10, asking(b"\x00" + voters(1, 2, 3))),
    "question-with-next-list": lease(10, asking(b"\x02" + voters(1, 2, 3) + NEXT, marks(3))),
    "question-with-no-voters": lease(10, asking(b"\x00" + voters())),
    "question-of-node-1": lease(10, asking(b"\x00" + voters(1, 2, 3), node=1)),
    "opinion-yes": lease(11, opinion(0, epoch(0, 0))),
    "opinion-superseded": lease(11, opinion(5, epoch(9, 3))),
    "opinion-with-marks": lease(11, opinion(0, epoch(9, 3), marks(3))),
    "opinion-of-a-witness": lease(11, opinion(0, epoch(9, 3),
                                              flags=b"\x01" + struct.pack("!Q", 10**8)),
                                  node=0xFFFF0001),
    "opinion-unknown": lease(11, opinion(12, epoch(9, 3))),
    "type-12": lease(12, b""),
}


MAC = bytes.fromhex("02005e100001")


def arp(operation, sender=b"\xc0\x00\x02\x09"):
    return (b"\xff" * 6 + MAC + b"\x08\x06\x00\x01\x08\x00\x06\x04" + u16(operation) + MAC + sender
            + b"\xff" * 6 + b"\xc0\x00\x02\x09")


def icmp6(kind, hop_limit=255, version=6):
    body = bytes([kind, 0, 0, 0]) + b"\x20\x00\x00\x00" + ADDRESS + b"\x02\x01" + MAC
    return (b"\x33\x33\x00\x00\x00\x01" + MAC + b"\x86\xdd" + bytes([version << 4, 0, 0, 0])
            + u16(len(body)) + bytes([58, hop_limit]) + ADDRESS + ADDRESS + body)


NEIGHBOUR = {
    "arp-request": arp(1),
    "arp-reply": arp(2),
    "arp-probe": arp(1, b"\x00" * 4),
    "arp-short": arp(2)[:30],
    "advertisement": icmp6(136),
    "advertisement-short": icmp6(136)[:70],
    "advertisement-from-afar": icmp6(136, hop_limit=64),
    "solicitation": icmp6(135),
    "ipv4-in-ipv6": icmp6(136, version=4),
}


def flow(identity, payload):
    return bytes([len(identity)]) + identity + payload


FLOW_V4 = bytes.fromhex("00060a400105cb0071099c4001bb")
FLOW_V6 = bytes.fromhex("0a110102") + bytes(range(1, 33)) + bytes.fromhex("13c413c4")
FLOW_ALL = bytes.fromhex(
    "17ff0380af1a039733cb00710ac000026420fb04000000abcd00000000000000000000000000000001"
    "036674700000006400000000fffffffd000000c800000001000000020a1101020a4001050a40010600010002")
FLOW = {
    "nat-tcp": flow(FLOW_V4, bytes.fromhex("11010380af1a039733c0000264")),
    "udp-ipv6-zone": flow(FLOW_V6, bytes.fromhex("100003b401")),
    "esp": flow(bytes.fromhex("00320a400105cb007109"), bytes.fromhex("100001d804")),
    "icmp": flow(bytes.fromhex("00010a400105cb007109004d0800"), bytes.fromhex("1000011e")),
    "all-parts": flow(bytes.fromhex("0a0601020a400105cb0071099c4001bb"), FLOW_ALL),
    "all-parts-cut": flow(bytes.fromhex("0a0601020a400105cb0071099c4001bb"), FLOW_ALL[:-1]),
    "number-not-shortest": flow(FLOW_V4, bytes.fromhex("100003b48100")),
    "version-2": flow(FLOW_V4, bytes.fromhex("20000301")),
    "mapped-address": flow(bytes.fromhex("0132") + bytes(10) + b"\xff\xff" + bytes(20),
                           bytes.fromhex("10000101")),
}

# Events of replay_guard_fuzz.cpp: an octet each, the low bits show which.
REPLAY_GUARD = {
    "meet-and-repeat": bytes((0x00, 0x02, 0x02, 0x04, 1, 0x04, 0)),
    "lost-then-late": bytes((0x00, 0x03, 0x02, 0x04, 1, 0x04, 1)),
    "restart-of-this-node": bytes((0x00, 0x02, 0x37, 0x04, 1, 0x00, 0x04, 1)),
    "restart-of-another-node": bytes((0x10, 0x12, 0x16, 0x04, 0, 0x12, 0x10, 0x04, 1)),
    "voter-left-and-back": bytes((0x20, 0x22, 0x27, 0x22, 0x20, 0x04, 1)),
    # Behind its Hello, but sent before this node's restart.
    "record-of-before-the-restart": bytes.fromhex("001000001f1010dc"),
}


def main(place):
    targets = {
        "flow": FLOW,
        "ha_message": HA_MESSAGE,
        "l2tp_control": L2TP_CONTROL,
        "l2tp_record": L2TP_RECORD,
        "l2tp_tunnel": L2TP_TUNNEL,
        "lcp": LCP,
        "lease": LEASE,
        "neighbour": NEIGHBOUR,
        "peer_listing": PEER_LISTING,
        "peers_file": PEERS_FILE,
        **pptp_corpus.TARGETS,
        "probe": PROBE,
        "radius": RADIUS,
        "replay_guard": REPLAY_GUARD,
        "sa_record": SA_RECORD,
        "vici": VICI,
        "wire": WIRE,
        "wireguard_record": WIREGUARD_RECORD,
        "xfrm": XFRM,
    }
    shutil.rmtree(place, ignore_errors=True)
    for target, cases in targets.items():
        (place / target).mkdir(parents=True)
        for name, data in cases.items():
            (place / target / name).write_bytes(data)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
