# SPDX-License-Identifier: GPL-2.0-or-later
"""ocf:vpnha:checkpoint (the program that $OCF_AGENTS names) before a vpnhad of the test: parameters
that change while it runs, and a stop after which vpnhad continues. Writes below /run/vpnha/started,
so it runs as root."""
from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from fake_vpnhad import Vpnhad  # noqa: E402 - where it lies is known since now

OK, NOT_RUNNING = 0, 7
RUNS = {"attached": True, "role": "unpromoted", "draining": False, "kept": False}
KEPT = {**RUNS, "attached": False, "kept": True}
# Of clones: what a change may never stop on all nodes at once.
CLONES = ("checkpoint", "pptpd", "strongswan", "xl2tpd")


class Place:
    def __init__(self, path: Path) -> None:
        self.program = path / "checkpoint"
        self.program.symlink_to(os.environ["OCF_AGENTS"])
        config = path / "vpnha.toml"
        config.touch()
        self.instance = f"test-{os.getpid()}"
        self.log = path / "log"
        self.parameters = {"gateway": "dialin", "socket": str(path / "control.sock"),
                           "config": str(config), "binary": "/bin/true",
                           "log_file": str(path / "vpnhad.log")}
        self.answers: dict[str, object] = {"ping": {"restarts": 0}, "monitor": RUNS,
                                           "attach": {"process": os.getpid(), "instance": "1"}}
        self.vpnhad = Vpnhad(path / "control.sock", self.answers)

    def run(self, action: str) -> int:
        environment = {f"OCF_RESKEY_{name}": value for name, value in self.parameters.items()}
        return subprocess.run([str(self.program), action], check=False, timeout=30,
                              env={**environment, "OCF_RESOURCE_INSTANCE": f"{self.instance}:1",
                                   "HA_LOGFILE": str(self.log)}).returncode

    @property
    def mark(self) -> Path:
        return Path("/run/vpnha/started") / self.instance

    def asked(self, verb: str) -> int:
        return sum(each == verb for each, _ in self.vpnhad.asked)


@pytest.fixture(name="place")
def place_fixture(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.vpnhad.close()
    place.mark.unlink(missing_ok=True)


def test_changed_parameters_are_used_from_the_next_start_on(place: Place):
    assert place.run("start") == OK
    for name in ("socket", "config", "binary", "log_file"):
        place.parameters[name] = "/nowhere"
    assert place.run("reload-agent") == OK
    log = place.log.read_text(encoding="utf-8")
    assert "standby" in log
    assert "the next start on this node will fail: /nowhere is not installed" in log
    assert place.run("monitor") == OK
    assert place.run("demote") == OK
    assert place.run("stop") == OK
    assert place.asked("detach") == 1
    assert place.run("start") != OK


def test_a_reload_that_is_in_order_logs_no_error(place: Place):
    assert place.run("start") == OK
    place.parameters["log_file"] = "/var/log/another"
    assert place.run("reload-agent") == OK
    assert "will fail" not in place.log.read_text(encoding="utf-8")


def test_a_stop_does_not_wait_for_who_keeps_the_records(place: Place):
    assert place.run("start") == OK
    place.answers["monitor"] = KEPT
    assert place.run("stop") == OK
    assert not place.mark.exists()
    assert place.asked("status") == 0, "which is what it asks before it waits"
    assert place.run("monitor") == NOT_RUNNING
    assert place.run("start") == OK
    assert place.asked("attach") == 2


def test_a_start_states_what_vpnhad_is_to_be_started_with(place: Place):
    assert place.run("start") == OK
    arguments = next(each for verb, each in place.vpnhad.asked if verb == "attach")
    assert arguments["config"] == place.parameters["config"]
    assert arguments["log_file"] == place.parameters["log_file"]


@pytest.mark.parametrize("agent", CLONES)
def test_a_change_of_a_clone_is_reloaded(agent: str, tmp_path: Path):
    program = tmp_path / agent
    program.symlink_to(os.environ["OCF_AGENTS"])
    text = subprocess.run([str(program), "meta-data"], check=True, capture_output=True).stdout
    root = ElementTree.fromstring(text)
    assert [each.attrib["name"] for each in root.iter("parameter")
            if each.get("reloadable") != "1"] == ["gateway"]
    assert any(each.attrib["name"] == "reload-agent" for each in root.iter("action"))
    # What runs is not stopped for a value that is wrong, by Pacemaker or for the daemon.
    wrong = {"OCF_RESKEY_gateway": "dialin", "OCF_RESKEY_memory_max": "much",
             "OCF_RESKEY_call_id_offset": "7", "OCF_RESKEY_config": "/nowhere",
             "OCF_RESOURCE_INSTANCE": "test", "HA_LOGFILE": str(tmp_path / "log")}
    done = subprocess.run([str(program), "reload-agent"], check=False, env=wrong, timeout=30)
    assert done.returncode == OK
    assert "the next start on this node will fail" in (tmp_path / "log").read_text("utf-8")
