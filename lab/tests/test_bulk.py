# SPDX-License-Identifier: GPL-2.0-or-later
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

BULK = Path(__file__).resolve().parent.parent / "node" / "bulk.py"


@pytest.mark.parametrize("direction", ["up", "down"])
def test_what_arrives_is_counted(direction):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, str(BULK), "serve", str(port)],
                          stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None and "listening" in server.stdout.readline()
            said = json.loads(subprocess.run(
                [sys.executable, str(BULK), "ask", "127.0.0.1", str(port), direction, "0.2"],
                check=True, capture_output=True, timeout=30, text=True).stdout)
        finally:
            server.kill()
    assert said["octets"] > 0 and said["seconds"] > 0
