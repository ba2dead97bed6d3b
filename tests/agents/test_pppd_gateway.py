# SPDX-License-Identifier: GPL-2.0-or-later
"""ocf:vpnha:pppd mode=gateway (the program that $OCF_AGENTS names): vpnhad's state of a gateway,
to an exit code and a reason. It never fails. Writes below /run/vpnha/pppd, so it runs as root."""
from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from fake_vpnhad import Vpnhad  # noqa: E402 - where it lies is known since now

OK, CONFIGURED, NOT_RUNNING, DEGRADED = 0, 6, 7, 190
GATEWAY = {
    "name": "dialin", "role": "promoted", "standing": "complete", "blockers": [],
    "standbys": [2, 3], "records": {"quarantined": 0},
    "sessions": {"total": 2, "protected": 2, "unprotected": 0, "quarantined": 0}}
NO_SESSIONS = {"sessions": {"total": 0, "protected": 0, "unprotected": 0, "quarantined": 0}}


def with_sessions(**counts: int) -> dict:
    return {"sessions": {**GATEWAY["sessions"], **counts}}


STANDBY = {"role": "unpromoted", "standbys": []}
# What is otherwise in the status, the code, words of the reason.
TABLE: list[tuple[dict, int, str]] = [
    ({}, OK, ""),
    (with_sessions(unprotected=1, protected=1), DEGRADED, "would lose 1 of 2 sessions"),
    (with_sessions(quarantined=2), DEGRADED, "would lose 2 of 2 sessions"),
    ({"standbys": []}, DEGRADED, "would lose all 2 sessions"),
    ({"standbys": [], **NO_SESSIONS}, OK, ""),
    ({"role": "standing-in", "standbys": []}, DEGRADED, "would lose all 2 sessions"),
    ({"role": "draining", "standbys": []}, DEGRADED, "would lose all 2 sessions"),
    (STANDBY, OK, ""),
    # Who serves does not care for its own copies, a standby not for who else is one.
    ({"records": {"quarantined": 3}}, OK, ""),
    ({**STANDBY, "records": {"quarantined": 3}}, DEGRADED, "what 3 records are for"),
    ({**STANDBY, "standing": "partial", "blockers": ["no key", "no pool"]}, DEGRADED,
     "its standing is partial: no key, no pool"),
    ({**STANDBY, "standing": "empty"}, DEGRADED, "its standing is empty"),
    ({"role": "stopped", "standing": "partial", "blockers": ["stopped"], "standbys": []}, OK, ""),
    ({"role": "detached", "standing": "empty", "standbys": []}, OK, ""),
    # An older or a newer vpnhad.
    ({"sessions": 7, "standbys": None, "blockers": None}, OK, ""),
]


class Place:
    def __init__(self, path: Path) -> None:
        self.vpnhad: Vpnhad | None = None
        self.path = path
        agents = path / "pppd"
        agents.symlink_to(os.environ["OCF_AGENTS"])
        self._program = agents
        self.log = path / "log"
        self.parameters = {"mode": "gateway", "gateway": "dialin",
                           "socket": str(path / "control.sock")}

    def serve(self, status: object) -> None:
        self.vpnhad = Vpnhad(self.path / "control.sock", {"status": status})

    def run(self, action: str) -> subprocess.CompletedProcess[str]:
        environment = {f"OCF_RESKEY_{name}": value for name, value in self.parameters.items()}
        return subprocess.run(
            [str(self._program), action], capture_output=True, text=True, check=False, timeout=20,
            env={**environment, "OCF_RESOURCE_INSTANCE": f"test-{os.getpid()}:1",
                 "HA_LOGFILE": str(self.log)})

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""


@pytest.fixture(name="place")
def place_fixture(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    assert place.run("start").returncode == OK
    yield place
    assert place.run("stop").returncode == OK
    if place.vpnhad:
        place.vpnhad.close()


def status(changed: dict) -> dict:
    return {"gateways": [{**copy.deepcopy(GATEWAY), "name": "other", "standbys": []},
                         {**copy.deepcopy(GATEWAY), **changed}]}


@pytest.mark.parametrize(("changed", "code", "words"), TABLE)
def test_what_is_amiss_is_reported_and_is_no_failure(place: Place, changed: dict, code: int,
                                                     words: str) -> None:
    place.serve(status(changed))
    done = place.run("monitor")
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert bool(done.stderr) == bool(words)


@pytest.mark.parametrize(("answer", "words"), [
    (None, "no vpnhad answers"), ("hangs: for good", "nothing is known"),
    ("system: broken", "broken"), ({}, "no gateway 'dialin'"), ([[]], "no gateway 'dialin'"),
    ({"gateways": [{"name": "other"}]}, "no gateway 'dialin'")])
def test_a_vpnhad_that_does_not_answer_is_no_failure(place: Place, answer: object,
                                                     words: str) -> None:
    if answer is not None:
        place.serve(answer)
    done = place.run("monitor")
    assert done.returncode == DEGRADED
    assert words in done.stderr


def test_the_log_has_what_changes(place: Place) -> None:
    answers = [status({"standbys": []}), status({"standbys": []}), status({}), status({})]
    place.serve(answers)
    codes = [place.run("monitor").returncode for _ in range(4)]
    assert codes == [DEGRADED, DEGRADED, OK, OK]
    assert place.logged().count("WARNING: a failure now would lose all 2 sessions") == 1
    assert place.logged().count("INFO: a failure now would lose no session") == 1


def test_the_only_gateway_needs_no_name(place: Place) -> None:
    place.parameters["gateway"] = ""
    place.serve({"gateways": [{**GATEWAY, "standbys": []}]})
    assert place.run("monitor").returncode == DEGRADED


def test_it_runs_from_start_to_stop(place: Place) -> None:
    place.serve(status({}))
    assert place.run("start").returncode == OK
    assert place.run("reload-agent").returncode == OK
    assert place.run("stop").returncode == OK
    assert place.run("monitor").returncode == NOT_RUNNING
    assert place.run("stop").returncode == OK
    assert place.run("start").returncode == OK


def test_there_are_two_modes(place: Place) -> None:
    place.parameters["mode"] = "server"
    assert place.run("monitor").returncode == CONFIGURED
    assert place.run("stop").returncode == OK
    place.parameters["mode"] = "gateway"
