# SPDX-License-Identifier: GPL-2.0-or-later
import json
import re
from pathlib import Path

import pytest

from history_captures import Made, esp
from vpnlab import cli
from vpnlab.evidence.expectation import (at_least, at_most, between, equals, is_empty, is_true,
                                         on_slow_nodes)
from vpnlab.evidence.measure import Measured, first_fault
from vpnlab.evidence.result import Invariants, Phases, Vip
from vpnlab.history.check import unknown
from vpnlab.history.violations import ESP_NUMBER
from vpnlab.host import kernel, lab as lab_module, machines
from vpnlab.host.debian import ARCHIVE_MOUNT, PRODUCT_MOUNT, Debian
from vpnlab.host.errors import LabError, NotFound, TimedOut
from vpnlab.host.lab import Fault, Lab
from vpnlab.host.release import OTHER_RELEASE, THIS_RELEASE
from vpnlab.host.stage import BUILD
from vpnlab.host.state import LabRecord, StateDirectory
from vpnlab.host.topology import HOST_ROOT
from vpnlab.scenarios import DIRECTORY, files
from vpnlab.steps import run as run_module, scenario
from vpnlab.steps.run import Run
from vpnlab.sweep.areas import FOLDERS


@pytest.mark.parametrize("expected, observed, met", [
    (at_most(10), 10, True),
    (at_most(10), 10.1, False),
    (at_least(3), 2, False),
    (between(1, 2), 1.5, True),
    (between(1, 2), 3, False),
    (equals(0), 0, True),
    (equals(0), 1, False),
    (equals(1), True, False),
    (is_true(), True, True),
    (is_true(), 1, False),
    (is_empty(), [], True),
    (is_empty(), ["x"], False),
    (at_most(10), None, False),
    (equals(0), None, False),
    (is_empty(), None, False),
])
def test_expectation(expected, observed, met):
    assert expected.met_by(observed) is met


def test_condition_is_written_as_one_reads_it():
    assert at_most(2500).text == "<= 2500"


@pytest.fixture
def lab(monkeypatch):
    """A lab that is not up: enough for what a run books."""
    monkeypatch.setattr(run_module, "gateway_captures", lambda lab, out: ({}, {}))
    monkeypatch.setattr(run_module, "copy_logs", lambda lab, out: None)
    monkeypatch.setattr(run_module, "measure", lambda *_: Measured(
        [], [], Vip(), Phases(), Invariants(), [], []))
    return Lab(LabRecord("none", ["gw1"], "token", ""))


def execute(lab, tmp_path, steps, faults=0):
    loaded = scenario.Loaded("made", "", scenario.Scenario(faults=faults), steps)
    ok = scenario.execute(loaded, lab, tmp_path / "out", seed=1)
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["ok"] is ok
    return result


def failed(result):
    return [each["name"] for each in result["expectations"] if not each["ok"]]


def test_scenario_passes_when_all_is_as_expected(lab, tmp_path):
    result = execute(lab, tmp_path, lambda run: run.expect("x", 1, equals(1)))
    assert result["ok"] and result["seed"] == 1


def test_one_failed_expectation_fails_it_and_the_rest_still_runs(lab, tmp_path):
    def steps(run):
        run.expect("first", 1, equals(2))
        run.expect("second", 1, equals(1))

    result = execute(lab, tmp_path, steps)
    assert failed(result) == ["first"]
    assert [each["name"] for each in result["expectations"]][:2] == ["first", "second"]


def test_error_in_the_steps_fails_it_with_a_result(lab, tmp_path):
    def steps(run):
        raise LabError("gw1 is on fire")

    result = execute(lab, tmp_path, steps)
    assert failed(result) == ["completed"]
    assert "on fire" in result["expectations"][0]["observed"]


def test_mistake_in_the_steps_fails_it_with_a_result(lab, tmp_path):
    assert failed(execute(lab, tmp_path, lambda run: 1 / 0)) == ["completed"]


def test_declared_fault_that_never_happened_fails_it(lab, tmp_path):
    assert failed(execute(lab, tmp_path, lambda run: None, faults=1)) == ["faults_injected"]


def test_undeclared_fault_fails_it(lab, tmp_path):
    result = execute(lab, tmp_path, lambda run: lab._record_fault("power-off", "gw1"))
    assert failed(result) == ["faults_injected"]


