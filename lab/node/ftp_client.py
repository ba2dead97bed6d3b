# SPDX-License-Identifier: GPL-2.0-or-later
"""One FTP connection: at the start and on each SIGUSR1 it fetches a file in active mode.

usage: ftp_client.py ADDRESS PORT SOURCE_PORT LOG NAME...

Each NAME in turn, and the last one from then on. Lines of LOG: `got N` octets, or `failed TEXT`. It
never connects anew.
"""
from __future__ import annotations

import ftplib
import signal
import sys

LIMIT_S = 20.0


def fetch(connection: ftplib.FTP, name: str) -> str:
    received = 0

    def count(data: bytes) -> None:
        nonlocal received
        received += len(data)

    try:
        connection.retrbinary(f"RETR {name}", count)
        return f"got {received}"
    except (OSError, EOFError, ftplib.Error) as error:
        return f"failed {type(error).__name__} {error}"


def main() -> None:
    address, port, source_port, path, *names = sys.argv[1:]
    # Blocked: a signal that comes while a file is fetched is one more file, not an interruption.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    connection = ftplib.FTP()
    connection.connect(address, int(port), LIMIT_S, source_address=("", int(source_port)))
    connection.login("anonymous", "lab")
    connection.set_pasv(False)
    with open(path, "w", encoding="ascii", buffering=1) as log:
        while True:
            log.write(fetch(connection, names.pop(0) if len(names) > 1 else names[0]) + "\n")
            signal.sigwait({signal.SIGUSR1})


if __name__ == "__main__":
    main()
