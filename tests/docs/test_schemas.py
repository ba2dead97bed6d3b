# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands print as JSON (the programs that $VPNHA and $VPNHA_PROBE name) against the
schemas of docs/reference/schemas. Beside a vpnhad and a cibadmin of the test; as root.

For users a schema is open: members may come. Here it is closed, so a member that comes is in it."""
from __future__ import annotations

import copy
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from fake_vpnhad import Vpnhad, documented  # noqa: E402 - where it lies is known since now

SCHEMAS = ROOT / "docs" / "reference" / "schemas"
SUFFIX = ".schema.json"
NAMES = sorted(path.name.removesuffix(SUFFIX) for path in SCHEMAS.iterdir())
PAGE = (ROOT / "docs" / "reference" / "json.md").read_text("utf-8")
# Of Pacemaker, with others of the test in their place.
PROGRAMS = ("/usr/sbin/cibadmin", "/usr/sbin/crm_mon")
GOOD, FAILED, DEGRADED = 0, 1, 6
# As `crm resource move` leaves it.
CONSTRAINED = """<configuration><resources>
<clone id="c-clone"><primitive id="c" class="ocf" provider="vpnha" type="checkpoint"/></clone>
</resources><constraints>
<rsc_location id="cli-prefer-c-clone" rsc="c-clone" role="Promoted" node="gw1" score="INFINITY"/>
</constraints></configuration>"""
CIBADMIN_OF_TEST = """#!/bin/sh
case "$*" in
    *status*) echo '<status/>' ;;
    *) cat '{path}/cib.xml' ;;
