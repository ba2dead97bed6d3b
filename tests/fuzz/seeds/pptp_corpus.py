# SPDX-License-Identifier: GPL-2.0-or-later
"""Inputs for the fuzz targets of PPTP and MPPE; make_corpus.py writes them."""

from __future__ import annotations

import struct

from corpus_parts import PROXIED, facts, sized

PPTP_KEY = bytes.fromhex("c000020106bbc00002339cbb00800007")


def pptp_call(version=1, mss=1448, scale=7, bits=128, keys=72, **of_facts):
    return (bytes([version]) + PPTP_KEY + struct.pack("!HBBB", mss, 7, scale, 8) + bytes([bits])
            + sized(b"k" * keys) + facts(**of_facts))


def pptp_numbers(version=1, flags=1, index=4097):
    return struct.pack("!BIIIIIIBIIQQ", version, 1, 2, 65536, 3, 4, 5, flags, 1000, 2000, index,
                       5000)


PPTP_RECORD = {
    "key": PPTP_KEY,
    "call": pptp_call(),
    "call-without-mppe": pptp_call(bits=0, keys=0),
    "call-of-64-bits": pptp_call(bits=64),
    "call-keys-too-long": pptp_call(keys=129),
    "call-version-2": pptp_call(version=2),
    "call-window-scale-15": pptp_call(scale=15),
    "call-small-mtu": pptp_call(mtu=67),
    "call-with-ipv6": pptp_call(ipv6=struct.pack("!QQ", 1, 2), routes=b"\1\x10" + bytes.fromhex(
        "20010db8005100000000000000000000") + b"\x40"),
    "call-with-one-identifier": pptp_call(ipv6=struct.pack("!QQ", 1, 1)),
    "call-proxied": pptp_call(proxied=PROXIED, flags=0x1f),
    "call-proxied-cut": pptp_call(proxied=PROXIED[:-1]),
    "call-unknown-flag": pptp_call(flags=0x40),
    "call-ends-with-node": pptp_call(obstacle=b"its MPPE is not stateless"),
    "call-obstacle-too-long": pptp_call(obstacle=b"o" * 201),
    "call-cut-short": pptp_call()[:-3],
    "numbers": pptp_numbers(),
    "numbers-never-acknowledges": pptp_numbers(flags=2),
    "numbers-stopped": pptp_numbers(flags=12),
    "numbers-unknown-flag": pptp_numbers(flags=128),
    "numbers-index-too-high": pptp_numbers(index=1 << 60),
}


def event(kind, octets=b""):
    return struct.pack("!BH", kind, len(octets)) + octets


def gre(frame, number, acknowledged=None):
    flags = 0x3001 if acknowledged is None else 0x3081
    head = struct.pack("!HHHHI", flags, 0x880b, len(frame), 128, number)
    return event(0, head + (b"" if acknowledged is None else struct.pack("!I", acknowledged))
                 + frame)


def lcp(code, identifier, data=b""):
    return b"\xff\x03\xc0\x21" + struct.pack("!BBH", code, identifier, 4 + len(data)) + data


def message(kind, body):
    return event(1, struct.pack("!HHIHH", 12 + len(body), 1, 0x1a2b3c4d, kind, 0) + body)


def time(milliseconds):
    return event(5, struct.pack("!H", milliseconds))


MAGIC = b"\x22\x22\x22\x22"
EXACT, ASKED, EXACT_MPPE, ASKED_MPPE = b"\x01", b"\x00", b"\x03", b"\x02"
IP = bytes.fromhex("450000180000000040116" "6d30a0000010a000002") + b"\0\0\0\7"
ANSWER = event(3, struct.pack("!IIB", 2016, 1000, 0))
# ICMPv6 with its checksum, from fe80::2 to fe80::1; behind a destination option; and ESP, whose
# length alone is right.
LINK_LOCAL = bytes.fromhex("fe80000000000000000000000000000" "2fe800000000000000000000000000001")
ICMP6 = bytes.fromhex("800082b100000007")
IP6 = b"\x60\0\0\0\0\x08\x3a\x40" + LINK_LOCAL + ICMP6
IP6_OPTION = b"\x60\0\0\0\0\x10\x3c\x40" + LINK_LOCAL + bytes.fromhex("3a00010400000000") + ICMP6
IP6_ESP = b"\x60\0\0\0\0\x08\x32\x40" + LINK_LOCAL + b"spi-seqn"
WITH_IPV6 = 0x20

