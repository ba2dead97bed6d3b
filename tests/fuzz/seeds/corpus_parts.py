# SPDX-License-Identifier: GPL-2.0-or-later
"""What the corpora of several targets are made of."""

import struct

ADDRESS = bytes.fromhex("20010db8" + "00" * 11 + "09")
# Of a session, that its gateway answers for: an IPv4 address inside, an IPv6 address outside.
PROXIED = b"\x02\x01\x04\x0a\x00\x00\x02\x00\x10" + ADDRESS


def u16(value):
    return struct.pack("!H", value)


def sized(data):
    return struct.pack("!H", len(data)) + data


def frames(*items):
    return b"".join(struct.pack("!H", len(item)) + item for item in items)
