# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress lines on stderr, each with the time since the program started."""
from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

_START = time.monotonic()
# Lines of ninja and of ctest that show how much is done.
DONE = re.compile(r"\[(?P<built>\d+)/(?P<objects>\d+)\] |\s*(?P<tested>\d+)/(?P<tests>\d+) Test ")
# What setup/root and setup/install print, few lines by themselves.
OF_SETUP = ("setup/root: ", "packages to install: ", "package ")
# A line at least so often while there is progress, and for each tenth of the whole.
NOTE_EVERY_S = 15.0
PARTS = 10


def emit(text: str) -> None:
    """Prints one progress line; stdout stays free for results."""
    print(f"[{time.monotonic() - _START:7.2f} s] {text}", file=sys.stderr, flush=True)


class Progress:
    """Turns the output of a build, of tests or of setup into few lines: "object 90 of 196"."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._noted_at = time.monotonic()
        self._part = 0

    def take(self, line: str) -> None:
        if line.startswith(OF_SETUP):
            self._note(line.rstrip())
            return
        found = DONE.match(line)
        if found is None:
            return
        what, done, total = (("object", found["built"], found["objects"]) if found["built"]
                             else ("test", found["tested"], found["tests"]))
        part = int(done) * PARTS // max(1, int(total))
        now = time.monotonic()
        if part > self._part or now - self._noted_at >= NOTE_EVERY_S:
            self._part, self._noted_at = part, now
            self._note(f"{what} {done} of {total}")


def run_logged(argv: Sequence[str], cwd: Path, log: TextIO, note: Callable[[str], None]) -> int:
    """Runs a command with all of its output in the log, and notes its progress. Returns its exit
    code; OSError if it cannot be started."""
    progress = Progress(note)
    with subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            progress.take(line)
    return process.returncode
