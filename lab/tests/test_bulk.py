# SPDX-License-Identifier: GPL-2.0-or-later
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

BULK = Path(__file__).resolve().parent.parent / "node" / "bulk.py"


def ask(*arguments: str) -> dict:
    """What a client prints, of a server of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, str(BULK), "serve", str(port)],
                          stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None and "listening" in server.stdout.readline()
            return json.loads(subprocess.run(
                [sys.executable, str(BULK), "ask", "127.0.0.1", str(port), *arguments],
                check=True, capture_output=True, timeout=30, text=True).stdout)
        finally:
            server.kill()


@pytest.mark.parametrize("direction", ["up", "down"])
def test_what_arrives_is_counted(direction):
    done = ask(direction, "0.2")
    assert done["octets"] > 0 and done["seconds"] > 0


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_rate_is_kept(direction):
    # 0.2 s of 8 Mbit/s are four chunks of 64 KiB; without a rate they are thousands.
    assert 0 < ask(direction, "0.2", "8")["octets"] <= 5 * 65536