def test_declared_fault_that_happened_is_in_the_result(lab, tmp_path):
    result = execute(lab, tmp_path, lambda run: lab._record_fault("power-off", "gw1"), faults=1)
    assert result["ok"]
    assert [(f["kind"], f["node"]) for f in result["faults"]] == [("power-off", "gw1")]


@pytest.mark.parametrize("allowed, failures", [({}, ["history"]), ({ESP_NUMBER: "planted"}, [])])
def test_a_violation_in_the_captures_fails_it_unless_it_is_allowed(lab, tmp_path, allowed,
                                                                   failures):
    def steps(run):
        Made(run.out).claim(0, "gw1").serve("gw1", 0.1, 1).send(1.1, "gw1", esp(7, 5)).check()

    loaded = scenario.Loaded("made", "", scenario.Scenario(history_allows=allowed), steps)
    assert scenario.execute(loaded, lab, tmp_path / "out", seed=1) is (not failures)
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert failed(result) == failures
    history = json.loads((tmp_path / "out" / "history.json").read_text())
    assert [each["kind"] for each in history["violations"]] == [ESP_NUMBER]


def test_a_capture_that_cannot_be_read_fails_it(lab, tmp_path):
    def steps(run):
        (run.out / "gw1-outside.pcap").write_bytes(b"no capture, but as long as a header is")

    assert failed(execute(lab, tmp_path, steps)) == ["history"]


@pytest.mark.parametrize("needed, failures", [
    ({"wire": {"esp_packets": 90}}, []),
    ({"wire": {"esp_packets": 91}}, ["history_wire_esp_packets"]),
    ({"client1": {"frames": 1}}, ["history_client1_frames"]),
])
def test_captures_that_show_less_than_they_must_fail_it(lab, tmp_path, needed, failures):
    def steps(run):
        run.expect_in_history(needed)
        Made(run.out).claim(0, "gw1").serve("gw1", 0.1, 1).check()

    assert failed(execute(lab, tmp_path, steps)) == failures


def test_what_scenarios_allow_is_a_kind_of_violation_and_has_a_reason():
    for name in files():
        allowed = scenario.load(name).scenario.history_allows
        assert unknown(allowed) == [] and all(allowed.values()), name


def test_captures_are_checked_by_hand(lab, tmp_path, capsys):
    Made(tmp_path).claim(0, "gw1").serve("gw1", 0.1, 1).check()
    assert cli.main(["check-history", str(tmp_path)]) == 0
    assert "esp packets 90" in capsys.readouterr().out
    Made(tmp_path).claim(0, "gw1").serve("gw1", 0.1, 1).send(1.1, "gw1", esp(7, 5)).check()
    assert cli.main(["check-history", str(tmp_path)]) == 1
    assert "VIOLATION esp-number (wire) at 1.100000 s: SA 00000007" in capsys.readouterr().out
    assert cli.main(["check-history", str(tmp_path / "none")]) == 107


def test_repair_is_no_fault(lab, tmp_path):
    result = execute(lab, tmp_path, lambda run: lab._record_fault("thaw", "gw1"), faults=1)
    assert failed(result) == ["faults_injected"]
    assert first_fault([Fault(1.0, "thaw", "gw1"), Fault(2.0, "freeze", "gw1")]) == 2.0
    cuts = [Fault(1.0, "power-off", "gw1"), Fault(5.0, "power-off", "gw2")]
    assert first_fault(cuts, since=3.0) == 5.0
    assert first_fault(cuts, since=9.0) is None


def test_what_stays_behind_is_booked_and_fails_it(lab, tmp_path, monkeypatch):
    monkeypatch.setattr(lab.node("gw1"), "powered", lambda: True)

    def steps(run):
        run.expect_nothing_left([lab.node("gw1")], lambda node: ["tunnel 7"], deadline_s=0)

    result = execute(lab, tmp_path, steps)
    assert failed(result) == ["leftovers"]
    assert result["leftovers"] == [{"node": "gw1", "what": "tunnel 7"}]


def test_node_without_power_has_nothing_left(lab, tmp_path):
    def steps(run):
        run.expect_nothing_left([lab.node("gw1")], lambda node: ["tunnel 7"], deadline_s=0)

    assert execute(lab, tmp_path, steps)["ok"]


