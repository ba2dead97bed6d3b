# SPDX-License-Identifier: GPL-2.0-or-later
"""Inputs for the fuzz targets of PPTP and MPPE; make_corpus.py writes them."""

from __future__ import annotations

import struct

from corpus_parts import frames

PPTP_KEY = bytes.fromhex("c000020106bbc00002339cbb00800007")


def pptp_call(version=1, mss=1448, scale=7, mtu=1396, bits=128, keys=72, user=b"anna"):
    link = struct.pack("!HIIB", 1400, 0x11111111, 0, 3)
    return (bytes([version]) + PPTP_KEY + struct.pack("!HBBB", mss, 7, scale, 8) + link + link
            + struct.pack("!IIHHHQB", 0x0a000001, 0x0a000002, mtu, 20, 3, 1_700_000_000_000, bits)
            + frames(b"k" * keys, user, b"ppp0"))


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
    "call-small-mtu": pptp_call(mtu=127),
    "call-cut-short": pptp_call()[:-3],
    "numbers": pptp_numbers(),
    "numbers-unknown-flag": pptp_numbers(flags=2),
    "numbers-index-too-high": pptp_numbers(index=1 << 60),
}

TARGETS = {"pptp_record": PPTP_RECORD}
