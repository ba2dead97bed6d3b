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


def facts(user=b"alice", interface=b"ppp0", mru=1500, mtu=1396, ipv6=b"", routes=b"\0",
          obstacle=b"", proxied=b"\0", flags=0x0f):
    """Of a session of PPP (libvpnha/src/protocols/ppp/model/session_facts.hpp)."""
    link = struct.pack("!HII", mru, 0x0A0A0A0A, 0)
    fixed = struct.pack("!IIHHHBQII", 0x0AC80001, 0x0AC8010A, mtu, 5, 3,
                        flags | (0x20 if ipv6 else 0), 1_700_000_000_000, 7200, 900)
    return link + link + fixed + ipv6 + routes + proxied + frames(obstacle, user, interface)
