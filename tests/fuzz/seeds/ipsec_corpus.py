# SPDX-License-Identifier: GPL-2.0-or-later
"""What charon's ha plugin and its control socket send, and the records that are made of it."""

import struct

from corpus_parts import ADDRESS, frames, sized, u16


def ike_id(version, number, initiator=0):
    return struct.pack("!BQQB", version, 0xA000 + number, 0xB000 + number, initiator)


def ha(kind, *attributes, version=3):
    return bytes([version, kind]) + b"".join(attributes)


def chunk(tag, data):
    return bytes([tag]) + u16(len(data)) + data


def ike_add(version, number, *replaced):
    return ha(1, bytes([36, version]), b"\x01" + ike_id(version, number),
              *[b"\x02" + ike_id(version, old) + b"\x14\0\x05" + chunk(18, b"skd")
                for old in replaced],
              b"\x17\0\x0c", chunk(15, b"nonce-i"), chunk(16, b"nonce-r"), chunk(17, b"secret"),
              chunk(39, b"psk"), b"\x07\x11\x94\x02" + b"\xc6\x33\x64\x07")


def ike_update(version, number, peer=7):
    return ha(2, b"\x01" + ike_id(version, number), b"\x03\x02\x03vpn", b"\x04\x03\x05a@b.c",
              b"\x06\x11\x94\x02" + b"\xc0\0\x02\x64",
              b"\x07\x11\x94\x02" + b"\xc6\x33\x64" + bytes([peer]),
              b"\x09\0\0\0\x12", b"\x0a\0\0\0\x03", b"\x08road\0")


def ike_vip(version, number):
    return ha(2, b"\x01" + ike_id(version, number), b"\x0c\0\0\x0a" + ADDRESS)


def ike_delete(version, number):
    return ha(5, b"\x01" + ike_id(version, number))


def child_add(version, number, spi):
    return ha(6, b"\x01" + ike_id(version, number), b"\x0e\0", b"\x1b" + spi, b"\x1c" + spi[::-1],
              b"\x1d\0\0", b"\x1e\0\0", b"\x19\x02", b"\x1a\0", b"\x08net\0", b"\x23\0\0",
              b"\x1f\x07\0\0\0\xff\xff\0" + b"\x0a\0\0\0\x0a\0\0\xff",
              b"\x20\x08\0\0\0\xff\xff\x01" + ADDRESS * 2)


def child_delete(version, number, spi):
    return ha(7, b"\x01" + ike_id(version, number), b"\x1b" + spi)


def sent(*messages):
    return frames(*messages)


SPI = bytes.fromhex("c1c2c3c4")
SPI_2 = bytes.fromhex("d1d2d3d4")
MAIN = (ha(12, b"\x01" + ike_id(1, 1), chunk(40, b"iv")), ike_add(1, 1),
        ha(12, b"\x01" + ike_id(1, 1), chunk(40, b"iv-2")), ike_update(1, 1), child_add(1, 1, SPI))
IKEV2 = (ike_add(2, 1), ha(4, b"\x01" + ike_id(2, 1), b"\x21\0\0\0\x02"), ike_update(2, 1),
         child_add(2, 1, SPI), ike_vip(2, 1))

HA_MESSAGE = {
    "ikev1": sent(*MAIN),
    "ikev1-reauthentication": sent(*MAIN, ike_add(1, 2), ike_update(1, 2), child_add(1, 2, SPI_2),
                                   ike_delete(1, 1), child_delete(1, 2, SPI)),
    "ikev1-reauthentication-with-address": sent(*MAIN, ike_vip(1, 1), ike_add(1, 2),
                                                ike_update(1, 2), ike_delete(1, 1)),
    "ikev1-another-peer": sent(*MAIN, ike_add(1, 2), ike_update(1, 2, peer=8), ike_delete(1, 1)),
    "ikev2": sent(*IKEV2),
    "ikev2-rekey": sent(*IKEV2, ike_add(2, 2, 1), ike_delete(2, 1), ike_update(2, 2),
                        child_add(2, 2, SPI_2), child_delete(2, 2, SPI)),
    "ikev2-rekey-of-both-sides": sent(*IKEV2, ike_add(2, 2, 1), ike_add(2, 3, 1),
                                      ike_delete(2, 2), ike_delete(2, 1), ike_update(2, 3)),
    "ikev2-rekey-that-fails": sent(*IKEV2, ike_add(2, 2, 1), ike_delete(2, 1), ike_delete(2, 2)),
    "ikev2-named-twice": sent(*IKEV2, ha(2, b"\x01" + ike_id(2, 1), b"\x08other\0")),
    "replaces-itself": sent(ike_add(2, 1, 1), ike_update(2, 1), child_add(2, 1, SPI)),
    "child-of-nobody": sent(child_add(2, 9, SPI)),
    "status": sent(ha(10, b"\x22\0\x01")),
    "version-5": sent(ha(1, version=5)),
    "type-13": sent(ha(13)),
    "attribute-44": sent(ha(1, b"\x2c\0")),
    "name-without-end": sent(ha(2, b"\x01" + ike_id(2, 1), b"\x08road")),
    "address-of-no-family": sent(ha(2, b"\x01" + ike_id(2, 1), b"\x07\0\0\x03abcd")),
    # A packet that is none of these messages.
    "request": sent(bytes.fromhex("45000064000100004011000" "0c6336407c0000264" "01f401f400500000")
                    + struct.pack("!QQBBBBII", 0xA001, 0xB001, 46, 0x20, 36, 8, 5, 64)),
    "request-behind-nat": sent(
        bytes.fromhex("60000000003c1140") + b"\0" * 32 + bytes.fromhex("1194119400500000")
        + b"\0" * 4 + struct.pack("!QQBBBBII", 0xA001, 0xB001, 46, 0x20, 37, 8, 5, 64)),
    "chunk-cut": sent(ha(1, b"\x0f\xff\xffab")),
}


