# SPDX-License-Identifier: GPL-2.0-or-later
"""Both ends of FTP in active mode: the server connects to its client, from port 20.

usage: ftp.py serve PORT SIZE LOG
       ftp.py fetch ADDRESS PORT SOURCE_PORT LOG NAME...

serve: any user may come. RETR sends SIZE octets, whatever the name; `held` is answered at once, but
the server connects on SIGUSR1 only. Lines of LOG: `PORT ADDRESS:PORT`, as the client's command came
in here, and `held` when a client waits.

fetch: one connection, never made anew; at the start and on each SIGUSR1 it fetches a file, each
NAME in turn, and the last one from then on. Lines of LOG: `got N` octets, or `failed TEXT`.
"""
from __future__ import annotations

import ftplib
import signal
import socket
import sys
import threading

DATA_PORT = 20
CONNECT_LIMIT_S = 10.0
HELD = "held"
ANSWERS = {"USER": "331 password", "PASS": "230 welcome", "TYPE": "200 type", "NOOP": "200 ok"}
REPLY_LIMIT_S = 20.0


def endpoint(argument: str) -> tuple[str, int]:
    """h1,h2,h3,h4,p1,p2 of RFC 959."""
    numbers = argument.split(",")
    return ".".join(numbers[:4]), int(numbers[4]) << 8 | int(numbers[5])


def send_file(to: tuple[str, int], size: int) -> None:
    data = socket.socket()
    data.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    data.settimeout(CONNECT_LIMIT_S)
    data.bind(("", DATA_PORT))
    data.connect(to)
    data.sendall(b"x" * size)
    data.close()


def serve(control: socket.socket, size: int, log_path: str) -> None:
    client = ("", 0)
    lines = control.makefile("r", encoding="ascii", newline="\r\n")

    def reply(text: str) -> None:
        control.sendall(f"{text}\r\n".encode())

    def note(text: str) -> None:
        with open(log_path, "a", encoding="ascii") as log:
            log.write(f"{text}\n")

    reply("220 ready")
    for line in lines:
        command, _, argument = line.strip().partition(" ")
        if command == "PORT":
            client = endpoint(argument)
            note(f"PORT {client[0]}:{client[1]}")
            reply("200 port")
        elif command == "RETR":
            reply("150 opening")
            if argument == HELD:
                note(HELD)
                signal.sigwait({signal.SIGUSR1})
            try:
                send_file(client, size)
                reply("226 sent")
            except OSError as error:
                reply(f"425 {error}")
        elif command == "QUIT":
            reply("221 bye")
            return
        else:
            reply(ANSWERS.get(command, "502 what"))


def run_server(port: str, size: str, log_path: str) -> None:
    # Blocked in all threads: it is for the one that waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    listener = socket.create_server(("", int(port)))
    print("listening", flush=True)
    while True:
        control, _ = listener.accept()
        threading.Thread(target=serve, args=(control, int(size), log_path), daemon=True).start()


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


def run_client(address: str, port: str, source_port: str, path: str, *wanted: str) -> None:
    names = list(wanted)
    # Blocked: a signal that comes while a file is fetched is one more file, not an interruption.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    connection = ftplib.FTP()
    connection.connect(address, int(port), REPLY_LIMIT_S, source_address=("", int(source_port)))
    connection.login("anonymous", "lab")
    connection.set_pasv(False)
    with open(path, "w", encoding="ascii", buffering=1) as log:
        while True:
            log.write(fetch(connection, names.pop(0) if len(names) > 1 else names[0]) + "\n")
            signal.sigwait({signal.SIGUSR1})


if __name__ == "__main__":
    {"serve": run_server, "fetch": run_client}[sys.argv[1]](*sys.argv[2:])
