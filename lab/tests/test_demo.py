# SPDX-License-Identifier: GPL-2.0-or-later
"""What the demo decides by itself; the scenarios it runs have tests of their own."""
from __future__ import annotations

import collections
from unittest import mock

import demo
import pytest
from vpnlab.host.errors import AlreadyUp, NotRoot, ResourcesShort
from vpnlab.steps import scenario

ACTS = demo.PROTOCOLS["l2tp"]
Usage = collections.namedtuple("Usage", "total used free")


@pytest.fixture
def machine(monkeypatch):
    """A machine on which nothing stands in the way of the demo."""
    monkeypatch.setattr(demo.os, "geteuid", lambda: 0)
    monkeypatch.setattr(demo, "known_labs", lambda: [])
    monkeypatch.setattr(demo, "check_host", mock.create_autospec(demo.check_host))
    monkeypatch.setattr(demo.shutil, "disk_usage", lambda path: Usage(0, 0, 2**40))
    return monkeypatch


def test_a_fit_machine_passes(machine):
    demo.check_machine(ACTS)


def test_each_obstacle_is_reported_with_its_code(machine):
    machine.setattr(demo.shutil, "disk_usage", lambda path: Usage(0, 0, 100 * 2**20))
    with pytest.raises(ResourcesShort, match="100 MB free .* 4000 MB are needed") as short:
        demo.check_machine(ACTS)
    machine.setattr(demo, "known_labs", lambda: ["other", "demo"])
    with pytest.raises(AlreadyUp, match="lab/lab down --name demo") as up:
        demo.check_machine(ACTS)
    machine.setattr(demo.os, "geteuid", lambda: 1000)
    with pytest.raises(NotRoot) as user:
        demo.check_machine(ACTS)
    assert [102, 104, 106] == [each.value.exit_code for each in (user, short, up)]


def test_what_the_lab_misses_is_known_before_anything_is_built(machine):
    demo.check_machine(ACTS)
    asked = [name for call in demo.check_host.call_args_list for name in call.args[0]]
    assert {"gw1", "gw2", "gw3", "client1", "server"} == set(asked)


def test_labs_of_other_names_do_not_matter(machine):
    machine.setattr(demo, "known_labs", lambda: ["other"])
    demo.check_machine(ACTS)


@pytest.mark.parametrize("protocol", demo.PROTOCOLS)
def test_the_acts_are_scenarios_that_exist(protocol):
    chosen = demo.PROTOCOLS[protocol]
    assert {act.scenario for act in chosen} <= set(scenario.names())
    for act in chosen:
        assert act.survives == scenario.load(act.scenario).scenario.vpnha
    assert len(chosen) == len({act.scenario for act in chosen})
    assert ["today's stack", "vpnha"] == [
        act.label for act in chosen if act is not demo.HA_PAIR]


def test_of_ipsec_the_pair_of_strongswan_stands_beside_todays_stack():
    assert ["ipsec-control", "ipsec-ha-pair"] == [
        act.scenario for act in demo.PROTOCOLS["l2tp-ipsec"] if not act.survives]
    assert not any(demo.HA_PAIR in demo.PROTOCOLS[name] for name in ("l2tp", "pptp"))


def test_only_an_earlier_demo_is_removed(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "report.html").write_text("old", encoding="utf-8")
    (tmp_path / "l2tp-power-cut" / "logs").mkdir(parents=True)
    (tmp_path / "ipsec-control").mkdir()
    (tmp_path / "ipsec-ha-pair").mkdir()
    demo.remove_earlier(tmp_path)
    assert ["thesis.txt"] == [path.name for path in tmp_path.iterdir()]
    demo.remove_earlier(tmp_path / "not there yet")


def test_a_failed_build_shows_the_end_of_its_log(tmp_path):
    log = tmp_path / "build.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)), encoding="utf-8")
    text = demo.build_failure(["cmake", "--build"], log)
    assert text.startswith(f"cmake --build failed; the end of {log}:\n")
    assert "line 99" in text
    assert "line 80" not in text


def test_a_failed_build_ends_the_demo_with_its_code(machine, monkeypatch, capsys):
    def fail(chosen, out, keep):
        raise demo.BuildFailed("cmake failed")
    monkeypatch.setattr(demo, "run", fail)
    monkeypatch.setattr(demo.signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(demo.sys, "argv", ["demo"])
    assert 110 == demo.main()
    assert "demo: cmake failed\n" == capsys.readouterr().err


def test_the_result_is_that_of_all_acts(machine, tmp_path):
    """Exit code 1 when one scenario is not as expected; the report is written all the same."""
    acts = demo.PROTOCOLS["l2tp-ipsec"]
    written, kept = [], []
    machine.setattr(demo, "build", lambda: tmp_path)
    machine.setattr(demo, "ensure_machine", lambda *_: None)
    machine.setattr(demo, "write_report", lambda results, path: written.append(results))
    machine.setattr(demo, "print_summary", lambda results, stream: None)

    def run_act(act, out, stage, keep):
        kept.append(keep)
        return act.scenario != failing

    machine.setattr(demo, "run_act", run_act)
    for failing in ("", *(act.scenario for act in acts)):
        assert demo.run(acts, tmp_path / "out", keep=True) == (1 if failing else 0)
    assert ["vpnha", "today's stack", "strongSwan's HA pair"] == [label for label, _ in written[0]]
    assert 4 == len(written)
    assert [False, False, True] == kept[:3]