def sa_record(identity, payload):
    return bytes([len(identity)]) + identity + payload


def ike_record(flags=0, heir=b"", updates=(ike_update(2, 1), ike_vip(2, 1)), version=1):
    return sa_record(ike_id(2, 1)[:-1],
                     struct.pack("!BBQQ", version, flags, 7, 8) + frames(ike_add(2, 1))
                     + bytes([len(updates)]) + frames(*updates) + struct.pack("!II", 1, 2)
                     + frames(b"iv") + heir)


def child_record(spi):
    return sa_record(spi[::-1], b"\x01" + spi + struct.pack("!Q", 8) + ike_id(2, 1)[:-1]
                     + ike_id(2, 2)[:-1] + b"\0\0" + frames(child_add(2, 1, spi)))


SA_RECORD = {
    "ike": ike_record(),
    "ike-dead": ike_record(6, ike_id(2, 2)[:-1]),
    "ike-dead-without-heir": ike_record(2),
    "ike-its-own-heir": ike_record(4, ike_id(2, 1)[:-1]),
    "ike-updates-in-another-order": ike_record(updates=(ike_vip(2, 1), ike_update(2, 1))),
    "ike-updates-twice": ike_record(updates=(ike_update(2, 1), ike_update(2, 1))),
    "ike-not-established": ike_record(updates=(ike_vip(2, 1),)),
    "ike-version-2": ike_record(version=2),
    "child": child_record(SPI),
    "child-of-another-id": child_record(SPI).replace(SPI[::-1], SPI_2, 1),
    "counters": sa_record(SPI, b"\x01\x01" + struct.pack("!QQQIII", 5, 6, 1, 64, 7, 8)),
    "open-request": sa_record(ike_id(2, 1)[:-1] + struct.pack("!I", 5), b"\x01" + frames(
        ike_id(2, 1)[1:-1] + struct.pack("!BBBBII", 46, 0x20, 37, 0, 5, 28))),
    "counters-129-words": sa_record(SPI, b"\x01\x00" + struct.pack("!QQQI", 5, 6, 1, 4096)
                                    + b"\0" * 516),
}


def named(kind, name, *content):
    """An element of vici that has a name; its end, where it has one, is part of the content."""
    return bytes([kind, len(name)]) + name + b"".join(content)


VICI = {
    "version": b"\x01" + named(3, b"daemon", sized(b"charon-systemd")),
    "conns": b"\x01" + named(4, b"conns", b"\x05" + sized(b"ikev2"), b"\x06"),
    "no-conns": b"\x01" + named(4, b"conns", b"\x06"),
    "failed": b"\x01" + named(3, b"success", sized(b"no")) + named(3, b"errmsg", sized(b"why")),
    "unknown-command": b"\x02",
    "command": named(0, b"rekey", named(3, b"child", sized(b"west"))),
    "event": named(7, b"list-sa", named(1, b"west", named(1, b"child-sas", b"\x02"), b"\x02")),
    "nests-too-deep": b"\x01" + b"\x01\x01s" * 17 + b"\x02" * 17,
    "section-without-end": b"\x01\x01\x01s",
    "end-without-section": b"\x01\x02",
    "item-without-list": b"\x01\x05\x00\x00",
    "list-in-list": b"\x01" + named(4, b"l", named(4, b"m", b"\x06"), b"\x06"),
    "value-longer-than-packet": b"\x01\x03\x01k\xff\xffv",
    "type-of-a-client": named(3, b"list-sa"),
}
