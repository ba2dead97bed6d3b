# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes what the node's programs log by syslog(3) to a file, each line with its time. Ends when it
listens, and continues in the background.

usage: syslog.py FILE

A line of FILE is `2026-09-21T14:13:25.400000+00:00 NODE PROGRAM[PID]: text`, with the node's time
when it arrived here: syslog's own has whole seconds and no zone.
"""
from __future__ import annotations

import datetime
import os
import re
import socket
import sys

SOCKET = "/dev/log"
DATAGRAM_MAX = 65536
# "<30>Nov 22 13:33:19 ": priority and time, as the C library writes them.
PREFIX = re.compile(r"^<\d+>(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )?")


def log_line(datagram: bytes, node: str, now: datetime.datetime) -> str:
    text = PREFIX.sub("", datagram.decode(errors="replace").rstrip("\0\n"))
    return f"{now.isoformat(timespec='microseconds')} {node} {' '.join(text.splitlines())}\n"


def serve(inbox: socket.socket, path: str) -> None:
    node = socket.gethostname()
    with open(path, "a", encoding="utf-8", buffering=1) as log:
        while True:
            datagram = inbox.recv(DATAGRAM_MAX)
            log.write(log_line(datagram, node, datetime.datetime.now(datetime.timezone.utc)))


def main(path: str) -> None:
    inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    inbox.bind(SOCKET)
    os.chmod(SOCKET, 0o666)
    if os.fork():
        return
    # Whoever started it waits for the end of its output.
    nothing = os.open("/dev/null", os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    serve(inbox, path)


if __name__ == "__main__":
    main(sys.argv[1])