PPTP_CALL = {
    "rung-0": ASKED + ANSWER + gre(lcp(10, 0xa0, MAGIC), 51, 100) + event(2, IP),
    "rung-3": b"".join([ASKED_MPPE, time(20), time(20), time(100),
                        gre(lcp(10, 0xb2, MAGIC), 51, 99 + 3 * 512), time(30), event(2, IP)]),
    "rung-by-rung": b"".join([ASKED_MPPE, gre(lcp(10, 0xa0, MAGIC), 51),
                              gre(lcp(10, 0xb0, MAGIC), 52),
                              gre(lcp(10, 0xb1, MAGIC), 53, 99 + 2 * 512 - 2), time(30)]),
    "acknowledged-beyond": b"".join([ASKED, gre(lcp(10, 0xa0, MAGIC), 51, 900),
                                     gre(lcp(10, 0xa1, MAGIC), 52, 901)]),
    "never-answered": ASKED + time(60000) + time(60000),
    "reset-by-peer": ASKED + event(3, struct.pack("!IIB", 2000, 1000, 1)),
    "data-in-clear": EXACT + gre(b"\xff\x03\x00\x21" + IP, 51) + gre(b"\x21" + IP, 52),
    "data-encrypted": EXACT_MPPE + gre(b"\x00\xfd\x90\x00" + b"x" * 40, 51) + event(2, IP),
    "ipv6-in-clear": b"".join([bytes([EXACT[0] | WITH_IPV6]), gre(b"\xff\x03\x00\x57" + IP6, 51),
                               gre(b"\x57" + IP6, 52), event(2, IP6), event(2, IP)]),
    "ipv6-without-ipv6cp": EXACT + gre(b"\xff\x03\x00\x57" + IP6, 51) + event(2, IP6),
    "ipv6cp-terminate": b"".join([bytes([EXACT_MPPE[0] | WITH_IPV6]),
                                  gre(b"\xff\x03\x80\x57\x05\x01\x00\x04", 51), event(2, IP6)]),
    "lcp-echo": EXACT + gre(lcp(9, 1, MAGIC), 51) + time(30),
    "lcp-terminate": EXACT + gre(lcp(5, 1), 51),
    "lcp-configure": EXACT + gre(lcp(1, 1), 51),
    "ccp-reset": EXACT_MPPE + gre(b"\x80\xfd\x0e\x09\x00\x04", 51) + event(2, IP),
    "ccp-configure": EXACT_MPPE + gre(b"\x80\xfd\x01\x09\x00\x04", 51),
    "duplicates": EXACT + gre(lcp(9, 1, MAGIC), 51) * 2 + gre(lcp(9, 1, MAGIC), 40),
    "echo": EXACT + message(5, b"\0\0\0\7"),
    "echo-in-halves": EXACT + message(5, b"\0\0\0\7")[:10],
    "call-clear": EXACT + message(12, b"\0\7\0\0"),
    "stop": EXACT + message(3, b"\1\0\0\0"),
    "another-call": EXACT + message(7, b"\xab\xcd" + b"\0" * 154),
    "set-link-info": EXACT + message(15, b"\0" * 12),
    "wrong-cookie": EXACT + event(1, b"\0\x10\0\1\x1a\x2b\x3c\x4e\0\5\0\0\0\0\0\7"),
    "hung-up": bytes([ASKED[0] | 4]) + ANSWER + gre(lcp(10, 0xa0, MAGIC), 51, 100),
    "hung-up-exact": bytes([EXACT[0] | 4]) + event(2, IP),
    "stopped": bytes([ASKED_MPPE[0] | 12]) + ANSWER + message(5, b"\0\0\0\7"),
    "acknowledged-when-over": bytes([ASKED_MPPE[0] | 12]) + gre(lcp(9, 1, MAGIC), 51) + time(32000),
    "stopped-and-silent": bytes([ASKED_MPPE[0] | 12]) + time(2000) + event(4) + time(2000),
    "paused": EXACT_MPPE + event(2, IP) + event(4) + event(2, IP) + time(65000) + time(65000),
}


MPPE_GARBAGE = b"\x00\xfd\x90\x01" + b"x" * 30
FORGED = {
    "garbage-far-ahead": gre(MPPE_GARBAGE, 0x51, 0x51) + time(3000) + gre(MPPE_GARBAGE, 0x52),
    "terminate": gre(lcp(5, 1), 51) + time(30) + gre(lcp(5, 1), 52),
    "configure": gre(lcp(1, 1), 51) + gre(b"\x80\xfd\x01\x09\x00\x04", 52) + time(30),
    "echo-replies": b"".join(gre(lcp(10, 0xa0 + i, MAGIC), i, 100 + i) for i in range(20)),
    "echo-request": time(1000) + gre(lcp(9, 1, MAGIC), 51) * 2,
    "resets": time(400) + gre(b"\x80\xfd\x0e\x09\x00\x04", 51) * 5 + time(600) + event(2, IP),
    "in-clear": gre(b"\xff\x03\x00\x21" + IP, 51) + gre(b"\x21" + IP, 52) + event(2, IP),
    "acknowledgements": event(0, struct.pack("!HHHHI", 0x2081, 0x880b, 0, 128, 900)) + time(30),
    "segments": event(3, struct.pack("!IIBB", 2000, 1000, 1, 0)) + time(30),
    "resumed": time(30) + event(2, IP) + gre(MPPE_GARBAGE, 51) * 3 + time(2000) + event(2, IP),
}
PPTP_CALL |= {f"contested-{name}": b"\x12" + events for name, events in FORGED.items()}
PPTP_CALL["contested-with-ipv6"] = bytes([0x12 | WITH_IPV6]) + event(2, IP6) + FORGED["resumed"]


