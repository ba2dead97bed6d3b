# SPDX-License-Identifier: GPL-2.0-or-later
"""A pcs script run by sh, as its user runs it, on a CIB in a file. pcs's own Python does its
commands in this process, because a process of each takes a second."""
from __future__ import annotations

import contextlib
import io
import os
import shutil
import socket
import subprocess
from pathlib import Path

from pcs import app
from pcs.cli.common import lib_wrapper

# The program pcs of the script: it passes its words on, and ends as the answer orders.
CALLER = """#!/usr/bin/python3 -IS
import socket, sys
with socket.socket(socket.AF_UNIX) as test:
    test.connect({path!r})
    test.sendall("\\0".join(sys.argv[1:]).encode())
    test.shutdown(socket.SHUT_WR)
    code, _, output = test.makefile(encoding="utf-8").read().partition(" ")
print(output, end="", file=sys.stderr)
sys.exit(int(code))
"""
LOOK_S = 0.05


def run(script: Path, cib: Path) -> None:
    """Fails with what the script printed, unless it ends well."""
    directory = cib.parent / "bin"
    directory.mkdir(exist_ok=True)
    meeting, caller = directory / "meeting", directory / "pcs"
    meeting.unlink(missing_ok=True)
    caller.write_text(CALLER.format(path=str(meeting)), encoding="utf-8")
    caller.chmod(0o755)
    environment = {**os.environ, "TMPDIR": str(cib.parent),
                   "PATH": f"{directory}:{os.environ['PATH']}"}
    with socket.socket(socket.AF_UNIX) as server, open(directory / "output", "w+",
                                                       encoding="utf-8") as output:
        server.bind(str(meeting))
        server.listen()
        server.settimeout(LOOK_S)
        with subprocess.Popen(["sh", script], env=environment, stdin=subprocess.DEVNULL,
                              stdout=output, stderr=output) as running:
            while running.poll() is None:
                with contextlib.suppress(TimeoutError):
                    _answer(server.accept()[0], cib)
        output.seek(0)
        assert running.returncode == 0, output.read()


def _answer(caller: socket.socket, cib: Path) -> None:
    with caller, caller.makefile("rw", encoding="utf-8") as stream:
        words = stream.read().split("\0")
        # What the cluster has, or is given, is in the file.
        if words[:2] == ["cluster", "cib"]:
            shutil.copy(cib, words[2])
            done = 0, ""
        elif words[:2] == ["cluster", "cib-push"]:
            shutil.copy(words[2], cib)
            done = 0, ""
        else:
            done = call(*words)
        stream.write("{} {}".format(*done))


def call(*words: str) -> tuple[int, str]:
    """Exit code and output of one command of pcs."""
    # pcs 0.11 keeps for each command the CIB of the first call.
    getattr(lib_wrapper, "_CACHE", {}).clear()
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            app.main(list(words))
        except SystemExit as end:
            return int(end.code or 0), output.getvalue()
    return 0, output.getvalue()