def test_run_without_figures_fails(lab, tmp_path, monkeypatch):
    def broken(*_):
        raise OSError("no capture")

    monkeypatch.setattr(run_module, "measure", broken)
    assert failed(execute(lab, tmp_path, lambda run: None)) == ["measured"]


def test_evidence_that_is_missing_fails(lab, tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "stop_captures", lambda: (_ for _ in ()).throw(LabError("tcpdump")))
    assert failed(execute(lab, tmp_path, lambda run: run.measure())) == ["evidence"]


def test_size_is_the_scenarios_unless_a_run_has_its_own(lab, tmp_path):
    sizes = []
    loaded = scenario.Loaded("x", "p", scenario.Scenario(size=1200),
                             lambda run: sizes.append(run.size))
    scenario.execute(loaded, lab, tmp_path, 7)
    scenario.execute(loaded, lab, tmp_path, 7, size=60)
    assert sizes == [1200, 60]


def test_a_scenario_without_a_size_takes_none(capsys):
    assert cli.main(["run", "l2tp-stock", "--size", "7"]) == 107
    assert "l2tp-stock has no number that --size could replace" in capsys.readouterr().err


def test_same_seed_makes_the_same_choices(lab, tmp_path):
    choices = [Run(lab, "x", tmp_path, 7, 0).random.random() for _ in range(2)]
    assert choices[0] == choices[1]


def test_wait_returns_the_value_and_fails_after_its_deadline(lab):
    assert lab.wait_for("value", lambda: 5, 1) == 5
    with pytest.raises(TimedOut, match="the moon"):
        lab.wait_for("the moon", lambda: False, 0.05)


def test_wait_bears_a_node_that_is_down_and_reports_it_at_the_end(lab):
    with pytest.raises(TimedOut, match="powered off"):
        lab.wait_for("an answer", lambda: lab.node("gw1").run("true"), 0.05)


@pytest.mark.parametrize("name", scenario.names())
def test_scenario_file_documents_itself(name):
    loaded = scenario.load(name)
    assert loaded.purpose
    text = files()[name].read_text(encoding="utf-8")
    for word in ("Purpose:", "Topology:", "Steps:", "Expected:"):
        assert word in text


# Which have no session that outlives a fault: a fresh dial, addresses alone, links that dial anew.
NO_SESSION_GOES_ON = {"l2tp-pool", "pptp-redial", "pppd-link", "vip-claim"}


def test_scenarios_of_live_sessions_ask_whether_a_number_was_used_twice():
    asks = ("live.end(", "live.measure(", "expect_one_lease(", "expect_invariants(",
            "expect_silent_standbys(")
    assert {name for name, path in files().items()
            if "vpnha=True" in (text := path.read_text(encoding="utf-8"))
            and "run.measure()" in text
            and not any(each in text for each in asks)} == NO_SESSION_GOES_ON


def test_each_folder_of_scenarios_has_its_table_in_the_readme():
    readme = (DIRECTORY.parent / "README.md").read_text(encoding="utf-8")
    section = readme.split("\n## Scenarios\n")[1].split("\n## ")[0]
    listed = {}
    for table in section.split("\n### ")[1:]:
        folder = table.split(":")[0]
        for cell in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE):
            names = re.findall(r"`([^`]+)`", cell)
            plain = [name for name in names if not name.startswith("-")]
            suffixes = [name for name in names if name.startswith("-")]  # `takeovers-power` (`-dc`)
            listed |= {name + suffix: folder for name in plain for suffix in ("", *suffixes)}
    assert listed == FOLDERS


@pytest.mark.parametrize("name", scenario.names())
def test_scenario_runs_on_a_kernel_that_there_is(name):
    assert scenario.load(name).scenario.kernel in (None, *kernel.SERIES)


@pytest.mark.parametrize("kind", machines.KINDS)
@pytest.mark.parametrize("series", kernel.SERIES)
def test_nodes_boot_the_kernel_that_the_scenario_names(monkeypatch, tmp_path, series, kind):
    booted = []
    monkeypatch.setattr(lab_module, "ensure_machine", lambda *what: booted.append(what))
    monkeypatch.setattr(Lab, "up", lambda self: self._ensured_machine(self._record.kernel))
    monkeypatch.setattr(Lab, "down", lambda self: None)
    monkeypatch.setattr(scenario, "execute", lambda *_: True)
    loaded = scenario.Loaded("made", "", scenario.Scenario(nodes=("gw1",), kernel=series), None)
    assert cli._run_in_own_lab(parse("run", "--machine", kind, "made"), loaded, tmp_path, 1)
    assert booted == [(kind, series)]


