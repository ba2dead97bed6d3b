# SPDX-License-Identifier: GPL-2.0-or-later
"""ocf:vpnha:xl2tpd (the program that $OCF_AGENTS names) is stopped and started where its gateway is
served, beside a vpnhad of the test. The daemon is a program that sleeps, with the files of its
start. Writes below /run/vpnha/xl2tpd, so it runs as root; what it does to a network is in a
namespace."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from fake_vpnhad import Vpnhad  # noqa: E402 - where it lies is known since now

OK, ERROR, NOT_RUNNING = 0, 1, 7
PROMOTED = {"attached": True, "role": "promoted", "draining": False}
DRAINING = {**PROMOTED, "role": "unpromoted", "draining": True}
UNPROMOTED = {**PROMOTED, "role": "unpromoted"}


class Place:
    def __init__(self, path: Path) -> None:
        self.program = path / "xl2tpd"
        self.program.symlink_to(os.environ["OCF_AGENTS"])
        self.gateway = f"test-{os.getpid()}"
        self.socket = path / "control.sock"
        self.answers: dict[str, object] = {}
        self.vpnhad = Vpnhad(self.socket, self.answers)
        self.directory = Path("/run/vpnha/xl2tpd") / self.gateway
        self.directory.mkdir(parents=True)
        self.arguments = ["/usr/bin/python3", "-Ic", f"import time; time.sleep({os.getpid()}.5)"]
        self.daemon = subprocess.Popen(self.arguments)
        self.write_started(memory_max_mib=512)
        (self.directory / "pid").write_text(str(self.daemon.pid), encoding="utf-8")
        self.pipe = self.directory / "l2tp-control"
        os.mkfifo(self.pipe)

    def write_started(self, memory_max_mib: int) -> None:
        (self.directory / "started").write_text(
            f"resource=test\nmemory_max_mib={memory_max_mib}\n"
            + "".join(f"argument={each}\n" for each in self.arguments), encoding="utf-8")

    def run(self, action: str, monitor: dict) -> int:
        self.answers["monitor"] = monitor
        return subprocess.run(
            ["unshare", "--net", str(self.program), action], check=False, timeout=30,
            env={"OCF_RESKEY_gateway": self.gateway, "OCF_RESKEY_socket": str(self.socket),
                 "OCF_RESKEY_config": "/nowhere", "OCF_RESOURCE_INSTANCE": "test"}).returncode

    @property
    def lives(self) -> bool:
        return self.daemon.poll() is None


@pytest.fixture(name="place")
def place_fixture(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.vpnhad.close()
    place.daemon.kill()
    place.daemon.wait()
    shutil.rmtree(place.directory)


@pytest.mark.parametrize("serving", [PROMOTED, DRAINING])
def test_where_the_gateway_is_served_a_stop_ends_nothing_and_a_start_takes_it_back(
        place: Place, serving: dict):
    assert place.run("monitor", serving) == OK
    for _ in ("first", "second"):
        assert place.run("stop", serving) == OK
        assert place.lives
        assert place.run("monitor", serving) == NOT_RUNNING
    # With other parameters, and wrong ones.
    assert place.run("start", serving) == OK
    assert place.lives
    assert place.run("monitor", serving) == OK


def test_elsewhere_a_stop_ends_it(place: Place):
    assert place.run("stop", UNPROMOTED) == OK
    assert not place.lives
    assert place.run("start", UNPROMOTED) != OK


def test_a_daemon_that_is_not_well_is_ended_where_the_gateway_is_served(place: Place):
    place.pipe.unlink()
    assert place.run("stop", PROMOTED) == OK
    assert not place.lives


def test_the_stop_behind_a_closer_monitor_that_failed_ends_it(place: Place):
    place.write_started(memory_max_mib=1)
    assert place.run("monitor", PROMOTED) == ERROR
    assert place.run("stop", PROMOTED) == OK
    assert not place.lives


def test_the_gateway_moved_away_between_stop_and_start(place: Place):
    assert place.run("stop", PROMOTED) == OK
    assert place.run("start", UNPROMOTED) != OK, "it would be a new one, with what is wrong"
