# SPDX-License-Identifier: GPL-2.0-or-later
"""A file system in memory, on a disk that can be slow or stand still: of what a program waits for
in fsync(), by FUSE's own protocol (linux/fuse.h). One directory, files of a few blocks.

usage: stalling_fs.py DIRECTORY CONTROL

Mounts itself on DIRECTORY. Before each fsync is answered the file CONTROL is asked how long that
takes: "0" or another number of milliseconds, or "stuck", which lasts until it has something else.
A program that waits for an answer cannot be killed meanwhile, as with a disk.
"""
from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
import threading
import time
from pathlib import Path

ROOT = 1
POLL_S = 0.02
IN, OUT = struct.Struct("<IIQQIIII"), struct.Struct("<IiQ")
OPENED = struct.pack("<QII", 0, 0, 0)
NO_ANSWER = (2, 36, 42)  # FORGET, INTERRUPT, BATCH_FORGET
SET_MODE, SET_SIZE, EXCHANGE = 1, 8, 2
BLOCKS = 1 << 16


class File:
    def __init__(self, mode: int) -> None:
        self.mode = mode
        self.data = bytearray()
        self.links = 1


class StallingFs:
    def __init__(self, control: Path) -> None:
        self._control = control
        self._files: dict[int, File] = {ROOT: File(stat.S_IFDIR | 0o700)}
        self._names: dict[bytes, int] = {}
        self._next = ROOT + 1
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        self._operations = {
            1: self._lookup, 3: self._getattr, 4: self._setattr, 10: self._unlink,
            12: self._rename, 14: self._open, 15: self._read, 16: self._write,
            17: self._statfs, 18: self._nothing, 26: self._init, 27: self._open,
            28: self._readdir, 29: self._nothing, 35: self._create, 45: self._rename2}

    def mount(self, directory: str) -> None:
        options = f"fd={self._device},rootmode=40700,user_id=0,group_id=0"
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"stalling", directory.encode(), b"fuse", 0, options.encode()) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), directory)

    def serve(self) -> None:
        """Until it is unmounted."""
        while True:
            try:
                request = os.read(self._device, 1 << 20)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return
                raise
            _, operation, unique, node, *_ = IN.unpack_from(request)
            if operation in NO_ANSWER:
                continue
            if operation in (20, 30):  # FSYNC, FSYNCDIR
                threading.Thread(target=self._sync, args=(unique,), daemon=True).start()
                continue
            try:
                handler = self._operations.get(operation)
                if handler is None:
                    raise OSError(errno.ENOSYS, "")
                self._answer(unique, handler(node, request[IN.size:]))
            except OSError as error:
                self._answer(unique, b"", -(error.errno or errno.EIO))

    def _answer(self, unique: int, body: bytes, error: int = 0) -> None:
        os.write(self._device, OUT.pack(OUT.size + len(body), error, unique) + body)

    def _sync(self, unique: int) -> None:
        begun = time.monotonic()
        while True:
            wanted = self._control.read_text("ascii").strip()
            if wanted and wanted != "stuck":
                left = int(wanted) / 1000 - (time.monotonic() - begun)
                if left <= 0:
                    break
                time.sleep(min(left, POLL_S))
            else:
                time.sleep(POLL_S)
        self._answer(unique, b"")

    def _attributes(self, node: int) -> bytes:
        file = self._files[node]
        return struct.pack("<6Q10I", node, len(file.data), (len(file.data) + 511) // 512, 0, 0, 0,
                           0, 0, 0, file.mode, file.links, 0, 0, 0, 4096, 0)

    def _entry(self, node: int) -> bytes:
        return struct.pack("<4Q2I", node, 0, 0, 0, 0, 0) + self._attributes(node)

    def _find(self, name: bytes) -> int:
        if name not in self._names:
            raise OSError(errno.ENOENT, "")
        return self._names[name]

    def _init(self, _node: int, _body: bytes) -> bytes:
        return struct.pack("<4I2H2I2H8I", 7, 31, 65536, 0, 16, 12, 65536, 1, 0, 0, *([0] * 8))

    def _nothing(self, _node: int, _body: bytes) -> bytes:
        return b""

    def _lookup(self, _node: int, body: bytes) -> bytes:
        return self._entry(self._find(body.rstrip(b"\0")))

    def _getattr(self, node: int, _body: bytes) -> bytes:
        return struct.pack("<QII", 0, 0, 0) + self._attributes(node)

    def _setattr(self, node: int, body: bytes) -> bytes:
        valid, _, _, size = struct.unpack_from("<IIQQ", body)
        file = self._files[node]
        if valid & SET_SIZE:
            file.data = file.data[:size].ljust(size, b"\0")
        if valid & SET_MODE:
            file.mode = stat.S_IFMT(file.mode) | struct.unpack_from("<I", body, 68)[0] & 0o7777
        return self._getattr(node, b"")

    def _open(self, _node: int, _body: bytes) -> bytes:
        return OPENED

    def _create(self, _node: int, body: bytes) -> bytes:
        name = body[16:].rstrip(b"\0")
        node, self._next = self._next, self._next + 1
        self._files[node] = File(stat.S_IFREG | struct.unpack_from("<I", body, 4)[0] & 0o7777)
        self._names[name] = node
        return self._entry(node) + OPENED

    def _read(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        return bytes(self._files[node].data[offset:offset + size])

    def _write(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        data = self._files[node].data
        data.extend(b"\0" * (offset - len(data)))
        data[offset:offset + size] = body[40:40 + size]
        return struct.pack("<II", size, 0)

    def _unlink(self, _node: int, body: bytes) -> bytes:
        name = body.rstrip(b"\0")
        self._files[self._find(name)].links = 0
        del self._names[name]
        return b""

    def _rename(self, _node: int, body: bytes) -> bytes:
        return self._move(body[8:], 0)

    def _rename2(self, _node: int, body: bytes) -> bytes:
        return self._move(body[16:], struct.unpack_from("<QI", body)[1])

    def _move(self, names: bytes, flags: int) -> bytes:
        old, new = names.split(b"\0")[:2]
        node = self._find(old)
        if flags & EXCHANGE:
            self._names[old], self._names[new] = self._find(new), node
        else:
            self._names[new] = node
            del self._names[old]
        return b""

    def _readdir(self, _node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        listed = b""
        for number, (name, node) in enumerate(sorted(self._names.items()), start=1):
            entry = struct.pack("<QQII", node, number, len(name), 8) + name
            entry += b"\0" * (-len(entry) % 8)
            if number > offset and len(listed) + len(entry) <= size:
                listed += entry
        return listed

    def _statfs(self, _node: int, _body: bytes) -> bytes:
        return struct.pack("<5Q10I", BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCKS, 4096, 255, 4096, 0,
                           *([0] * 6))


def main() -> None:
    directory, control = sys.argv[1:]
    os.makedirs(directory, mode=0o700, exist_ok=True)
    Path(control).write_text("0", encoding="ascii")
    file_system = StallingFs(Path(control))
    file_system.mount(directory)
    file_system.serve()


if __name__ == "__main__":
    main()