def test_gateways_of_another_release_have_its_root_and_its_kernel(monkeypatch):
    made = []
    monkeypatch.setattr(lab_module, "run_in_root", made.append)
    lab = Lab.new("made", ["gw1", "client1"], release=OTHER_RELEASE)
    assert made == [OTHER_RELEASE]
    assert lab_module.system_of(lab._record, "client1").root == HOST_ROOT
    system = lab_module.system_of(lab._record, "gw1")
    assert system.series == OTHER_RELEASE.series
    root = system.root
    assert root.directory.endswith(f"/roots/{OTHER_RELEASE.name}") and not root.fresh
    # Where this machine has what it builds, a gateway has what was built in its root.
    assert root.mounts == {str(BUILD.parent): str(BUILD.parent / OTHER_RELEASE.name)}
    assert Lab.new("made", ["gw1"], release=OTHER_RELEASE, kernel="6.1")._record.kernel == "6.1"


def test_some_gateways_may_be_of_another_release(monkeypatch, tmp_path):
    monkeypatch.setattr(lab_module, "run_in_root", lambda _: None)
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    lab = Lab.new("made", ["gw1", "gw2", "client1"], tmp_path / "here", release=OTHER_RELEASE,
                  released=["gw2"], released_stage=tmp_path / "there")
    systems = {name: lab_module.system_of(lab._record, name) for name in lab.nodes}
    assert {name: (each.series, Path(each.stage).name) for name, each in systems.items()} == {
        "gw1": (THIS_RELEASE.series, "here"), "gw2": (OTHER_RELEASE.series, "there"),
        "client1": (THIS_RELEASE.series, "here")}
    assert systems["gw1"].root == HOST_ROOT != systems["gw2"].root
    with pytest.raises(NotFound, match="client1: of the gateways gw1, gw2 only"):
        Lab.new("made", ["gw1", "gw2", "client1"], release=OTHER_RELEASE, released=["client1"])


@pytest.fixture
def other_root(monkeypatch, tmp_path):
    """A lab's state goes to tmp_path, and no root of the other release is made."""
    monkeypatch.setattr(lab_module, "run_in_root", lambda _: None)
    monkeypatch.setattr(lab_module, "StateDirectory", lambda name: StateDirectory(name, tmp_path))


def test_a_reinstalled_gateway_boots_the_other_release(other_root, tmp_path):
    lab = Lab.new("made", ["gw1", "gw2", "client1"], release=OTHER_RELEASE, released=())
    lab._state.create(lab._record)
    assert lab._record.rooted == []
    lab.reinstall("gw2")
    record = lab._state.load()
    assert record.rooted == ["gw2"]
    assert lab_module.system_of(record, "gw2").series == OTHER_RELEASE.series
    with pytest.raises(NotFound, match="client1 is no gateway"):
        lab.reinstall("client1")


def test_a_scenario_names_gateways_of_the_other_release(monkeypatch, tmp_path, other_root):
    made = []
    monkeypatch.setattr(cli, "install_stage", lambda release=THIS_RELEASE: tmp_path)
    monkeypatch.setattr(Lab, "up", lambda self: made.append(self._record))
    monkeypatch.setattr(Lab, "down", lambda self: None)
    monkeypatch.setattr(scenario, "execute", lambda *_: True)
    for nodes in (("gw2",), ()):
        loaded = scenario.Loaded("made", "", scenario.Scenario(
            nodes=("gw1", "gw2"), vpnha=True, other_release=nodes), None)
        assert cli._run_in_own_lab(parse("run", "made"), loaded, tmp_path, 1)
        assert made[-1].rooted == list(nodes)
        assert made[-1].rooted_kernel == OTHER_RELEASE.series
        with pytest.raises(NotFound, match="without --release"):
            cli._run_in_own_lab(parse("run", "--release", OTHER_RELEASE.name, "made"), loaded,
                                tmp_path, 1)