def mppe_frames(index, last, *items):
    return b"\0" * 64 + bytes([index, last]) + b"".join(
        struct.pack("!HH", number, len(each)) + each for number, each in items)


MPPE = {
    "inner-ipv4": b"\x00\x21" + IP.ljust(62, b"\0") + b"\0\0",
    "inner-ipv6": b"\x00\x57\x60\0\0\0\0\4".ljust(64, b"\0") + b"\0\0",
    "inner-icmpv6": (b"\x00\x57" + IP6).ljust(64, b"\0") + b"\x80\0",
    "inner-option": (b"\x57" + IP6_OPTION).ljust(64, b"\0") + b"\x80\0",
    "inner-esp": b"\x00\x57" + IP6_ESP,
    "frames": mppe_frames(0, 0, (1, b"\x90\x00" + b"x" * 30), (6, b"\x90\x05" + b"y" * 30)),
    "far-ahead": mppe_frames(9, 12, (12 + 3 * 4096, b"\x90\x03" + b"x" * 30)),
    "outdated": mppe_frames(9, 12, (3, b"\x90\x03" + b"x" * 30)),
    "no-mppe": mppe_frames(0, 0, *enumerate((b"", b"\x90", b"\x10\x00x", b"\xb0\x00x"))),
}


def ip(protocol, body, fragment=0, length=None):
    length = 20 + len(body) if length is None else length
    return struct.pack("!BBHHHBBHII", 0x45, 0, length, 1, fragment, 64, protocol, 0, 0xc0000233,
                       0xc0000201) + body


def tcp(flags, options=b"", payload=b"", header=None, seq=2000, ack=1000):
    header = 20 + len(options) if header is None else header
    return ip(6, struct.pack("!HHIIBBHHH", 40123, 1723, seq, ack, header // 4 << 4, flags, 500,
                             0, 0) + options + payload)


def swapped(packet):
    """The packet on its way back: addresses, and ports of TCP."""
    ports = packet[22:24] + packet[20:22] if packet[9] == 6 else packet[20:24]
    return packet[:12] + packet[16:20] + packet[12:16] + ports + packet[24:]


STAMPS = b"\1\1" + struct.pack("!BBII", 8, 10, 5000, 6000)
SYN_OPTIONS = bytes([2, 4, 5, 180, 4, 2, 1, 1, 3, 3, 7, 0])
GRE = struct.pack("!HHHHI", 0x3001, 0x880b, 8, 128, 51)

OBSERVED = {
    "syn": tcp(0x02, SYN_OPTIONS),
    "acknowledgement": tcp(0x10, STAMPS),
    "reset": tcp(0x14),
    "data": tcp(0x18, STAMPS, message(5, b"\0\0\0\7")[3:]),
    "header-longer-than-segment": tcp(0x10, header=60),
    "option-without-length": tcp(0x10, b"\1\1\1\2"),
    "option-of-no-length": tcp(0x10, b"\2\0\0\0"),
    "gre-encrypted": ip(47, GRE + b"\xff\x03\x00\xfd\x90\x05xx"),
    "gre-protocol-in-one-octet": ip(47, GRE + b"\xfd\x90\x05xxxxx"),
    "gre-acknowledgement": ip(47, struct.pack("!HHHHI", 0x2081, 0x880b, 0, 128, 51)),
    "gre-cut-short": ip(47, GRE[:9]),
    "gre-of-another-kind": ip(47, b"\0\0\x08\0" + b"x" * 20),
    "fragment": ip(47, GRE, fragment=100),
    "length-below-header": ip(6, b"x" * 20, length=19),
    "captured-in-part": tcp(0x18, STAMPS, b"x" * 100)[:60],
    "ipv6": b"\x60" + b"\0" * 60,
}


def came(packet):
    return event(0, packet)


def went(packet):
    return event(1, swapped(packet))


def coming(number, frame, acknowledged=None):
    # Without the octets of the event.
    return came(ip(47, gre(frame, number, acknowledged)[3:]))


