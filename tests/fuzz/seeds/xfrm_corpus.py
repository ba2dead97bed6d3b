# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages of the kernel about ESP SAs, for make_corpus.py."""
import struct


def xfrm(kind, *attributes):
    """A message of that type about an SA, with its attributes: type and content."""
    head = bytearray(224 if kind == 0x10 else 64)
    if kind == 0x10:
        head[56:60], head[72:77] = b"\xc6\x33\x64\x09", b"\xc0\xff\xee\x01\x32"
        head[80:84], head[212:218] = b"\xc0\x00\x02\x01", struct.pack("<HBBH", 2, 0, 32, 128)
    return bytes([kind]) + head + b"".join(
        struct.pack("<HH", 4 + len(content), number) + content for number, content in attributes)


def words(*numbers):
    return struct.pack(f"<{len(numbers)}I", *numbers)


CIPHER = 2, bytes(68)

XFRM = {
    "sa": xfrm(0x10, CIPHER, (10, words(7, 9, 255))),
    "sa-mark-esn": xfrm(0x10, CIPHER, (23, words(2, 7, 9, 1, 3, 64, 10, 11)),
                        (21, words(5, 0xffffffff))),
    "sa-asked-for": xfrm(0x10, (10, words(0, 0, 0))),
    "sa-without-numbers": xfrm(0x10, (2, bytes(32))),
    "numbers": xfrm(0x1e, (10, words(7, 9, 255))),
    "numbers-esn": xfrm(0x1e, (23, words(2, 7, 9, 1, 3, 64, 10, 11))),
    "numbers-window-short": xfrm(0x1e, (23, words(2, 7, 9, 1, 3, 64, 10))),
    "numbers-window-wraps": xfrm(0x1e, (23, words(0x40000001, 7, 9, 1, 3, 64, 10))),
    "header-short": xfrm(0x1e)[:40],
}