esac
"""
CRM_MON_OF_TEST = """#!/bin/sh
cat <<'END'
<pacemaker-result><nodes><node name="gw1" online="true"/><node name="gw2" online="true"/>
<node name="gw3" online="true" standby="true"/></nodes></pacemaker-result>
END
"""


def schema_of(name: str) -> dict[str, Any]:
    return json.loads((SCHEMAS / (name + SUFFIX)).read_text("utf-8"))


def closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: {name: closed(each) for name, each in value.items()} if key == "properties"
             else closed(value) for key, value in schema.items()}
    return {"additionalProperties": False, **inner} if "properties" in schema else inner


def check(name: str, value: Any) -> None:
    faults = [f"/{'/'.join(map(str, each.absolute_path))}: {each.message}"
              for each in Draft7Validator(closed(schema_of(name))).iter_errors(value)]
    assert not faults, "\n".join(faults)


class Node:
    """On which the commands are typed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: dict[str, object] = {
            verb: documented(verb) for verb in ("status", "sessions", "gate", "plan", "events")}
        self.answers["events"] = [documented("events"), {"instance": "161", "events": []}]
        self.vpnhad = Vpnhad(path / "control.sock", self.answers)
        (path / "cib.xml").write_text(CONSTRAINED, "utf-8")
        for name, text in (("cibadmin", CIBADMIN_OF_TEST.format(path=path)),
                           ("crm_mon", CRM_MON_OF_TEST)):
            (path / name).write_text(text, "utf-8")
            (path / name).chmod(0o755)

    def type(self, program: str, *words: str, codes: tuple[int, ...] = (GOOD,)) -> str:
        """In a network and a mount namespace of its own. Returns what it has printed."""
        mounts = " && ".join(f"mount --bind '{self.path / Path(each).name}' {each}"
                             for each in PROGRAMS)
        done = subprocess.run(
            ["unshare", "--net", "--mount", "sh", "-c",
             f'{mounts} && ip link set lo up && exec "$@"', "sh", os.environ[program], *words],
            capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode in codes, done.stderr
        return done.stdout

    def ask(self, *words: str, codes: tuple[int, ...] = (GOOD,)) -> Any:
        return json.loads(self.type("VPNHA", "--socket", str(self.path / "control.sock"), *words,
                                    "--json", codes=codes))


@pytest.fixture(name="node")
def node_fixture(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    yield node
    node.vpnhad.close()


@pytest.mark.parametrize("name", NAMES)
def test_each_schema_is_one_and_is_documented(name: str):
    schema = schema_of(name)
    Draft7Validator.check_schema(schema)
    assert schema["title"] and f"[{name}{SUFFIX}](schemas/{name}{SUFFIX})" in PAGE


def test_a_member_that_is_not_in_the_schema_is_found():
    for change in ({"more": 1}, {"gateways": None}, {"devices": [{"interface": 1}]}):
        with pytest.raises(AssertionError):
            check("gate", {**documented("gate"), **change})


@pytest.mark.parametrize("name", ["status", "sessions", "peers", "gate", "plan"])
def test_the_examples_of_the_control_protocol_fit(name: str):
    check(name, documented(name))


def test_what_is_not_known_is_null(node: Node):
    status = copy.deepcopy(documented("status"))
    gateway = status["gateways"][0]
    gateway.update({
        name: None for name in (
            "last_takeover", "promoted_node", "clock_difference_s", "score", "accounting", "ipsec",
            "gate_drops")})
    gateway["lease"].update({"witness": None, "sizing": None})
    gateway["records"]["lag_ms"] = None
    del gateway["wireguard"]
    status.update({"scripts": None, "dynamic_authorization": None})
    status["members"][1].update(dict.fromkeys(
        ("name", "wire_version", "wire_version_min", "instance")))
    node.answers["status"] = status
    check("status", node.ask("status", codes=(DEGRADED,)))
    check("peers", node.ask("peers"))


def test_status_has_what_pacemaker_adds(node: Node):
    status = node.ask("status", codes=(GOOD, DEGRADED))
    check("status", status)
    assert [each["id"] for each in status["constraints"]] == ["cli-prefer-c-clone"]
    assert "old_programs" in status


@pytest.mark.parametrize("verb", ["sessions", "peers", "gate", "plan"])
def test_what_a_verb_prints_fits(node: Node, verb: str):
    check(verb, node.ask(verb, codes=(GOOD, DEGRADED)))


def test_each_event_fits(node: Node):
    lines = node.type("VPNHA", "--socket", str(node.path / "control.sock"), "events",
                      "--json").splitlines()
    assert lines
    for line in lines:
        check("event", json.loads(line))


@pytest.mark.parametrize("number", range(3))
def test_each_session_that_is_shown_fits(node: Node, number: int):
    session = documented("sessions")["sessions"][number]
    shown = node.ask("session", "show", session["id"])
    check("session-show", shown)
    assert shown["id"] == session["id"]


@pytest.mark.parametrize(("unit", "per_second"), [("packets", "packets"), ("octets", "bits")])
def test_what_passes_of_a_session_that_is_served_here_fits(node: Node, unit: str, per_second: str):
    sessions = documented("sessions")
    sessions["sessions"][1]["passed"]["unit"] = unit
    node.answers["sessions"] = sessions
    shown = node.ask("session", "show", sessions["sessions"][1]["id"])
    check("session-show", shown)
    assert set(shown["traffic"]) == {f"{unit}_in", f"{unit}_out", f"{per_second}_in_per_s",
                                     f"{per_second}_out_per_s"}


def test_constraints_fit(node: Node):
    found = node.ask("cluster", "check", codes=(DEGRADED,))
    check("cluster-check", found)
    assert len(found["constraints"]) == 1


def test_a_plan_of_moves_fits(node: Node):
    status = documented("status")
    status["gateways"].append({**status["gateways"][0], "name": "office"})
    node.answers.update({"status": status, "switchover": documented("switchover")})
    plan = node.ask("rebalance")
    check("rebalance", plan)
    assert [(each["name"], each["amiss"]) for each in plan["nodes"]] == [
        ("gw1", None), ("gw2", None), ("gw3", "in standby")]
    assert [(each["gateway"], each["to"], each["state"]) for each in plan["moves"]] == [
        ("office", "gw2", "planned")]
    assert len(plan["notes"]) == 1


def test_what_doctor_finds_fits(node: Node):
    example = node.type("VPNHA", "config", "example")
    file = node.path / "vpnha.toml"
    file.write_text(example, "utf-8")
    found = json.loads(node.type("VPNHA", "doctor", str(file), "--json", codes=(GOOD, FAILED)))
    check("doctor", found)
    assert found["file"] == str(file)
    assert {"level": "good", "about": "configuration", "text": f"{file}: good"} in found["findings"]
    assert {"fencing", "voters", "routing"} <= {
        each["about"] for each in found["findings"]}
    file.write_text("[gateway.x]\nidd = 1\n", "utf-8")
    wrong = json.loads(node.type("VPNHA", "doctor", str(file), "--json", codes=(FAILED,)))
    check("doctor", wrong)
    assert [each["level"] for each in wrong["findings"]] == ["error"]
    assert wrong["exit_code"] == FAILED


RECORD = {
    "version": 1, "what": "a drill", "drill": "node-power", "gateway": "dialin", "outcome": "moved",
    "good": True, "node": "gw2", "from": "gw1", "to": "gw2", "fault": "a reset of gw1",
    "output": "", "begun_unix_ms": 1764000000000.0, "struck_unix_ms": 1764000000500.0,
    "noticed_unix_ms": None, "moved_unix_ms": 1764000000800.0, "undone_unix_ms": None,
    "recovered_unix_ms": None, "undo_trouble": "",
    "timers": {"stands_in": True, "lease_ms": 300.0, "token_ms": None},
    "ruled": {"timer": "", "set": ""},
    "sessions": {"before": 3, "kept": 3, "lost": 0, "anew": 1}, "notes": ["a note"],
    "moments": [{"unix_ms": 1764000000800.0, "node": "gw2", "text": "gate opened"}], "watches": []}


def test_a_watch_and_the_report_of_a_drill_fit(node: Node):
    watch, record, joined = (str(node.path / name) for name in ("watch", "record", "joined"))
    node.type("VPNHA", "drill", "watch", "127.0.0.1", "--json", watch, "--for", "1", "--interval",
              "0.1")
    seen = json.loads(Path(watch).read_text("utf-8"))
    check("drill-watch", seen)
    assert seen["probes"]
    for sessions in (RECORD["sessions"], None):
        Path(record).write_text(json.dumps({**RECORD, "sessions": sessions}), "utf-8")
        node.type("VPNHA", "drill", "report", record, "--watch", watch, "--json", joined,
                  codes=(GOOD, FAILED, DEGRADED))
        report = json.loads(Path(joined).read_text("utf-8"))
        check("drill", report)
        assert len(report["watches"]) == 1


class L2tpServer:
    """Answers an SCCRQ and a StopCCN."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        for sequence in (0, 1):
            asked, client = self.socket.recvfrom(1500)
            at = asked.index(struct.pack("!HHH", 0x8008, 0, 9)) + 6
            body = b"" if sequence else struct.pack("!HHHHHHHH", 0x8008, 0, 0, 2, 0x8008, 0, 9, 7)
            self.socket.sendto(struct.pack("!HH", 0xC802, 12 + len(body)) + asked[at:at + 2] +
                               struct.pack("!HHH", 0, sequence, sequence + 1) + body, client)


def probe(*words: str, code: int) -> Any:
    done = subprocess.run([os.environ["VPNHA_PROBE"], *words, "--json"], capture_output=True,
                          text=True, check=False, timeout=30)
    assert done.returncode == code, done.stdout
    return json.loads(done.stdout)


def test_what_a_probe_finds_fits():
    server = L2tpServer()
    answered = probe("l2tp", "127.0.0.1", "--port", str(server.socket.getsockname()[1]), code=0)
    check("probe", answered)
    assert [each["name"] for each in answered["steps"]] == ["sccrq", "stopccn"]
    for words, code in ((("l2tp", "127.0.0.1", "--port", "9", "--timeout", "0.3"), 2),
                        (("ike", "127.0.0.1", "--source", "x"), 3)):
        check("probe", probe(*words, code=code))
