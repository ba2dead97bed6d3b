# SPDX-License-Identifier: GPL-2.0-or-later
"""fence_vpnha (the program that $FENCE_VPNHA names): lines on stdin, or options, to return codes
and to what vpnhad is asked. A fake control server answers, a fake cibadmin shows the resources."""
from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from fake_vpnhad import Vpnhad  # noqa: E402 - where it lies is known since now

PROGRAM = os.environ["FENCE_VPNHA"]
ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "man" / "fence_vpnha.8"
SCHEMA = "/usr/share/cluster/relaxng/metadata.rng"
OK, FAILED, IS_OFF = 0, 1, 2

GATED = """\
<resources>
  <clone id="fencing-clone">
    <primitive id="fencing" class="stonith" type="fence_ipmilan">
      <operations><op name="start" interval="0" id="fencing-start"/></operations>
    </primitive>
  </clone>
  <clone id="checkpoint-clone">
    <primitive id="checkpoint" class="ocf" provider="vpnha" type="checkpoint"/>
  </clone>
  <template id="services" class="ocf" provider="vpnha" type="xl2tpd"/>
  <clone id="xl2tpd-clone"><primitive id="xl2tpd" template="services"/></clone>
</resources>
"""
ADDRESS = '<primitive id="address" class="ocf" provider="heartbeat" type="IPaddr2"/>'
SERVICE = '<primitive class="systemd" type="nginx" id="web"/>'
TEMPLATE = '<template id="databases" type="pgsql" class="ocf" provider="heartbeat"/>'
VIP = '<primitive id="own" class="ocf" provider="vpnha" type="vip"/>'
VIPS = '<template id="owns" type="vip" provider="vpnha" class="ocf"/>'
LINK = ('<primitive id="pppd-link" class="ocf" provider="vpnha" type="pppd">'
        '<instance_attributes id="a"><nvpair id="m" name="mode" value="link"/>'
        '</instance_attributes></primitive>')
NO_MODE = LINK.replace('name="mode"', 'name="other"')
LOOK = LINK.replace('"link"', '"gateway"')
LINKS = LOOK.replace("primitive", "template").replace('"gateway"', '"link"')
# What stands behind it has nothing of it.
FIRST_OF_TWO = '<primitive id="pppd-link" class="ocf" provider="vpnha" type="pppd"/>' + LOOK
# Made from a template that only looks, and dialling all the same.
OVERRIDING = (LOOK.replace("primitive", "template").replace("pppd-link", "looks")
              + '<primitive id="pppd-link" template="looks"><instance_attributes id="b">'
              '<nvpair id="n" name="mode" value="link"/></instance_attributes></primitive>')
# Which set counts is decided by rules.
BOTH = LOOK.replace("</instance_attributes>", '</instance_attributes><instance_attributes id="b">'
                    '<rule id="r"/><nvpair id="n" name="mode" value="link"/>'
                    "</instance_attributes>")
ELSEWHERE = LOOK.replace('<nvpair id="m" name="mode" value="gateway"/>', "").replace(
    'id="a"', 'id-ref="others"')
BY_OPERATION = NO_MODE.replace("</primitive>", '<operations><op id="o" name="start" interval="0">'
                               '<instance_attributes id="b"><nvpair id="n" name="mode" '
                               'value="gateway"/></instance_attributes></op></operations>'
                               "</primitive>")
NO_TEMPLATE = '<primitive id="lost" template="nowhere"/>'
QUOTED = ADDRESS.replace('"', "'")
BUNDLE = '<bundle id="box"><podman image="x"/></bundle>'
NODES = {"nodes": [{"id": 1, "name": "gw1", "fenced": False},
                   {"id": 2, "name": "gw2", "fenced": True}]}


