# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests of RADIUS servers (RFC 5176), for make_corpus.py."""

import hashlib
import hmac
import struct

SECRET = b"a secret"
DISCONNECT, CHANGE = 40, 43


def attribute(kind, value, length=None):
    return struct.pack("!BB", kind, 2 + len(value) if length is None else length) + value


def plain(code, *attributes, authenticator=bytes(16), length=None):
    body = b"".join(attributes)
    size = 20 + len(body) if length is None else length
    return struct.pack("!BBH", code, 7, size) + authenticator + body


def authenticated(code, *attributes):
    digest = hashlib.md5(plain(code, *attributes) + SECRET).digest()
    return plain(code, *attributes, authenticator=digest)


def signed(code, *attributes):
    unsigned = plain(code, *attributes, attribute(80, bytes(16)))
    digest = hmac.new(SECRET, unsigned, "md5").digest()
    return authenticated(code, *attributes, attribute(80, digest))


def number(value):
    return struct.pack("!I", value)


SESSION = attribute(44, b"6955b900-1-7.2-3")
USER, ADDRESS = attribute(1, b"alice"), attribute(8, number(0x0AC81005))
TIME = attribute(55, number(1_767_225_600))
MIKROTIK = attribute(26, struct.pack("!IBB", 14988, 8, 13) + b"5M/20M 1M/1")

RADIUS = {
    "disconnect-by-id": signed(DISCONNECT, SESSION),
    "disconnect-by-user": signed(DISCONNECT, USER, ADDRESS, attribute(31, b"192.0.2.51"), TIME),
    "disconnect-through-proxies": signed(DISCONNECT, attribute(33, b"a"), SESSION,
                                         attribute(33, b"b"), attribute(32, b"vpnha"),
                                         attribute(4, number(1)), attribute(49, number(6))),
    "change-of-timeout": signed(CHANGE, SESSION, TIME, attribute(27, number(60))),
    "change-of-both-timeouts": signed(CHANGE, SESSION, TIME, attribute(27, number(0)),
                                      attribute(28, number(600))),
    "change-of-nothing": signed(CHANGE, SESSION, TIME),
    "timeout-twice": signed(CHANGE, SESSION, TIME, attribute(27, number(60)),
                            attribute(27, number(61))),
    "timeout-of-three-octets": signed(CHANGE, SESSION, TIME, attribute(28, bytes(3))),
    "change-of-rate": signed(CHANGE, SESSION, TIME, attribute(11, b"20000/5000")),
    "change-of-rate-by-vendors": signed(CHANGE, SESSION, TIME, MIKROTIK, attribute(
        26, struct.pack("!IBBI", 14122, 7, 6, 64_000))),
    "change-of-rate-cut-short": signed(CHANGE, SESSION, TIME, attribute(26, bytes(5))),
    "change-of-service": signed(CHANGE, SESSION, TIME, attribute(6, number(17))),
    "unsigned": authenticated(DISCONNECT, SESSION),
    "signature-cut-short": authenticated(DISCONNECT, SESSION, attribute(80, bytes(15))),
    "signature-twice": signed(DISCONNECT, SESSION, attribute(80, bytes(16))),
    "no-attributes": plain(DISCONNECT),
    "attribute-empty": plain(DISCONNECT, attribute(1, b"")),
    "attribute-length-0": plain(DISCONNECT, attribute(1, b"alice", length=0)),
    "attribute-length-beyond-packet": plain(DISCONNECT, attribute(1, b"alice", length=99)),
    "attribute-of-one-octet": plain(DISCONNECT, SESSION, b"\x50"),
    "length-19": plain(DISCONNECT, SESSION, length=19),
    "length-beyond-datagram": plain(DISCONNECT, SESSION, length=4096),
    "padding-behind-length": signed(DISCONNECT, SESSION) + b"\xff" * 5,
    "address-of-five-octets": signed(DISCONNECT, attribute(8, bytes(5)), TIME),
    "session-of-no-gateway": signed(DISCONNECT, attribute(44, b"6955b900-1ff-7.2-3")),
    "access-request": plain(1, USER),
}