def test_gateways_of_another_release_need_its_name():
    with pytest.raises(NotFound, match="--released needs a --release other than"):
        cli._releases(parse("run", "--released", "gw1", "made"), scenario.Scenario())


def test_nodes_of_this_release_have_the_host_s_root():
    lab = Lab.new("made", ["gw1"])
    system = lab_module.system_of(lab._record, "gw1")
    assert (system.series, system.root) == (kernel.DEFAULT_SERIES, HOST_ROOT)


@pytest.mark.parametrize("release", [THIS_RELEASE, OTHER_RELEASE])
def test_newly_installed_nodes_are_of_the_wanted_release(monkeypatch, tmp_path, release):
    monkeypatch.setattr(lab_module, "ensure_debian",
                        lambda wanted: Debian(Path("/") / wanted.name, Path("/debs")))
    lab = Lab.new("made", ["gw1"], fresh=["gw1"], release=release, packages=tmp_path)
    system = lab_module.system_of(lab._record, "gw1")
    assert (lab.release, system.series) == (release, release.series)
    assert system.root.directory == f"/{release.name}"
    assert (lab.shared(ARCHIVE_MOUNT), lab.shared(PRODUCT_MOUNT)) == (Path("/debs"), tmp_path)


def test_a_kernel_that_there_is_not_is_refused_at_the_command_line(capsys):
    assert parse("kernel").series == kernel.DEFAULT_SERIES
    with pytest.raises(SystemExit):
        parse("up", "--kernel", "6.0")
    assert "6.12" in capsys.readouterr().err


def test_unknown_scenario_is_named_with_those_that_exist():
    with pytest.raises(NotFound, match="l2tp-stock"):
        scenario.load("../cli")


def parse(*words):
    return cli.parser().parse_args(words)


def test_command_after_dashes_belongs_to_the_node():
    options = parse("exec", "--name", "mine", "gw1", "--", "ls", "-l", "--name", "x")
    assert (options.name, options.node) == ("mine", "gw1")
    assert options.argv == ["ls", "-l", "--name", "x"]


def test_nodes_are_checked_at_the_command_line(capsys):
    assert parse("up", "--nodes", "gw1,server").nodes == ("gw1", "server")
    with pytest.raises(SystemExit):
        parse("up", "--nodes", "gw7")
    assert "gw7" in capsys.readouterr().err


def test_run_takes_directory_and_seed(tmp_path):
    options = parse("run", "l2tp-stock", "--out", str(tmp_path), "--seed", "5")
    assert (options.out, options.seed, options.name) == (tmp_path, 5, None)


def test_every_exit_code_is_in_the_help():
    codes = {kind.exit_code for kind in LabError.__subclasses__()} | {LabError.exit_code}
    for code in codes:
        assert str(code) in cli.EPILOG


@pytest.mark.parametrize("words", [["up"], ["status"], ["down", "--all"], ["exec", "gw1", "ls"]])
def test_without_root_every_command_reports_it(words, monkeypatch, capsys):
    monkeypatch.setattr(cli.os, "geteuid", lambda: 1000)
    assert cli.main(words) == 102
    assert "root" in capsys.readouterr().err


def test_down_all_takes_down_every_lab_that_there_is(monkeypatch):
    gone = []
    monkeypatch.setattr(cli.os, "geteuid", lambda: 0)
    monkeypatch.setattr(cli, "known_labs", lambda: ["one", "two"])
    monkeypatch.setattr(cli, "take_down", gone.append)
    assert cli.main(["down", "--all"]) == 0
    assert gone == ["one", "two"]
    assert cli.main(["down", "--name", "three"]) == 107


def test_only_limits_of_time_are_longer_on_emulated_nodes():
    slow = on_slow_nodes("client1_outage_ms", at_most(600), 4)
    assert on_slow_nodes("client1_added_p99_ms_1", at_most(600), 4).text == slow.text
    assert slow.met_by(2400) and not slow.met_by(2401)
    assert slow.text == "<= 2400; <= 600 unless emulated"
    for name, expected in (("pings_lost", at_most(3)), ("vip_overlap_ms", at_most(10)),
                           ("waited_ms", at_least(5)),
                           ("outage_ms", equals(0))):
        assert on_slow_nodes(name, expected, 4) == expected
    assert on_slow_nodes("outage_ms", at_most(600), 1).text == "<= 600"