def going(number, frame, acknowledged=None):
    packet = bytearray(gre(frame, number, acknowledged)[3:])
    packet[6:8] = b"\0\7"
    return went(ip(47, bytes(packet)))


FOLLOW, FORGET, LATER = b"\2\0", b"\3\0", b"\4\xff\xff"
HANDSHAKE = (came(tcp(0x02, SYN_OPTIONS, seq=1999, ack=0))
             + went(tcp(0x12, SYN_OPTIONS, seq=999, ack=2000)) + came(tcp(0x10, STAMPS)))
ENCRYPTED = b"\xff\x03\x00\xfd\x90\x00" + b"x" * 8

CALL_OBSERVER = {
    "handshake": HANDSHAKE + FOLLOW + LATER,
    "window-scale-83": came(tcp(0x02, SYN_OPTIONS[:-2] + b"\x53\0", seq=1999, ack=0))
    + HANDSHAKE[len(came(tcp(0x02, SYN_OPTIONS))):] + FOLLOW + LATER,
    "syn-alone": came(tcp(0x02, SYN_OPTIONS)) + LATER,
    "syn-again": HANDSHAKE + FOLLOW + came(tcp(0x02, SYN_OPTIONS, seq=77)) + FORGET + LATER * 3,
    "new-connection": HANDSHAKE * 2 + FOLLOW + came(tcp(0x14)) + HANDSHAKE + FORGET,
    "ends-forged": HANDSHAKE + FOLLOW + came(tcp(0x14, seq=9)) + came(tcp(0x11, seq=90000))
    + came(tcp(0x14)) + LATER,
    "fin-of-both": HANDSHAKE + FOLLOW + came(tcp(0x11)) + went(tcp(0x11, seq=1000, ack=2001))
    + FORGET + LATER,
    "echo": HANDSHAKE + FOLLOW + came(tcp(0x18, STAMPS, message(5, b"\0\0\0\7")[3:]))
    + went(tcp(0x18, STAMPS, message(6, b"\0\0\0\7\1\0\0\0")[3:], seq=1000, ack=2016)),
    "stop": HANDSHAKE + FOLLOW + came(tcp(0x18, STAMPS, message(3, b"\1\0\0\0")[3:])) + LATER,
    "data": FOLLOW + coming(1, ENCRYPTED) + going(1, ENCRYPTED, 1) + coming(2, lcp(9, 1, MAGIC)),
    "far-ahead": FOLLOW + coming(1, ENCRYPTED) + coming(0x70000000, ENCRYPTED) + LATER
    + going(5, ENCRYPTED, 9000) + coming(9001, ENCRYPTED),
    "first-forged": FOLLOW + coming(60000, ENCRYPTED) + going(1, ENCRYPTED, 1)
    + coming(2, ENCRYPTED),
    "our-address-came": FOLLOW + came(swapped(ip(47, gre(ENCRYPTED, 9)[3:]))) + LATER,
    "two-calls-of-one-address": HANDSHAKE + FOLLOW + b"\2\1" + coming(1, ENCRYPTED) + FORGET
    + coming(2, ENCRYPTED) + b"\3\1" + LATER,
}

NUMBERS = struct.pack("!QH", 5, 50) + pptp_numbers()[:50]
PATH_REPORT = {
    "ready": b"\0" + sized(b"") + sized(b"locked memory is refused"),
    "prepared": b"\1" + struct.pack("!Q", 5),
    "resumed": b"\2" + struct.pack("!Q", 5) + sized(b"exact"),
    "ended": b"\4" + struct.pack("!Q", 5) + sized(b"peer is silent") + b"\2",
    "ended-cause-0": b"\4" + struct.pack("!Q", 5) + sized(b"") + b"\0",
    "ended-two-lines": b"\4" + struct.pack("!Q", 5) + sized(b"a\nb") + b"\2",
    "wants-connection": b"\6" + struct.pack("!QIIIII", 5, 1, 2, 3, 4, 5),
    "numbers": b"\x08\7" + struct.pack("!QBH", 0, 1, 1) + NUMBERS,
    "numbers-of-257": b"\x08\7" + struct.pack("!QBH", 0, 1, 257) + NUMBERS * 257,
    "numbers-last-2": b"\x08\7" + struct.pack("!QBH", 0, 2, 1) + NUMBERS,
    "counters": b"\x09" + bytes(15 * 8),
    "order-prepare": b"\1" + struct.pack("!QB", 5, 7) + sized(pptp_call())
    + sized(pptp_numbers()) + b"\1" + b"s" * 16 + b"r" * 16,
}

TARGETS = {"call_observer": CALL_OBSERVER, "mppe": MPPE, "observed": OBSERVED,
           "path_report": PATH_REPORT, "pptp_call": PPTP_CALL, "pptp_record": PPTP_RECORD}
