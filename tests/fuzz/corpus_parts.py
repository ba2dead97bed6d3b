# SPDX-License-Identifier: GPL-2.0-or-later
"""What the corpora of several targets are made of."""

import struct

ADDRESS = bytes.fromhex("20010db8" + "00" * 11 + "09")


def u16(value):
    return struct.pack("!H", value)


def sized(data):
    return struct.pack("!H", len(data)) + data


def frames(*items):
    return b"".join(struct.pack("!H", len(item)) + item for item in items)
