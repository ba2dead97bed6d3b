# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames between the lab and a node's agent: two lengths, a JSON header, a raw body."""
from __future__ import annotations

import json
import struct

_PREFIX = struct.Struct("!II")
HEADER_MAX = 1 << 20
BODY_MAX = 1 << 30


class FrameError(ValueError):
    """The other side does not speak this protocol."""


def encode(header: dict, body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return _PREFIX.pack(len(text), len(body)) + text + body


class Decoder:
    """Collects bytes of a stream and gives out whole frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next(self) -> tuple[dict, bytes] | None:
        """The next whole frame, or None until more bytes have come."""
        if len(self._buffer) < _PREFIX.size:
            return None
        header_length, body_length = _PREFIX.unpack_from(self._buffer)
        if header_length > HEADER_MAX or body_length > BODY_MAX:
            raise FrameError(f"frame of {header_length}+{body_length} bytes")
        end = _PREFIX.size + header_length + body_length
        if len(self._buffer) < end:
            return None
        middle = _PREFIX.size + header_length
        header = json.loads(self._buffer[_PREFIX.size:middle])
        if not isinstance(header, dict):
            raise FrameError("the header is no object")
        body = bytes(self._buffer[middle:end])
        del self._buffer[:end]
        return header, body
