# SPDX-License-Identifier: GPL-2.0-or-later
"""Packet captures at the lab's TAPs and bridges, on the host's clock, with nanoseconds."""
from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from pathlib import Path

from .errors import LabError
from .netns import NetworkNamespace
from .progress import emit

START_LIMIT_S = 10.0
# Longer than any frame of the lab. With tcpdump's own limit, 256 KiB, its buffer has room for eight
# frames, and loses the others of a burst.
FRAME_OCTETS, BUFFER_KIB = 4096, 8192
DROPPED = re.compile(rb"(\d+) packets? dropped by kernel")


class Capture:
    """One tcpdump on one device of the namespace; whole and readable after stop()."""

    def __init__(self, namespace: NetworkNamespace, device: str, path: Path,
                 expression: str = "") -> None:
        self.path = path
        self.device = device
        # Immediate mode and -U: nothing waits in a buffer that a fault or the end could lose.
        self._process = subprocess.Popen(
            [*namespace.prefix(), "tcpdump", "-i", device, "-n", "-U", "-s", str(FRAME_OCTETS),
             "-B", str(BUFFER_KIB), "-Z", "root", "--immediate-mode",
             "--time-stamp-precision=nano", "-w", str(path), *expression.split()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True, env={**os.environ, "LC_ALL": "C"})
        self._messages = b""
        try:
            self._wait_until_listening()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _wait_until_listening(self) -> None:
        assert self._process.stderr is not None
        deadline = time.monotonic() + START_LIMIT_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stderr, selectors.EVENT_READ)
            while b"listening on" not in self._messages:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise LabError(f"tcpdump on {self.device} does not start")
                data = os.read(self._process.stderr.fileno(), 4096)
                if not data:
                    raise LabError(f"tcpdump on {self.device}: {self._messages.decode().strip()}")
                self._messages += data

    def stop(self) -> None:
        """Ends the capture; what the kernel had taken by now is in the file."""
        self._process.send_signal(signal.SIGINT)
        try:
            _, rest = self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise LabError(f"tcpdump on {self.device} did not end") from None
        self._messages += rest
        if self._process.returncode:
            raise LabError(f"tcpdump on {self.device}: {self._messages.decode().strip()}")
        dropped = DROPPED.search(self._messages)
        if dropped and int(dropped[1]):
            emit(f"tcpdump on {self.device} lost {int(dropped[1])} packets of {self.path.name}")