class Place:
    """A directory with a control socket and a cibadmin."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.vpnhad: Vpnhad | None = None
        self.resources(GATED)

    def serve(self, **answers: object) -> Vpnhad:
        self.vpnhad = Vpnhad(self.path / "control.sock", answers)
        return self.vpnhad

    def resources(self, text: str, code: int = 0) -> None:
        (self.path / "resources").write_text(text, encoding="utf-8")
        program = self.path / "cibadmin"
        program.write_text(f"#!/bin/sh\ncat {self.path}/resources\nexit {code}\n",
                           encoding="utf-8")
        program.chmod(0o755)

    def run(self, *lines: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        given = [f"socket={self.path}/control.sock", f"cibadmin_path={self.path}/cibadmin", *lines]
        return subprocess.run([PROGRAM, *options], capture_output=True, text=True, check=False,
                              input="" if options else "\n".join(given) + "\n", timeout=20)


@pytest.fixture(name="place")
def place_fixture(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    if place.vpnhad:
        place.vpnhad.close()


OFF = ("action=off", "plug=gw1")
YIELD = (*OFF, "mode=yield")
DUEL = (*OFF, "mode=duel", "timeout=10")
# What is given, what vpnhad answers (None: there is none), the code, and words of the reason.
TABLE = [
    (OFF, {}, OK, ""),
    (("action=off", "nodename=gw1"), {}, OK, ""),
    (("plug=gw1",), {}, OK, ""),
    (("# action=reboot", *OFF, "unknown=1", "no assignment"), {}, OK, ""),
    (("action=metadata", *OFF), {}, OK, ""),
    (OFF, None, FAILED, "no vpnhad answers"),
    (OFF, {"fence": "timeout: no majority"}, FAILED, "no majority"),
    (OFF, {"fence": "unsupported: three voters"}, FAILED, "three voters"),
    (OFF, {"fence": "dies: at once"}, FAILED, "closed the connection"),
    (("action=off",), {}, FAILED, "needs plug"),
    (("action=reboot", "plug=gw1"), {}, FAILED, "pcmk_reboot_action=off"),
    (("action=on", "plug=gw1"), {}, FAILED, "pcmk_reboot_action=off"),
    (("action=explode", "plug=gw1"), {}, FAILED, "only takes leases away"),
    ((*OFF, "mode=other"), {}, FAILED, "none of revoke, duel, yield and confirm"),
    (DUEL, {}, OK, ""),
    (DUEL, {"fence": "busy: the witness has this node marked"}, FAILED, "this node marked"),
    ((*OFF, "mode=duel"), {}, FAILED, "timeout=5 is no number of seconds from 7 to 60"),
    (("action=status", "plug=gw1", "mode=duel", "timeout=7"), {}, FAILED, "power device"),
    ((*OFF, "timeout=0"), {}, FAILED, "1 to 60"),
    ((*OFF, "timeout=soon"), {}, FAILED, "1 to 60"),
    ((*OFF, "gated_only=perhaps"), {}, FAILED, "neither 1 nor 0"),
    (("action=status", "plug=gw1"), {"nodes": NODES}, OK, ""),
    (("action=status", "plug=gw2"), {"nodes": NODES}, IS_OFF, ""),
    (("action=status", "plug=2"), {"nodes": NODES}, IS_OFF, ""),
    (("action=status", "plug=gw3"), {"nodes": NODES}, FAILED, "no such node"),
    (("action=status", "plug=gw1"), None, FAILED, "no vpnhad answers"),
    (("action=status", "plug=gw1", "mode=confirm"), {}, FAILED, "power device"),
    (("action=monitor",), {}, OK, ""),
    (("action=monitor",), None, OK, ""),
    (("action=monitor",), {"ping": "system: broken"}, FAILED, "broken"),
    (("action=list",), {"nodes": NODES}, OK, ""),
    (("action=list",), None, FAILED, "no vpnhad answers"),
    (("action=list",), {"nodes": {}}, FAILED, "list of nodes"),
    (("action=validate-all",), None, OK, ""),
    ((*OFF, "mode=confirm"), {}, OK, ""),
    ((*OFF, "mode=confirm"), {"confirm_dead": ["busy: lives", "busy: lives", {}]}, OK, ""),
    ((*OFF, "mode=confirm", "timeout=1"), {"confirm_dead": "busy: lives"}, FAILED, "lives"),
    ((*OFF, "mode=confirm"), {"confirm_dead": "invalid_argument: two voters"}, FAILED,
     "two voters"),
    ((*YIELD, "delay_ms=-1"), {}, FAILED, "0 to 30000"),
    ((*YIELD, "delay_ms=1.5"), {}, FAILED, "0 to 30000"),
    ((*YIELD, "delay_ms=30001"), {}, FAILED, "0 to 30000"),
    (("action=off", "mode=yield"), {}, FAILED, "needs plug"),
    (("action=status", "plug=gw1", "mode=yield"), {"nodes": NODES}, FAILED, "power device"),
]


@pytest.mark.parametrize(("lines", "answers", "code", "reason"), TABLE)
def test_stdin_to_return_code(place: Place, lines: tuple[str, ...], answers: dict | None,
                              code: int, reason: str) -> None:
    if answers is not None:
        place.serve(**answers)
    done = place.run(*lines)
    assert (done.returncode, done.stderr if code == OK else "") == (code, "")
    assert reason in done.stderr


def test_off_asks_for_a_fencing_and_waits_as_long_as_it_was_configured(place: Place) -> None:
    vpnhad = place.serve()
    assert place.run(*OFF, "timeout=7").returncode == OK
    assert vpnhad.asked == [("fence", {"node": "gw1", "timeout_ms": 7000})]


def test_plug_is_preferred_whatever_comes_last(place: Place) -> None:
    vpnhad = place.serve()
    assert place.run("plug=gw1", "nodename=other").returncode == OK
    assert place.run("plug=other", "plug=gw1").returncode == OK
    assert [arguments["node"] for _, arguments in vpnhad.asked] == ["gw1", "gw1"]


def test_confirm_names_the_device(place: Place) -> None:
    vpnhad = place.serve()
    place.resources("", 1)
    assert place.run(*OFF, "mode=confirm").returncode == OK
    assert vpnhad.asked == [("confirm_dead", {"node": "gw1", "by": "device"})]


def two_nodes(ours: int, theirs: int, lost_ms: int | None = None, own_id: int = 2) -> dict:
    """What vpnhad reports of two nodes that serve so many gateways; the victim is gw1."""
    victim = {"id": 3 - own_id, "name": "gw1", "self": False, "gateways": theirs,
              "lost_ms": lost_ms}
    own = {"id": own_id, "name": "gw2", "self": True, "gateways": ours, "lost_ms": None}
    return {"nodes": sorted((victim, own), key=lambda node: node["id"])}


# The nodes, and whether off comes after the whole delay, or at once.
YIELDS = [
    (two_nodes(1, 0), False),
    (two_nodes(0, 1), True),
    (two_nodes(0, 0), True),
    (two_nodes(0, 0, own_id=1), True),
    (two_nodes(2, 1), False),
    (two_nodes(1, 2), True),
    (two_nodes(1, 1, own_id=1), False),
    (two_nodes(1, 1), True),
    (two_nodes(0, 1, lost_ms=0), True),
    (two_nodes(0, 1, lost_ms=500), False),
    (two_nodes(0, 1, lost_ms=86_400_000), False),
    ({"nodes": [{"id": 2, "name": "gw2", "self": True, "gateways": 1}]}, True),
    ({"nodes": [{"id": 1, "name": "gw1", "self": True, "gateways": 1}]}, True),
    ({"nodes": {}}, True),
    ("system: broken", True),
    ("dies: at once", True),
    (None, True),
]


@pytest.mark.parametrize(("nodes", "waits"), YIELDS)
def test_who_serves_less_waits(place: Place, nodes: object, waits: bool) -> None:
    if nodes is not None:
        place.serve(nodes=nodes)
    begin = time.monotonic()
    done = place.run(*YIELD, "delay_ms=500")
    took = time.monotonic() - begin
    assert (done.returncode, done.stderr) == (OK, "")
    assert (took >= 0.5) == waits


def test_a_duel_looks_at_no_resources_as_power_follows(place: Place) -> None:
    vpnhad = place.serve()
    place.resources(GATED.replace("</resources>", f"{ADDRESS}</resources>"))
    assert place.run(*DUEL).returncode == OK
    assert vpnhad.asked == [("fence", {"node": "gw1", "timeout_ms": 10_000})]


def test_who_has_lost_a_duel_switches_nobody_off(place: Place) -> None:
    """Not even a node that serves, by what it knows itself."""
    nodes = two_nodes(1, 0, lost_ms=86_400_000)
    nodes["nodes"][0]["won_duel"] = True
    place.serve(nodes=nodes)
    done = place.run(*YIELD)
    assert done.returncode == FAILED
    assert "the witness has this node marked, as gw1 has asked" in done.stderr


def test_the_delay_counts_from_the_loss(place: Place) -> None:
    vpnhad = place.serve(nodes=two_nodes(0, 1, lost_ms=29_500))
    begin = time.monotonic()
    assert place.run(*YIELD, "delay_ms=30000").returncode == OK
    assert 0.5 <= time.monotonic() - begin < 5
    assert vpnhad.asked == [("nodes", {})]


def test_a_vpnhad_that_stands_still_costs_no_more_than_the_delay(place: Place) -> None:
    place.serve(nodes="hangs: for good")
    begin = time.monotonic()
    assert place.run(*YIELD, "delay_ms=500").returncode == OK
    assert 0.5 <= time.monotonic() - begin < 5


@pytest.mark.parametrize(("resource", "name"), [
    (ADDRESS, "address"), (SERVICE, "web"), (TEMPLATE, "databases"), (BUNDLE, "box"),
    (VIP, "own"), (VIPS, "owns"), (LINK, "pppd-link"), (NO_MODE, "pppd-link"),
    (LINKS, "pppd-link"), (FIRST_OF_TWO, "pppd-link"), (OVERRIDING, "pppd-link"),
    (BOTH, "pppd-link"), (ELSEWHERE, "pppd-link"), (BY_OPERATION, "pppd-link"),
    (NO_TEMPLATE, "lost"), (QUOTED, "address")])
@pytest.mark.parametrize("action", ["off", "monitor"])
def test_resources_that_run_on_are_a_refusal(place: Place, resource: str, name: str,
                                             action: str) -> None:
    vpnhad = place.serve()
    place.resources(GATED.replace("</resources>", f"{resource}</resources>"))
    done = place.run(f"action={action}", "plug=gw1")
    assert done.returncode == FAILED
    assert f"({name})" in done.stderr
    # It was marked all the same, but nobody takes it for off.
    assert [verb for verb, _ in vpnhad.asked] == (["fence"] if action == "off" else [])
    assert place.run(f"action={action}", "plug=gw1", "gated_only=1").returncode == OK


# crmsh keeps comments of the files that it loads.
@pytest.mark.parametrize("resource", [LOOK, LOOK.replace('"', "'"), f"<!-- {ADDRESS} -->",
                                      LOOK.replace("gateway", "g&#97;teway"),
                                      OVERRIDING.replace('"link"', '"gateway"')])
def test_a_look_at_sessions_is_no_resource_that_runs_on(place: Place, resource: str) -> None:
    place.serve()
    place.resources(GATED.replace("</resources>", f"{resource}</resources>"))
    done = place.run(*OFF)
    assert done.returncode == OK, done.stderr


@pytest.mark.parametrize(("text", "code"), [
    ("", 0), ("no connection", 0), (GATED, 105), (GATED[:-5], 0), (f"{GATED}<more/>", 0),
    (f"<!DOCTYPE resources>{GATED}", 0)])
def test_without_a_look_at_the_resources_nobody_is_off(place: Place, text: str, code: int) -> None:
    place.serve()
    place.resources(text, code)
    done = place.run(*OFF)
    assert done.returncode == FAILED
    assert "resources of the cluster" in done.stderr


@pytest.mark.parametrize("option", ["--delay-m=2", "--act=off", "--timeou=5", "--plu=gw2"])
def test_an_abbreviated_option_is_none(place: Place, option: str) -> None:
    """`--delay=2` was two milliseconds once."""
    vpnhad = place.serve()
    done = place.run(options=(f"--socket={place.path}/control.sock",
                              f"--cibadmin-path={place.path}/cibadmin", "--plug=gw1", option))
    assert done.returncode == FAILED and "is no option" in done.stderr
    assert vpnhad.asked == []


@pytest.mark.parametrize("mode", ["revoke", "confirm"])
def test_delay_is_in_seconds_before_off(place: Place, mode: str) -> None:
    place.serve()
    begin = time.monotonic()
    assert place.run(*OFF, f"mode={mode}", "delay=1").returncode == OK
    assert time.monotonic() - begin >= 1
    begin = time.monotonic()
    options = (f"--socket={place.path}/control.sock", f"--cibadmin-path={place.path}/cibadmin",
               "--plug=gw1", f"--mode={mode}", "--delay=1")
    assert place.run(options=options).returncode == OK
    assert time.monotonic() - begin >= 1


def test_delay_is_of_off_alone(place: Place) -> None:
    place.serve(nodes=NODES)
    begin = time.monotonic()
    for action in ("status", "monitor", "list", "metadata"):
        assert place.run(f"action={action}", "plug=gw1", "delay=600").returncode == OK
    assert time.monotonic() - begin < 60
    for wrong in ("-1", "601", "soon"):
        done = place.run(*OFF, f"delay={wrong}")
        assert done.returncode == FAILED and "0 to 600" in done.stderr


def test_its_version_is_the_project_s(place: Place) -> None:
    project = re.search(r"project\(\w+\s+VERSION\s+([0-9.]+)",
                        (ROOT / "CMakeLists.txt").read_text("utf-8"))
    assert project is not None
    for option in ("--version", "-V"):
        done = place.run(options=(option,))
        assert (done.returncode, done.stdout) == (OK, f"fence_vpnha {project[1]}\n")


def test_options_mean_the_same_as_lines(place: Place) -> None:
    vpnhad = place.serve()
    common = (f"--socket={place.path}/control.sock", "--cibadmin-path", f"{place.path}/cibadmin")
    assert place.run(options=(*common, "-o", "off", "--plug", "gw1", "-v")).returncode == OK
    assert place.run(options=(*common, "--plug=gw1", "--gated-only", "-t", "3")).returncode == OK
    assert vpnhad.asked == [("fence", {"node": "gw1", "timeout_ms": 5000}),
                            ("fence", {"node": "gw1", "timeout_ms": 3000})]
    for options in (("--nonsense",), ("--plug",), ("off",), ("-o", "off")):
        assert place.run(options=options).returncode == FAILED


YIELDING = ('<primitive id="first" class="stonith" type="fence_vpnha"><instance_attributes id="a">'
            '<nvpair id="n" name="mode" value="yield"/></instance_attributes></primitive>')
BY_TEMPLATE = ('<template id="t" class="stonith" type="fence_vpnha"><instance_attributes id="a">'
               '<nvpair id="n" name="mode" value="yield"/></instance_attributes></template>'
               '<primitive id="first" template="t"/>')
CONFIRMING = YIELDING.replace("yield", "confirm").replace("first", "last")
DUELLING = YIELDING.replace("yield", "duel")
REVOKING = YIELDING.replace("yield", "revoke").replace("first", "marks")
# Fencing devices beside a power device, the devices of each level, and what is wrong.
LEVELS = [
    (YIELDING + CONFIRMING, ["first,power,last"], ""),
    (BY_TEMPLATE + CONFIRMING, ["first,power,last"], ""),
    (YIELDING, ["first,power", "power"], ""),
    (CONFIRMING, ["power,last", "unknown"], ""),
    (REVOKING, ["marks", "power"], ""),
    (REVOKING, [], ""),
    ("", [], ""),
    (DUELLING, ["first,power"], ""),
    (DUELLING, ["first", "power"], "no power device in level0"),
    (DUELLING, ["power"], "first is in no level"),
    (DUELLING + CONFIRMING, ["first,last,power"], "no power device before last"),
    (YIELDING, [], "first is in no level"),
    (YIELDING, ["power"], "first is in no level"),
    (BY_TEMPLATE, ["power"], "first is in no level"),
    (YIELDING, ["first"], "no power device in level0"),
    (BY_TEMPLATE, ["first"], "no power device in level0"),
    (YIELDING, ["first,power", "first"], "no power device in level1"),
    (YIELDING + CONFIRMING, ["first,last,power"], "no power device before last"),
    (CONFIRMING, ["power", "last"], "no power device before last"),
]


@pytest.mark.parametrize(("devices", "levels", "wrong"), LEVELS)
@pytest.mark.parametrize("mode", ["duel", "yield", "confirm"])
def test_a_level_that_switches_nobody_off_is_a_refusal(place: Place, devices: str,
                                                       levels: list[str], wrong: str,
                                                       mode: str) -> None:
    topology = "".join(f'<fencing-level devices="{each}" id="level{index}" index="{index + 1}"/>'
                       for index, each in enumerate(levels))
    place.resources(f'<configuration><resources>{devices}<primitive id="power" class="stonith" '
                    'type="fence_ipmilan"/><primitive id="other" class="ocf" type="x"/></resources>'
                    f"<fencing-topology>{topology}</fencing-topology><rsc_defaults>"
                    '<nvpair id="d" name="mode" value="yield"/></rsc_defaults></configuration>')
    done = place.run("action=monitor", f"mode={mode}", "timeout=7")
    assert done.returncode == (FAILED if wrong else OK)
    assert wrong in done.stderr


@pytest.mark.parametrize(("text", "code"), [("", 0), ("no connection", 0),
                                            ("<configuration>", 105)])
@pytest.mark.parametrize("mode", ["duel", "yield", "confirm"])
def test_without_a_look_at_the_topology_no_device_starts(place: Place, text: str, code: int,
                                                         mode: str) -> None:
    place.resources(text, code)
    assert place.run("action=monitor", f"mode={mode}", "timeout=7").returncode == FAILED


def test_list_is_one_name_a_line(place: Place) -> None:
    place.serve(nodes=NODES)
    assert place.run("action=list").stdout == "gw1,\ngw2,\n"
    assert place.run("action=list-status").stdout == "gw1,,ON\ngw2,,OFF\n"
    done = place.run("action=list-status", "mode=confirm")
    assert done.returncode == FAILED and "power device" in done.stderr


def test_the_manual_has_all_options_and_actions(place: Place) -> None:
    manual = MANUAL.read_text(encoding="utf-8").replace("\\-", "-")
    described = ElementTree.fromstring(place.run("action=metadata").stdout)
    options = place.run(options=("--help",)).stdout
    wanted = {*(f"--{each.attrib['name'].replace('_', '-')}"
                for each in described.iter("parameter")),
              *re.findall(r"--[a-z-]+", options),
              *(each.attrib["name"] for each in described.iter("action"))}
    assert len(wanted) > 18
    assert [each for each in sorted(wanted) if each not in manual] == []


def test_metadata_meets_the_schema_of_fence_agents(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "metadata.xml"
    file.write_text(place.run("action=metadata").stdout, encoding="utf-8")
    done = subprocess.run(["xmllint", "--noout", "--relaxng", SCHEMA, str(file)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = file.read_text(encoding="utf-8")
    assert 'action name="off"' in text
    assert 'action name="on"' not in text
    assert 'action name="reboot"' not in text
