# SPDX-License-Identifier: GPL-2.0-or-later
"""Inputs for the fuzz targets of WireGuard; make_corpus.py writes them."""

from __future__ import annotations

import struct

from corpus_parts import ADDRESS, sized

KEY = bytes(range(1, 33))
KEY_TEXT = b"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
ENDPOINT = b"\x04\xc0\x00\x02\x33\x9c\xbb"
NETS = b"\x00\x02\x04\x0a\xc8\x09\x07\x20\x10" + ADDRESS + b"\x80"


def peer(version=1, sealed=72, keepalive=25, endpoint=ENDPOINT, nets=NETS):
    return (KEY + bytes([version]) + sized(b"s" * sealed) + struct.pack("!H", keepalive) + endpoint
            + nets)


def traffic(version=1):
    return KEY + struct.pack("!BQQQ", version, 1_700_000_000_000, 4096, 65536)


WIREGUARD_RECORD = {
    "key": KEY,
    "key-cut": KEY[:-1],
    "peer": peer(),
    "peer-without-endpoint": peer(sealed=0, keepalive=0, endpoint=b"\0", nets=b"\0\0"),
    "peer-ipv6-endpoint": peer(endpoint=b"\x10" + ADDRESS + b"\xca\x6c"),
    "peer-endpoint-of-a-link": peer(endpoint=b"\x10\xfe\x80" + bytes(14) + b"\xca\x6c"),
    "peer-endpoint-multicast": peer(endpoint=b"\x04\xe0\0\0\x01\xca\x6c"),
    "peer-endpoint-port-0": peer(endpoint=ENDPOINT[:-2] + b"\0\0"),
    "peer-endpoint-of-5-octets": peer(endpoint=b"\x05" + bytes(7)),
    "peer-sealed-too-long": peer(sealed=129),
    "peer-nets-out-of-order": peer(nets=b"\0\2\4\x0a\0\0\2\x20\4\x0a\0\0\1\x20"),
    "peer-nets-with-host-bits": peer(nets=b"\0\1\4\x0a\0\0\1\x18"),
    "peer-nets-longer-than-their-family": peer(nets=b"\0\1\4\x0a\0\0\1\x21"),
    "peer-nets-mapped": peer(nets=b"\0\1\x10" + bytes(10) + b"\xff\xff\x0a\0\0\1\x80"),
    "peer-nets-too-many": peer(nets=b"\xff\xff" + NETS[2:]),
    "peer-version-2": peer(version=2),
    "peer-cut": peer()[:-1],
    "peer-tail": peer() + b"\0",
    "traffic": traffic(),
    "traffic-version-2": traffic(version=2),
    "traffic-cut": traffic()[:-1],
}

PEERS_FILE = {
    "interface-and-peer": b"[Interface]\nListenPort = 51820\nFwMark = 0xca6c\nPrivateKey = "
    + KEY_TEXT + b"\n\n[Peer]\nPublicKey = " + KEY_TEXT + b"\nPresharedKey = " + KEY_TEXT
    + b"\nAllowedIPs = 10.200.9.7/32, 2001:db8:9::7\nEndpoint = [2001:db8::51]:51820\n"
    + b"PersistentKeepalive = 25\n",
    "blanks-and-case": b"\r\n\t[PEER] # x\r\npublickey=" + KEY_TEXT + b"\r\nallowedips=\r\n",
    "wg-quick": b"[Interface]\nAddress = 10.0.0.1/24\nPostUp = true\n",
    "all-errors": b"x\n=\n[\n[Peer]\nPublicKey = =\nAllowedIPs = ,\nEndpoint = :\n"
    + b"PersistentKeepalive = -1\n[Interface]\nListenPort = 99999\nFwMark = 0x\nPrivateKey =\n",
    "peer-twice": (b"[Peer]\nPublicKey = " + KEY_TEXT + b"\nAllowedIPs = 0.0.0.0/0\n") * 2,
    "no-end-of-line": b"[Peer]\nPublicKey = " + KEY_TEXT,
}


def attribute(kind, content):
    padding = bytes(-len(content) % 4)
    return struct.pack("<HH", 4 + len(content), kind) + content + padding


def listed(*attributes):
    """A peer of a listing."""
    return attribute(0x8000, b"".join(attributes))


def listing(*peers):
    """Behind the netlink header: command, version, the device, its peers."""
    return b"\0\1\0\0" + attribute(2, b"wg0\0") + attribute(0x8008, b"".join(peers))


PUBLIC_KEY = attribute(1, KEY)
COUNTERS = (attribute(6, struct.pack("<qq", 1_700_000_000, 5_000_000))
            + attribute(7, struct.pack("<Q", 4096)) + attribute(8, struct.pack("<Q", 65536)))
V4 = struct.pack("<H", 2) + b"\x9c\xbb\xc0\x00\x02\x33" + bytes(8)
V6 = struct.pack("<H", 10) + b"\xca\x6c" + bytes(4) + ADDRESS + bytes(4)

PEER_LISTING = {
    "empty": listing(),
    "peers": listing(listed(PUBLIC_KEY, attribute(2, bytes(32)), attribute(4, V4), COUNTERS),
                     listed(PUBLIC_KEY, attribute(4, V6), COUNTERS)),
    "peer-continues": listing(listed(PUBLIC_KEY, attribute(9, bytes(8)))),
    "peer-without-key": listing(listed(COUNTERS)),
    "endpoint-of-no-family": listing(listed(PUBLIC_KEY, attribute(4, bytes(16)), COUNTERS)),
    "endpoint-mapped": listing(listed(PUBLIC_KEY, attribute(
        4, V6[:8] + bytes(10) + b"\xff\xff\x0a\0\0\1" + bytes(4)), COUNTERS)),
    "counters-short": listing(listed(PUBLIC_KEY, attribute(7, b"1234"), attribute(8, b""))),
    "time-before-1970": listing(listed(PUBLIC_KEY, attribute(6, b"\xff" * 16), COUNTERS[20:])),
    "cut": listing(listed(PUBLIC_KEY, COUNTERS))[:-5],
}
