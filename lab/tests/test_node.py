# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab reads of a node on its host."""
from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from vpnlab.host.errors import LabError
from vpnlab.host.node import RUNNING, received_bytes

NET_DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
    lo:       0       0    0    0    0     0          0         0        0       0
gw1-cluster0:  123456      99    0    0    0     0          0         0   654321      88
"""


def test_what_a_tap_received_is_what_its_node_sent():
    assert received_bytes(NET_DEV, "gw1-cluster0") == 123456


def test_unknown_device_is_an_error():
    with pytest.raises(LabError, match="gw2-cluster0"):
        received_bytes(NET_DEV, "gw2-cluster0")


def running(pattern: str) -> list[str]:
    return subprocess.run(["sh", "-c", RUNNING, pattern], capture_output=True, text=True,
                          check=True).stdout.split()


def test_an_agent_that_is_called_as_its_daemon_is_not_taken_for_it(tmp_path: Path):
    sleep = shutil.which("sleep")
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "labd-of-a-test").symlink_to(sleep)
    shutil.copy(sleep, tmp_path / "labd-of-a-test")
    with (subprocess.Popen([tmp_path / "labd-of-a-test", "60"]) as daemon,
          subprocess.Popen([tmp_path / "agents" / "labd-of-a-test", "60"]) as agent):
        try:
            assert running("labd-of-a-test") == [str(daemon.pid)]
            assert running("labd.*") == [str(daemon.pid)]
        finally:
            daemon.kill()
            agent.kill()
    assert running("labd-of-a-test") == []
