# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent of a node: runs commands for the lab, as process 1.

One thread, one loop. Each request has a connection of its own, so any number of commands run at
once and a closed connection ends the command it stood for. Requests (see vpnlab/host/channel.py for
the other side):

  hello                        who is there
  clock  [adjust_ns]           the node's clock, in nanoseconds, after moving it
  run    argv [limit cwd env]    body = stdin; frames of stdout/stderr, then the exit code
  start  argv [stdout stderr]  a process in the background; answers its handle, which is its pid
  poll   handle                running or its exit code
  wait   handle                the same, answered when it has ended
  signal handle number         to the process group
  put    path [mode append]    body = content
  get    path [offset]         content; also of files in /proc and /sys, without a fork
"""
from __future__ import annotations

import collections
import contextlib
import heapq
import os
import selectors
import signal
import socket
import time
import traceback

import frames

CHUNK = 1 << 16
# A node restarts with its process table empty; finished handles kept for late polls.
FINISHED_MAX = 1000


class Connection:
    """One request of the lab and what is under way for it."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.decoder = frames.Decoder()
        self.out = bytearray()
        self.closing = False
        self.pid = 0
        self.pipes: dict[int, str] = {}
        self.timed_out = False


class Agent:
    def __init__(self, address: str, port: int, token: str) -> None:
        self._token = token
        self._selector = selectors.EpollSelector()
        self._commands: dict[int, Connection] = {}
        self._background: set[int] = set()
        self._finished: collections.OrderedDict[int, int] = collections.OrderedDict()
        self._waiters: dict[int, list[Connection]] = {}
        self._deadlines: list[tuple[float, int, Connection]] = []
        self._null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        self._listener = socket.create_server((address, port), backlog=64)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._on_accept)
        self._watch_children()

    def _watch_children(self) -> None:
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(reader, selectors.EVENT_READ, lambda _: self._on_child(reader))

    def loop(self) -> None:
        while True:
            for key, mask in self._selector.select(self._until_deadline()):
                try:
                    key.data(mask)
                except Exception:
                    # Process 1 must not end, whatever a request contained.
                    traceback.print_exc()
            self._expire()

    # Connections.

    def _on_accept(self, _mask: int) -> None:
        stream, _ = self._listener.accept()
        stream.setblocking(False)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(stream)
        self._selector.register(stream, selectors.EVENT_READ,
                                lambda mask: self._on_stream(connection, mask))

    def _on_stream(self, connection: Connection, mask: int) -> None:
        try:
            if mask & selectors.EVENT_WRITE:
                self._flush(connection)
            if mask & selectors.EVENT_READ:
                data = connection.stream.recv(CHUNK)
                if not data:
                    self._drop(connection)
                    return
                connection.decoder.feed(data)
                while frame := connection.decoder.next():
                    self._on_request(connection, *frame)
        except (OSError, ValueError):
            self._drop(connection)

    def _send(self, connection: Connection, header: dict, body: bytes = b"") -> None:
        if connection.stream.fileno() >= 0:
            connection.out += frames.encode(header, body)
            self._flush(connection)

    def _answer(self, connection: Connection, header: dict, body: bytes = b"") -> None:
        connection.closing = True
        self._send(connection, header, body)

    def _flush(self, connection: Connection) -> None:
        try:
            while connection.out:
                sent = connection.stream.send(memoryview(connection.out)[:CHUNK])
                del connection.out[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(connection)
            return
        if not connection.out and connection.closing:
            self._drop(connection)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.out else 0)
        key = self._selector.get_key(connection.stream)
        if key.events != events:
            self._selector.modify(connection.stream, events, key.data)

    def _drop(self, connection: Connection) -> None:
        """Closes the connection; a command that it stood for ends with it."""
        if connection.stream.fileno() < 0:
            return
        self._selector.unregister(connection.stream)
        connection.stream.close()
        if connection.pid in self._commands:
            _kill_group(connection.pid, signal.SIGKILL)

    def _on_request(self, connection: Connection, header: dict, body: bytes) -> None:
        if header.get("token") != self._token:
            self._answer(connection, {"error": "wrong token"})
            return
        handler = getattr(self, "_do_" + str(header.get("do")), None)
        if handler is None:
            self._answer(connection, {"error": f"unknown request {header.get('do')!r}"})
            return
        try:
            handler(connection, header, body)
        except (OSError, KeyError, TypeError, ValueError) as error:
            self._answer(connection, {"error": f"{type(error).__name__}: {error}",
                                      "errno": getattr(error, "errno", None)})

    # Requests.

    def _do_hello(self, connection: Connection, _header: dict, _body: bytes) -> None:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot_id = file.read().strip()
        self._answer(connection, {"node": socket.gethostname(), "boot_id": boot_id})

    def _do_clock(self, connection: Connection, header: dict, _body: bytes) -> None:
        if header.get("adjust_ns"):
            time.clock_settime_ns(time.CLOCK_REALTIME, time.time_ns() + header["adjust_ns"])
        # The connection stays open: the lab asks several times in a row.
        self._send(connection, {"realtime_ns": time.time_ns()})

    def _do_run(self, connection: Connection, header: dict, body: bytes) -> None:
        pipes = {}
        with contextlib.ExitStack() as cleanup:
            stdin = self._null
            if body:
                stdin = os.memfd_create("stdin")
                cleanup.callback(os.close, stdin)
                os.write(stdin, body)
                os.lseek(stdin, 0, os.SEEK_SET)
            ends = []
            for name in ("stdout", "stderr"):
                reader, writer = os.pipe2(os.O_CLOEXEC)
                cleanup.callback(os.close, writer)
                os.set_blocking(reader, False)
                pipes[reader] = name
                ends.append(writer)
            try:
                pid = _spawn(header, stdin, *ends)
            except OSError as error:
                for reader in pipes:
                    os.close(reader)
                # As a shell would answer: 127 not found, 126 not executable.
                code = 127 if isinstance(error, FileNotFoundError) else 126
                self._send(connection, {"stream": "stderr"},
                           f"{header['argv'][0]}: {error.strerror}\n".encode())
                self._answer(connection, {"exit": code, "timed_out": False})
                return
        connection.pid, connection.pipes = pid, pipes
        self._commands[pid] = connection
        for reader in pipes:
            self._selector.register(reader, selectors.EVENT_READ,
                                    lambda _, fd=reader: self._on_output(connection, fd))
        if header.get("limit"):
            deadline = time.monotonic() + header["limit"]
            heapq.heappush(self._deadlines, (deadline, pid, connection))

    def _do_start(self, connection: Connection, header: dict, _body: bytes) -> None:
        with contextlib.ExitStack() as cleanup:
            ends = []
            for name in ("stdout", "stderr"):
                if header.get(name):
                    end = os.open(header[name],
                                  os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
                    cleanup.callback(os.close, end)
                else:
                    end = self._null
                ends.append(end)
            pid = _spawn(header, self._null, *ends)
        self._background.add(pid)
        self._answer(connection, {"handle": pid})

    def _do_poll(self, connection: Connection, header: dict, _body: bytes) -> None:
        self._answer(connection, self._state(header["handle"]))

    def _do_wait(self, connection: Connection, header: dict, _body: bytes) -> None:
        if header["handle"] in self._background:
            self._waiters.setdefault(header["handle"], []).append(connection)
        else:
            self._answer(connection, self._state(header["handle"]))

    def _state(self, handle: int) -> dict:
        if handle in self._background:
            return {"running": True}
        if handle in self._finished:
            return {"running": False, "exit": self._finished[handle]}
        raise KeyError(f"no process with handle {handle}")

    def _do_signal(self, connection: Connection, header: dict, _body: bytes) -> None:
        # Only while it runs: its number may belong to another process afterwards.
        if header["handle"] in self._background:
            _kill_group(header["handle"], header["number"])
        self._answer(connection, self._state(header["handle"]))

    def _do_put(self, connection: Connection, header: dict, body: bytes) -> None:
        os.makedirs(os.path.dirname(header["path"]) or "/", exist_ok=True)
        # Not blocking: a control pipe whose daemon has died must not stop process 1.
        how = os.O_APPEND if header.get("append") else os.O_TRUNC
        mode = header.get("mode")
        file = os.open(header["path"], os.O_WRONLY | os.O_CREAT | how | os.O_CLOEXEC
                       | os.O_NONBLOCK, 0o644 if mode is None else mode)
        try:
            view = memoryview(body)
            while view:
                view = view[os.write(file, view):]
            # Not without being asked: files of /proc/sys refuse it.
            if mode is not None:
                os.fchmod(file, mode)
        finally:
            os.close(file)
        self._answer(connection, {})

    def _do_get(self, connection: Connection, header: dict, _body: bytes) -> None:
        with open(header["path"], "rb") as file:
            if header.get("offset"):
                file.seek(header["offset"])
            self._answer(connection, {}, file.read())

    # Processes.

    def _on_output(self, connection: Connection, fd: int) -> None:
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        if data:
            self._send(connection, {"stream": connection.pipes[fd]}, data)
        else:
            self._close_pipe(connection, fd)

    def _close_pipe(self, connection: Connection, fd: int) -> None:
        self._selector.unregister(fd)
        os.close(fd)
        del connection.pipes[fd]

    def _on_child(self, wakeups: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(wakeups, CHUNK)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._on_exit(pid, os.waitstatus_to_exitcode(status))

    def _on_exit(self, pid: int, code: int) -> None:
        if pid in self._commands:
            self._end_command(self._commands.pop(pid), code)
        elif pid in self._background:
            self._background.remove(pid)
            self._finished[pid] = code
            while len(self._finished) > FINISHED_MAX:
                self._finished.popitem(last=False)
            for connection in self._waiters.pop(pid, []):
                self._answer(connection, {"running": False, "exit": code})

    def _end_command(self, connection: Connection, code: int) -> None:
        # What it wrote before its end, and no waiting for the end of file: a daemon that it
        # left behind may hold the pipe for ever.
        for fd in list(connection.pipes):
            with contextlib.suppress(BlockingIOError):
                while data := os.read(fd, CHUNK):
                    self._send(connection, {"stream": connection.pipes[fd]}, data)
            self._close_pipe(connection, fd)
        self._answer(connection, {"exit": code, "timed_out": connection.timed_out})

    def _until_deadline(self) -> float | None:
        if not self._deadlines:
            return None
        return max(0.0, self._deadlines[0][0] - time.monotonic())

    def _expire(self) -> None:
        while self._deadlines and self._deadlines[0][0] <= time.monotonic():
            _, pid, connection = heapq.heappop(self._deadlines)
            if self._commands.get(pid) is connection:
                connection.timed_out = True
                _kill_group(pid, signal.SIGKILL)


def _spawn(header: dict, stdin: int, stdout: int, stderr: int) -> int:
    """Starts a process in a session of its own; posix_spawn, for a fork is dear in a node."""
    environment = {**os.environ, **header.get("env", {})}
    os.chdir(header.get("cwd") or "/")
    try:
        return os.posix_spawnp(
            header["argv"][0], header["argv"], environment, setsid=True, setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD],
            file_actions=[(os.POSIX_SPAWN_DUP2, stdin, 0), (os.POSIX_SPAWN_DUP2, stdout, 1),
                          (os.POSIX_SPAWN_DUP2, stderr, 2)])
    finally:
        os.chdir("/")


def _kill_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def serve(address: str, port: int, token: str) -> None:
    Agent(address, port, token).loop()
