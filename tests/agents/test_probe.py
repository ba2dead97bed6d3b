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
wish=$1
case "$*" in
    *--account*) ! grep -q "^$1-login " '{path}/codes' || wish=$1-login ;;
esac
while read -r protocol code; do
    [ "$protocol" != "$wish" ] || break
done <'{path}/codes'
echo "$1 has ended with $code | time=0.1s"
exit "$code"
"""
# Each node's mark is a file.
ATTRD = """#!/bin/sh
[ ! -e '{path}/no-pacemaker' ] || exit 102
case "$1 $2" in
    "--name vpnha-probe-{gateway}") marks='{path}/marks' ;;
    "--name vpnha-radius-{gateway}") marks='{path}/radius' ;;
    *) exit 64 ;;
esac
case "$3" in
    --update) echo "$4" >"$marks/here" ;;
    --delete) rm -f "$marks/here" ;;
    --query)
        for node in "$marks"/*; do
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
        (path / "radius").mkdir()
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

    def codes(self, login: int | None = None, **codes: int) -> None:
        """With which a probe of each protocol ends. `login`: one of L2TP with an account."""
        logins = [] if login is None else [f"l2tp-login {login}\n"]
        (self.path / "codes").write_text("".join([
            f"{name} {codes.get(name, ANSWERS)}\n"
            for name in ("l2tp", "ike", "pptp", "radius", "wireguard")] + logins), "utf-8")

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

    def other_node(self, mark: str, of: str = "marks") -> None:
        (self.path / of / "there").write_text(f"{mark}\n", "utf-8")

    @property
    def radius(self) -> str:
        file = self.path / "radius" / "here"
        return file.read_text("utf-8").strip() if file.exists() else ""

    def with_radius(self) -> None:
        self.parameters |= {"protocols": "l2tp radius", "failures": "2",
                            "radius_servers": "198.51.100.5 198.51.100.6"}

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
    assert (place.mark, place.radius) == ("", ""), "a stop takes the marks away"
    place.vpnhad.close()


def test_where_the_gateway_is_served_each_protocol_is_asked_from_the_vip_to_itself(place: Place):
    assert place.monitor(2) == OK
    wish = "192.0.2.100 --source 192.0.2.100"
    assert place.asked() == [f"l2tp {wish} --port 1701 --timeout 5", f"ike {wish} --timeout 5"] * 2
    assert place.mark == "alive"


def test_an_account_is_handed_on_as_a_file(place: Place):
    place.parameters |= {"protocols": "l2tp wireguard",
                         "accounts": "wireguard=/etc/vpnha/probe.wg l2tp=/etc/vpnha/probe.ppp"}
    assert place.monitor() == OK
    wish = "192.0.2.100 --source 192.0.2.100"
    assert place.asked() == [
        f"l2tp {wish} --port 1701 --account /etc/vpnha/probe.ppp --timeout 5",
        f"wireguard {wish} --port 51820 --account /etc/vpnha/probe.wg --timeout 5"]


def logins(place: Place) -> list[bool]:
    """Whether each question was a login."""
    return ["--account" in line for line in place.asked()]


def with_account(place: Place, every: int) -> None:
    place.parameters |= {"protocols": "l2tp", "accounts": "l2tp=/etc/a", "login_every": str(every)}


def test_a_login_burdens_one_monitor_of_so_many(place: Place):
    with_account(place, 3)
    assert place.monitor(7) == OK
    assert logins(place) == [True, False, False, True, False, False, True]
    with_account(place, 1)
    assert place.monitor(4) == OK
    assert logins(place)[-2:] == [True, True]


def test_what_is_in_doubt_is_asked_by_logins(place: Place):
    with_account(place, 3)
    assert place.monitor(3) == OK
    place.codes(login=CRITICAL)
    assert place.monitor(3) == DEGRADED
    assert logins(place)[3:] == [True, True, True]
    assert place.mark == "dead", "a first exchange in between would have answered"
    assert place.monitor(2) == DEGRADED
    assert logins(place)[6:] == [True, True]
    place.codes()
    assert place.monitor(2) == DEGRADED
    assert place.monitor(2) == OK
    assert logins(place)[8:] == [True, True, True, False]


def test_a_failure_without_a_login_has_the_next_monitor_log_in(place: Place):
    with_account(place, 9)
    assert place.monitor(2) == OK
    place.codes(l2tp=CRITICAL)
    assert place.monitor(2) == OK
    assert logins(place) == [True, False, False, True]


def test_where_it_was_not_asked_a_login_comes_first(place: Place):
    with_account(place, 9)
    assert place.monitor(2) == OK
    place.answers["monitor"] = UNPROMOTED
    assert place.monitor() == OK
    place.answers["monitor"] = PROMOTED
    assert place.monitor() == OK
    place.codes(l2tp=UNKNOWN)
    assert place.monitor() == DEGRADED
    place.codes()
    assert place.monitor() == OK
    assert logins(place) == [True, False, True, False, True]


@pytest.mark.parametrize("state", [PROMOTED, UNPROMOTED])
def test_radius_is_asked_by_each_node_from_its_own_address(place: Place, state: object):
    place.with_radius()
    place.answers["monitor"] = state
    assert place.monitor() == OK
    assert place.asked()[:2] == [
        f"radius 198.51.100.{last} --secret-file /etc/vpnha/radius.secret --timeout 5"
        for last in (5, 6)]
    assert len(place.asked()) == (3 if state is PROMOTED else 2)
    assert place.radius == "alive"
    place.codes(radius=CRITICAL)
    place.monitor()
    assert place.radius == "dead", "the first failure takes it back"
    place.codes(radius=UNKNOWN)
    place.monitor()
    assert place.radius == ""


def test_a_radius_server_that_answers_another_node_is_a_reason_to_leave(place: Place):
    place.with_radius()
    assert place.monitor() == OK
    place.other_node("alive", "radius")
    place.codes(radius=CRITICAL)
    assert place.monitor() == OK
    done = place.run("monitor")
    assert (done.returncode, place.mark) == (DEGRADED, "dead")
    assert "radius has ended with 2; radius has ended with 2" in done.stderr


def test_a_radius_server_that_answers_no_node_is_none(place: Place):
    place.with_radius()
    assert place.monitor() == OK
    place.codes(radius=CRITICAL)
    place.other_node("alive", "radius")  # It has not asked since.
    assert place.monitor() == OK
    place.other_node("dead", "radius")
    for _ in range(4):
        done = place.run("monitor")
        assert (done.returncode, place.mark) == (DEGRADED, "alive")
        assert "no other node is answered, so the gateway stays" in done.stderr
    place.codes()
    assert place.monitor() == OK


def test_while_radius_answers_no_node_nobody_logs_in(place: Place):
    place.with_radius()
    place.parameters |= {"protocols": "l2tp wireguard radius",
                         "accounts": "l2tp=/etc/a wireguard=/etc/b"}
    assert place.monitor() == OK
    assert any("l2tp " in line and "--account /etc/a" in line for line in place.asked())
    place.codes(radius=CRITICAL)
    before = len(place.asked())
    assert place.monitor() == DEGRADED
    asked = [line for line in place.asked()[before:] if not line.startswith("radius")]
    assert ["--account" in line for line in asked] == [False, True]


def test_a_dead_service_is_one_without_radius_as_well(place: Place):
    place.with_radius()
    assert place.monitor() == OK
    place.codes(l2tp=CRITICAL, radius=CRITICAL)
    assert place.monitor(2) == DEGRADED
    assert place.mark == "dead"


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


def test_a_probe_that_cannot_ask_reports_it_and_counts_for_nothing(place: Place):
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
    ({"protocols": "l2tp, ike"}, CONFIGURED), ({"protocols": "l2tp ike l2tp"}, CONFIGURED),
    ({"protocols": "radius"}, CONFIGURED), ({"protocols": "openvpn"}, CONFIGURED),
    ({"protocols": "radius", "radius_servers": "198.51.100.5"}, OK),
    ({"protocols": "radius", "radius_servers": "198.51.100.5", "failures": "1"}, CONFIGURED),
    ({"protocols": "radius", "radius_servers": " a b c d e f"}, CONFIGURED),
    ({"protocols": "wireguard"}, CONFIGURED), ({"accounts": "l2tp=/a"}, OK),
    ({"accounts": "l2tp=a"}, CONFIGURED), ({"accounts": "l2tp=/a l2tp=/b"}, CONFIGURED),
    ({"accounts": "ike=/a"}, CONFIGURED), ({"accounts": "ikev2=/a"}, CONFIGURED),
    ({"accounts": "wireguard=/a", "protocols": "wireguard"}, OK),
    ({"accounts": "pptp=/a", "protocols": "pptp"}, OK), ({"login_every": "360"}, OK),
    ({"login_every": "0"}, CONFIGURED), ({"login_every": "361"}, CONFIGURED),
    ({"wireguard_port": "0", "accounts": "wireguard=/a", "protocols": "wireguard"}, CONFIGURED),
    ({"timeout": "13"}, CONFIGURED), ({"timeout": "12"}, OK), ({"failures": "0"}, CONFIGURED),
    ({"forget": "soon"}, ARGUMENTS), ({"l2tp_port": "65536"}, CONFIGURED),
    ({"binary": "/nowhere"}, INSTALLED), ({"address": ""}, ARGUMENTS)])
def test_parameters_are_checked(place: Place, changed: dict[str, str], code: int):
    before = dict(place.parameters)
    place.parameters |= changed
    assert place.run("validate-all").returncode == code
    place.parameters = before


def test_it_shows_what_it_is_without_anything(tmp_path: Path):
    program = tmp_path / "probe"
    shutil.copy(os.environ["OCF_AGENTS"], program)
    done = subprocess.run([str(program), "meta-data"], capture_output=True, text=True, check=True,
                          env={})
    names = [each.attrib["name"] for each in ElementTree.fromstring(done.stdout).iter("parameter")]
    assert names == ["gateway", "address", "protocols", "l2tp_port", "wireguard_port", "accounts",
                     "login_every", "radius_servers", "radius_secret_file", "timeout", "failures",
                     "forget", "vpnha_config", "socket", "binary"]
