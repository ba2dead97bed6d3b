# SPDX-License-Identifier: GPL-2.0-or-later
"""A client behind the gateway's NAT that fetches files by FTP in active mode."""
from __future__ import annotations

import signal

from ..evidence.expectation import equals
from ..host.topology import L2TP
from ..product.probes import SERVER_ADDRESS
from ..steps.live import Live
from .nat import Tool

FTP_PORT, PORT = 21, 40000
FILE_BYTES = 200_000
FETCH_LIMIT_S = 30
# What the server of ftp.py answers at once, and connects for when it is ordered to.
HELD = "held"


class Ftp:
    """The server's program and the client's, which asks for its first file."""

    def __init__(self, live: Live, *names: str) -> None:
        self._run = live.run
        lab = live.run.lab
        self.server = Tool(lab, lab.node("server"), "ftp.py", "serve", str(FTP_PORT),
                           str(FILE_BYTES), result="ftp-server", word="listening")
        self.client = Tool(lab, live.client.node, "ftp.py", "fetch", SERVER_ADDRESS,
                           str(FTP_PORT), str(PORT), result="ftp-client", more=names)

    def wait_held(self) -> None:
        self._run.wait_for("the server holds the file",
                           lambda: HELD in self.server.log().splitlines(), FETCH_LIMIT_S)

    def connect(self) -> None:
        """The server connects for the file that it holds."""
        self.server.process.send_signal(signal.SIGUSR1)

    def ask_once_more(self) -> None:
        self._run.step("the same connection fetches another file")
        self.client.process.send_signal(signal.SIGUSR1)

    def wait_fetched(self, count: int) -> None:
        self._run.wait_for(f"client1 has tried to fetch {count} files",
                           lambda: len(self.client.log().splitlines()) >= count, FETCH_LIMIT_S)

    def expect_fetched(self, count: int) -> None:
        """Books that so many files arrived, and where the server was asked to connect."""
        self._run.expect("files", self.client.log().splitlines(),
                         equals([f"got {FILE_BYTES}"] * count))
        sent = {line.split()[1].partition(":")[0] for line in self.server.log().splitlines()
                if line.startswith("PORT ")}
        self._run.expect("addresses_sent", sorted(sent), equals([L2TP.vip_inside]))
