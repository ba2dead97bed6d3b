# SPDX-License-Identifier: GPL-2.0-or-later
"""ocf:vpnha:probe (the program that $OCF_AGENTS names): which answers of the service have a node
marked as dead, and when a mark goes. Beside a vpnhad, a vpnha-probe and an attrd_updater of the
test: a mount namespace has the last one in its place. Writes below /run/vpnha, so it runs as
root."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from fake_vpnhad import Vpnhad  # noqa: E402 - where it lies is known since now

OK, ARGUMENTS, INSTALLED, CONFIGURED, NOT_RUNNING, DEGRADED = 0, 2, 5, 6, 7, 190
ANSWERS, SLOW, CRITICAL, UNKNOWN = 0, 1, 2, 3
PROMOTED = {"attached": True, "role": "promoted", "draining": False}
DRAINING = {**PROMOTED, "role": "unpromoted", "draining": True}
UNPROMOTED = {**PROMOTED, "role": "unpromoted"}
UPDATER = "/usr/sbin/attrd_updater"
PROBE = """#!/bin/sh
echo "$@" >>'{path}/asked'
while read -r protocol code; do
    [ "$protocol" != "$1" ] || break
done <'{path}/codes'
echo "$1 has ended with $code | time=0.1s"
exit "$code"
"""
# Each node's mark is a file.
ATTRD = """#!/bin/sh
[ ! -e '{path}/no-pacemaker' ] || exit 102
[ "$1 $2" = "--name vpnha-probe-{gateway}" ] || exit 64
case "$3" in
    --update) echo "$4" >'{path}/marks/here' ;;
    --delete) rm -f '{path}/marks/here' ;;
    --query)
        for node in '{path}'/marks/*; do
            [ -e "$node" ] || exit 6
            # As Pacemaker's does: what execd names an agent's node by counts for --all as well.
            [ -z "$OCF_RESKEY_CRM_meta_on_node" ] || [ "${{node##*/}}" = here ] || continue
            echo "name=\\"$2\\" host=\\"${{node##*/}}\\" value=\\"$(cat "$node")\\""
        done ;;
esac
"""


class Place:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.gateway = f"test-{os.getpid()}"
        self.program = path / "probe"
        self.program.symlink_to(os.environ["OCF_AGENTS"])
        (path / "marks").mkdir()
        for name, text in (("vpnha-probe", PROBE), ("attrd_updater", ATTRD)):
            (path / name).write_text(text.format(path=path, gateway=self.gateway), "utf-8")
            (path / name).chmod(0o755)
        self.answers: dict[str, object] = {"monitor": PROMOTED}
        self.vpnhad = Vpnhad(path / "control.sock", self.answers)
        self.parameters = {
            "gateway": self.gateway, "address": "192.0.2.100", "protocols": "l2tp ike",
            "failures": "3", "socket": str(path / "control.sock"),
            "binary": str(path / "vpnha-probe")}
        self.instance = f"test-{os.getpid()}"
        self.state = Path("/run/vpnha/probe") / self.instance
        self.codes()

    def codes(self, **codes: int) -> None:
        """With which a probe of each protocol ends."""
        (self.path / "codes").write_text("".join(
            f"{name} {codes.get(name, ANSWERS)}\n" for name in ("l2tp", "ike", "pptp")), "utf-8")

    def run(self, action: str) -> subprocess.CompletedProcess[str]:
        environment = {f"OCF_RESKEY_{name}": value for name, value in self.parameters.items()}
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c",
             'mount --bind "$1" "$2" && exec "$3" "$4"', "sh",
             str(self.path / "attrd_updater"), UPDATER, str(self.program), action],
            capture_output=True, text=True, check=False, timeout=30, umask=0o026,  # execd's.
            env={"OCF_RESKEY_CRM_meta_interval": "10000",
                 "OCF_RESKEY_CRM_meta_on_node": "here", **environment,
                 "OCF_RESOURCE_INSTANCE": f"{self.instance}:1",
                 "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HA_LOGFILE": str(self.path / "log")})

    def monitor(self, times: int = 1) -> int:
        return [self.run("monitor").returncode for _ in range(times)][-1]

    @property
    def mark(self) -> str:
        file = self.path / "marks" / "here"
        return file.read_text("utf-8").strip() if file.exists() else ""

    def other_node(self, mark: str) -> None:
        (self.path / "marks" / "there").write_text(f"{mark}\n", "utf-8")

    def asked(self) -> list[str]:
        file = self.path / "asked"
        return file.read_text("utf-8").splitlines() if file.exists() else []

    def dead(self) -> None:
        """It has answered, and is marked as dead now."""
        assert self.monitor() == OK
        self.codes(l2tp=CRITICAL)
        assert self.monitor(3) == DEGRADED
        assert self.mark == "dead"

    def age(self, seconds: int) -> None:
        """The verdict is so much older."""
        health = json.loads(self.state.read_text("utf-8"))
        health["since"] -= seconds
        self.state.write_text(json.dumps(health), "utf-8")


@pytest.fixture(name="place")
def place_fixture(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    assert place.run("monitor").returncode == NOT_RUNNING
    assert place.run("start").returncode == OK
    yield place
    place.codes()
    assert place.run("stop").returncode == OK
    assert place.run("monitor").returncode == NOT_RUNNING
    assert place.mark == "", "a stop takes the mark away"
    place.vpnhad.close()


def test_where_the_gateway_is_served_each_protocol_is_asked_from_the_vip_to_itself(place: Place):
    assert place.monitor(2) == OK
    wish = "192.0.2.100 --source 192.0.2.100 --timeout 5"
    assert place.asked() == [f"l2tp {wish} --port 1701", f"ike {wish}"] * 2
    assert place.mark == "alive"


@pytest.mark.parametrize("state", [UNPROMOTED, DRAINING, "dies"])
def test_elsewhere_nothing_is_asked(place: Place, state: object):
    place.answers["monitor"] = state
    assert place.monitor(4) == OK
    assert not place.asked()
    assert place.mark == ""


def test_others_may_read_what_was_found(place: Place):
    assert place.monitor() == OK
    found = json.loads(place.state.read_text("utf-8"))
    assert (found["gateway"], found["verdict"]) == (place.gateway, "alive")
    assert place.state.stat().st_mode & 0o004


def test_a_service_is_dead_after_so_many_failures_in_a_row(place: Place):
    assert place.monitor() == OK
    place.codes(ike=CRITICAL)
    assert place.monitor(2) == OK
    place.codes(ike=SLOW)
    assert place.monitor() == OK
    place.codes(ike=CRITICAL)
    assert place.monitor(2) == OK
    assert place.mark == "alive"
    done = place.run("monitor")
    assert (done.returncode, place.mark) == (DEGRADED, "dead")
    assert "ike has ended with 2" in done.stderr
    assert "time=" not in done.stderr, "the times are not a reason"


def test_a_dead_service_is_well_again_after_so_many_answers_in_a_row(place: Place):
    place.dead()
    place.codes()
    assert place.monitor(2) == DEGRADED
    place.codes(l2tp=CRITICAL)
    assert place.monitor() == DEGRADED
    place.codes()
    assert place.monitor(2) == DEGRADED
    assert place.mark == "dead"
    assert place.monitor() == OK
    assert place.mark == "alive"


def test_a_loss_of_every_third_probe_is_no_death(place: Place):
    for lost in (False, True, True, False, True, False, True, True) * 3:
        place.codes(l2tp=CRITICAL if lost else ANSWERS)
        assert place.monitor() == OK
    assert place.mark == "alive"


def test_what_no_node_has_ever_answered_is_not_called_dead(place: Place):
    place.codes(l2tp=CRITICAL)
    assert place.monitor(2) == OK
    done = place.run("monitor")
    assert (done.returncode, place.mark) == (DEGRADED, "")
    assert "no node has ever answered" in done.stderr
    place.codes()
    assert place.monitor() == OK
    assert place.mark == "alive"


@pytest.mark.parametrize("mark", ["alive", "dead"])
def test_what_another_node_has_answered_is_dead_on_a_node_that_never_did(place: Place, mark: str):
    place.other_node(mark)
    place.codes(l2tp=CRITICAL)
    assert place.monitor(3) == DEGRADED
    assert place.mark == "dead"


def test_a_probe_that_cannot_ask_says_so_and_counts_for_nothing(place: Place):
    assert place.monitor() == OK
    place.codes(l2tp=CRITICAL)
    assert place.monitor(2) == OK
    place.codes(l2tp=UNKNOWN)
    done = place.run("monitor")
    assert (done.returncode, "l2tp has ended with 3" in done.stderr) == (DEGRADED, True)
    place.codes(l2tp=CRITICAL)
    assert place.monitor(2) == OK
    assert place.mark == "alive"


def test_a_gateway_that_moves_while_it_is_asked_is_not_dead(place: Place):
    assert place.monitor() == OK
    place.codes(l2tp=CRITICAL)
    place.answers["monitor"] = [PROMOTED, UNPROMOTED] * 3 + [PROMOTED]
    assert place.monitor(3) == OK
    assert place.mark == "alive"


def test_a_pptpd_each_of_whose_slots_has_a_client_is_not_dead(place: Place):
    started = Path("/run/vpnha/pptpd") / place.gateway / "started"
    started.parent.mkdir(parents=True)
    try:
        place.parameters["protocols"] = "pptp"
        place.codes(pptp=CRITICAL)
        started.write_text("connections=0\nargument=pptpd\n", "utf-8")
        assert place.monitor(4) == OK
        assert place.mark == "alive"
        started.write_text("connections=1\nargument=pptpd\n", "utf-8")
        assert place.monitor(3) == DEGRADED
    finally:
        shutil.rmtree(started.parent)


def test_the_mark_of_a_node_that_was_left_stays_while_no_node_answers(place: Place):
    place.dead()
    place.answers["monitor"] = UNPROMOTED
    place.age(599)
    place.other_node("alive")
    assert place.monitor() == DEGRADED
    place.age(10)
    place.other_node("dead")
    assert place.monitor(2) == DEGRADED
    assert place.mark == "dead"
    place.other_node("alive")
    assert place.monitor() == OK
    assert place.mark == ""


def test_a_mark_that_cannot_be_written_is_tried_again(place: Place):
    (place.path / "no-pacemaker").touch()
    done = place.run("monitor")
    assert (done.returncode, "attrd_updater" in done.stderr) == (DEGRADED, True)
    (place.path / "no-pacemaker").unlink()
    assert place.monitor() == OK
    assert place.mark == "alive"


def test_a_pacemaker_that_was_started_again_has_the_mark_again(place: Place):
    place.dead()
    (place.path / "marks" / "here").unlink()
    asked = len(place.asked())
    place.parameters["CRM_meta_interval"] = "0"
    assert place.monitor() == OK
    assert (place.mark, len(place.asked())) == ("dead", asked)


def test_a_second_start_forgets_nothing(place: Place):
    place.dead()
    assert place.run("start").returncode == OK
    assert place.monitor() == DEGRADED
    assert place.mark == "dead"


@pytest.mark.parametrize(("changed", "code"), [
    ({}, OK), ({"protocols": "pptp"}, OK), ({"protocols": "l2tp ike ikev1 ikev2 pptp"}, OK),
    ({"protocols": ""}, ARGUMENTS), ({"protocols": " "}, CONFIGURED),
    ({"protocols": "l2tp, ike"}, CONFIGURED), ({"protocols": "radius"}, CONFIGURED),
    ({"timeout": "13"}, CONFIGURED), ({"timeout": "12"}, OK), ({"failures": "0"}, CONFIGURED),
    ({"forget": "soon"}, ARGUMENTS), ({"l2tp_port": "65536"}, CONFIGURED),
    ({"binary": "/nowhere"}, INSTALLED), ({"address": ""}, ARGUMENTS)])
def test_parameters_are_checked(place: Place, changed: dict[str, str], code: int):
    before = dict(place.parameters)
    place.parameters |= changed
    assert place.run("validate-all").returncode == code
    place.parameters = before


def test_it_tells_what_it_is_without_anything(tmp_path: Path):
    program = tmp_path / "probe"
    shutil.copy(os.environ["OCF_AGENTS"], program)
    done = subprocess.run([str(program), "meta-data"], capture_output=True, text=True, check=True,
                          env={})
    names = [each.attrib["name"] for each in ElementTree.fromstring(done.stdout).iter("parameter")]
    assert names == ["gateway", "address", "protocols", "l2tp_port", "timeout", "failures",
                     "forget", "vpnha_config", "socket", "binary"]
