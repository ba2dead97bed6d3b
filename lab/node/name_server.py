# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP service that answers every connection with its host's name and closes it.

usage: name_server.py PORT PID_FILE

It listens on all addresses of both families, also on those that come later.
"""
from __future__ import annotations

import os
import socket
import sys


def main() -> None:
    port, pid_file = int(sys.argv[1]), sys.argv[2]
    name = socket.gethostname().encode() + b"\n"
    listener = socket.create_server(("", port), family=socket.AF_INET6, backlog=256,
                                    dualstack_ipv6=True)
    temporary = f"{pid_file}.new"
    with open(temporary, "w", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    os.rename(temporary, pid_file)
    while True:
        stream, _ = listener.accept()
        with stream:
            try:
                stream.sendall(name)
            except OSError:
                continue


if __name__ == "__main__":
    main()
