# SPDX-License-Identifier: GPL-2.0-or-later
"""The plan of a random drill, without a lab."""
from __future__ import annotations

import dataclasses
import itertools
import json
import types

import pytest

from vpnlab import cli
from vpnlab.evidence.measure import Measured
from vpnlab.evidence.result import ClientResult, ClientSeries, Invariants, Phases, Vip
from vpnlab.host.errors import LabError
from vpnlab.host.topology import L2TP
from vpnlab.product.ipsec_gateway import Auth
from vpnlab.product.wireguard.stock import CLIENT_KEYS
from vpnlab.steps import drill, soak
from vpnlab.steps.mixed import figures, mix, slice as soak_slice
from vpnlab.sweep import slices
from vpnlab.sweep.tree import State


def steps(seed: int, count: int, kinds=drill.KINDS) -> list[drill.Step]:
    return list(itertools.islice(drill.plan(seed, kinds), count))


def test_a_seed_decides_the_whole_plan():
    assert steps(7, 100) == steps(7, 100)
    assert steps(7, 100)[:10] == steps(7, 10)
    assert steps(7, 100) != steps(8, 100)


def test_every_fault_is_drawn_and_can_be_done():
    for kinds in (drill.KINDS, drill.MIXED_KINDS):
        drawn = {step.kind.name for step in steps(1, 1000, kinds)}
        assert drawn == {kind.name for kind in kinds}
    assert {kind.name for kind in drill.MIXED_KINDS} == set(soak.ACTS)


def test_every_step_has_a_target_that_its_kind_allows():
    for step in steps(2, 1000):
        assert step.bound_ms > 0
        assert step.target in (drill.PROMOTED, *drill.STANDBYS, drill.ALL)
        low, high = step.kind.length_s
        assert low <= step.length_s <= high


def test_the_promoted_node_is_met_as_often_as_the_standbys():
    met = [step.target for step in steps(3, 2000) if step.kind.name == "power cut"]
    assert 0.4 < met.count(drill.PROMOTED) / len(met) < 0.6


def test_vpnhad_is_not_led_into_a_loop_of_crashes():
    ends = ["vpnhad" in step.kind.name for step in steps(4, 20_000)]
    runs = [len(list(run)) for ended, run in itertools.groupby(ends) if ended]
    assert max(runs) == drill.DEATHS_MAX


def test_a_step_names_what_is_done_to_whom():
    step = drill.Step(3, next(kind for kind in drill.KINDS if kind.name == "pause"), "standby", 1.5,
                      0.0, 2.0)
    assert str(step) == "03 pause for 1.5 s, standby"


def test_the_silence_of_a_long_pause_is_the_pause():
    pause = next(kind for kind in drill.KINDS if kind.name == "pause")
    assert soak.bound_ms(drill.Step(1, pause, drill.PROMOTED, 9.0, 0.0, 1.0)) == 9400
    assert soak.bound_ms(drill.Step(1, pause, drill.PROMOTED, 0.3, 0.0, 1.0)) == drill.TAKEOVER_MS
    assert soak.bound_ms(drill.Step(1, pause, "standby", 2.0, 0.0, 1.0)) == drill.UNNOTICED_MS


def test_minutes_that_are_none_are_refused(capsys):
    for text in ("0", "-1", "121", "soon"):
        try:
            cli.parser().parse_args(["soak", "--minutes", text])
        except SystemExit as ended:
            assert ended.code == 2
        else:
            raise AssertionError(text)
    capsys.readouterr()


def kind(name: str) -> drill.Kind:
    return next(each for each in drill.MIXED_KINDS if each.name == name)


def test_a_slice_continues_in_the_plan_where_the_last_one_ended():
    whole = steps(7, 30, drill.MIXED_KINDS)
    part = list(itertools.islice(drill.plan(7, drill.MIXED_KINDS), 20, 30))
    assert part == whole[20:] and part[0].number == 21


def test_a_call_of_pptp_may_be_silent_for_longer():
    cut = drill.Step(1, kind("power cut"), drill.PROMOTED, 0, 0, 1)
    assert soak_slice.limit_ms(cut, ClientResult("client1", "l2tp")) == drill.TAKEOVER_MS
    assert soak_slice.limit_ms(cut, ClientResult("client3", "pptp")) == 2500
    link = drill.Step(1, kind("one cluster link down"), "standby", 1, 0, 1)
    assert soak_slice.limit_ms(link, ClientResult("client3", "pptp")) == soak_slice.BUSY_MS
    cable = drill.Step(1, kind("outside cable pulled"), drill.PROMOTED, 0.5, 0, 1)
    assert soak_slice.limit_ms(cable, ClientResult("client1", "l2tp")) == 900


def drilled(*names: str, target: str = drill.PROMOTED) -> soak.Drilled:
    """A minute of these faults, the first one at 15 s."""
    return soak.Drilled(10.0, 15.0, [
        soak.Done(drill.Step(n, kind(name), target, 0, 0, 1), "gw1", 15.0 + n)
        for n, name in enumerate(names)], 75.0)


class Booked:
    """A run that only books."""

    lab = types.SimpleNamespace(patience=1)

    def __init__(self) -> None:
        self.met: dict[str, bool] = {}

    def expect(self, name, observed, expected) -> None:
        self.met[name] = expected.met_by(observed)

    @property
    def failed(self) -> list[str]:
        return [name for name, met in self.met.items() if not met]


def asking(name: str, until: float = 75.0, silence: tuple[float, float] = (0, 0),
           pause: tuple[float, float] = (0, 0)) -> ClientResult:
    """It pings at the soak's pace, and every ping is answered, but in the silence. In the pause it
    does not ask."""
    times = [10.0 + number * soak_slice.PACE.ping_s
             for number in range(int((until - 10.0) / soak_slice.PACE.ping_s))]
    pings = [(t, None if silence[0] <= t < silence[1] else 0.01) for t in times
             if not pause[0] <= t < pause[1]]
    return ClientResult(name, "l2tp", series=ClientSeries(pings=pings))


def seen_of(*clients: ClientResult) -> Measured:
    return Measured(list(clients), [], Vip(), Phases(), Invariants(), [], [])


def test_a_client_that_does_not_ask_has_not_been_served():
    run = Booked()
    seen = seen_of(asking("client1"), asking("client2", 40.0), asking("client3", 15.0))
    soak_slice.expect_asked(run, seen, drilled("power cut"))
    assert run.failed == ["client2_asked", "client3_asked"]


LINK_DOWN = drilled("one cluster link down").done[0].name


@pytest.mark.parametrize("silence, pause, failures", [
    ((20.0, 20.4), (0, 0), []),
    ((20.0, 20.7), (0, 0), [f"{LINK_DOWN} client1_gap_ms"]),
    # The host was busy: the client did not ask for 0.2 s, either.
    ((20.2, 20.8), (20.0, 20.2), []),
    ((20.6, 21.4), (20.0, 20.6), [f"{LINK_DOWN} client1_gap_ms",
                                  "client1_pauses"]),
    ((0, 0), (20.0, 20.6), ["client1_pauses"]),
    ((12.0, 12.8), (0, 0), ["before_any_fault client1_gap_ms"]),
])
def test_the_silence_of_a_fault_may_be_as_much_longer_as_the_client_was_paused(
        silence, pause, failures):
    run = Booked()
    seen = seen_of(asking("client1", silence=silence, pause=pause))
    soak_slice.expect_silences(run, seen, drilled("one cluster link down"))
    assert run.failed == failures


def test_the_history_of_a_slice_has_packets_of_each_client_and_each_death():
    needed = soak_slice.needed_history({"home1": "l2tp-ipsec", "client3": "pptp"}, drilled(
        "power cut", "switchover", "power cut"))
    assert needed["home1"] == {"addresses": 1, "sessions": 1, "frames": 600, "esp_packets": 600}
    assert needed["client3"]["mppe_packets"] == 600
    assert needed["wire"]["takeovers"] == 2 and needed["wire"]["gre_packets"] == 600


class RolledNode:
    """Its programs are mounts: those of this list."""

    name = "gw2"

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.mounted = False

    def note_fault(self, kind: str) -> None:
        self.ran.append(kind)

    def run(self, *argv: str, check: bool = True) -> types.SimpleNamespace:
        self.ran.append(" ".join(argv))
        if argv[0] == "umount":
            was, self.mounted = self.mounted, False
            return types.SimpleNamespace(code=0 if was else 32)
        self.mounted |= "--bind" in argv
        return types.SimpleNamespace(code=0)


def live_of(node: RolledNode) -> types.SimpleNamespace:
    """Enough of Live for what rolls and refuses."""
    done = node.ran
    stack = types.SimpleNamespace(
        keep_out=lambda each: done.append("out"), let_in=lambda each: done.append("in"),
        wait_in_sync=lambda limit_s: done.append("in sync"),
        status=lambda each: {"lease": {"saves": "takes" in done[-1]}})
    run = types.SimpleNamespace(
        observe=lambda seconds: done.append(f"{seconds} s"),
        wait_for=lambda what, holds, limit_s: done.append(f"{what}: takes {holds()}"))
    return types.SimpleNamespace(stack=stack, run=run)


def test_the_next_release_is_rolled_to_a_node_and_back():
    node = RolledNode()
    step = drill.Step(1, kind("release rolled"), "standby", 0, 0, 1)
    for expected in (True, False, True):
        soak.ACTS["release rolled"](live_of(node), step, [node])
        assert node.mounted is expected
        # Nobody runs the program while it is replaced.
        assert (node.ran[0], node.ran[-2:]) == ("out", ["in", "in sync"])
        node.ran.clear()


def test_a_disk_refuses_writes_for_as_long_as_the_plan_has_it():
    node = RolledNode()
    step = drill.Step(1, kind("disk refuses writes"), "standby", 2.5, 0, 1)
    soak.ACTS["disk refuses writes"](live_of(node), step, [node])
    assert [line.split()[0] for line in node.ran] == [
        "disk-refuses", "mount", "2.5", "mount", "the"]
    assert "remount,bind,ro" in node.ran[1] and "remount,bind,rw" in node.ran[3]


def test_slices_have_the_kinds_of_ikev2_in_turns():
    assert [mix.ikev2_kind(number).auth for number in range(4)] == [
        Auth.PSK, Auth.EAP, Auth.CERTIFICATE, Auth.PSK]


def test_the_mix_has_each_protocol_and_two_clients_behind_one_nat():
    makers = mix.clients(mix.ikev2_kind(0))
    assert set(makers) < set(mix.NODES) and sum(name.startswith("home") for name in makers) == 2
    # A peer of WireGuard has a record before its client dials.
    assert list(makers)[0] == mix.PEER and mix.PEER in CLIENT_KEYS
    node = types.SimpleNamespace(name=mix.PEER)
    protocols = [make(node, gateway=L2TP).protocol for make in makers.values()]
    assert set(protocols) == set(soak_slice.SHOWN)
    assert "tcp sport 40000-40009 snat to 198.51.100.100" in mix.NAT_RULES


class FakeNode:
    FILES = {"/proc/7/status": "VmRSS:\t   9120 kB\nRssAnon:\t   5120 kB\nThreads:\t9\n",
             "/proc/loadavg": "0.5 0.4 0.3 2/131 999\n",
             "/proc/meminfo": "MemTotal: 500000 kB\nSUnreclaim:      20480 kB\n",
             "/proc/net/sockstat": "sockets: used 88\nTCP: inuse 5\n",
             "/proc/net/dev": "head\nhead\nlo: 0\noutside: 0\n",
             "/proc/sys/net/netfilter/nf_conntrack_count": "12\n"}

    @dataclasses.dataclass
    class Done:
        stdout: str = "0\n1\n2\n"

    def process(self, _name: str) -> str:
        return "7"

    def read(self, path: str) -> str:
        return self.FILES[path]

    COUNTS = {"ip xfrm state count": "\t SAD count 8\n",
              "ip xfrm policy count": "\t SPD IN  3 OUT 4 FWD 5\n", "ip rule": "0:\n32766:\n"}

    def run(self, *argv: str) -> Done:
        return self.Done() if argv[0] == "ls" else self.Done(self.COUNTS[" ".join(argv)])


def test_what_a_node_holds():
    assert figures.held(FakeNode()) == {
        "vpnhad_kib": 5120, "vpnhad_descriptors": 3, "vpnhad_threads": 9, "processes": 131,
        "kernel_kib": 20480, "sockets": 88, "interfaces": 2, "flows": 12, "sas": 8,
        "policies": 12, "rules": 2}


def test_what_grows_is_not_flat():
    run, before = Booked(), figures.held(FakeNode())
    after = {**before, "sas": before["sas"] + 7, "policies": before["policies"] + 13}
    figures.expect_flat(run, {"gw1": before, "gw2": before}, {"gw1": before, "gw2": after})
    assert run.failed == ["sas_held", "policies_held"]


def test_what_grows_until_its_node_loses_its_power_is_not_flat():
    run, before = Booked(), figures.held(FakeNode())
    grown = {**before, "vpnhad_kib": before["vpnhad_kib"] + 8193, "sas": 100}
    figures.expect_flat(run, {"gw1": before}, {"gw1": before}, [before, grown, before])
    assert run.failed == ["vpnhad_kib_peak"]


def leave_slice(out, ok=True, faults=3) -> None:
    """What a run of a slice leaves."""
    held = figures.held(FakeNode())
    out.mkdir(parents=True, exist_ok=True)
    drilled = soak.Drilled(10.0, 15.0, [
        soak.Done(drill.Step(n, kind("power cut"), drill.PROMOTED, 0, 0, 1), "gw1", 20.0 + n)
        for n in range(1, faults + 1)], 75.0)
    soak_slice.Figures(drilled, [{"gw1": held}, {"gw1": {**held, "vpnhad_kib": 5130}}],
                       4).write(out / "slice.json", 0, mix.ikev2_kind(1))
    (out / "result.json").write_text(json.dumps({
        "seed": 7, "ok": ok, "expectations": [{"name": "x_ms", "ok": ok}]}))
    (out / "history.json").write_text(json.dumps({
        "seen": {"wire": {"esp_packets": 1000, "takeovers": 2}}, "violations": []}))


STATE = State("0123456789abcdef", False)


def test_slices_add_up_in_one_history(tmp_path):
    file = tmp_path / slices.FILE
    assert slices.load(file) == [] and slices.next_fault([], 7) == 0
    for number in (1, 2):
        leave_slice(tmp_path / "run", ok=number == 1)
        known = slices.load(file)
        slices.store(file, [*known, slices.of_run(tmp_path / "run", STATE, "2026-11-29T12:00:00Z")])
    known = slices.load(file)
    assert slices.next_fault(known, 7) == 6 and slices.next_fault(known, 8) == 0
    assert [each.failed for each in known] == [[], ["x_ms"]]
    text = slices.page(known)
    assert "**2 slices, 2 minutes, 6 faults: 1 slices red, 0 violations" in text
    assert "8 accounts.** The history had 2000 packets of ESP" in text
    assert "| power cut, promoted | 6 |" in text and "**red**: `x_ms`" in text
    assert "| +10, +0 |" in text


def test_a_slice_that_broke_off_is_in_the_history(tmp_path):
    leave_slice(tmp_path, ok=False)
    soak_slice.Figures().write(tmp_path / "slice.json", 4, mix.ikev2_kind(0))
    (tmp_path / "history.json").unlink()
    broken = slices.of_run(tmp_path, STATE, "2026-11-29T12:00:00Z")
    assert (broken.minutes, broken.injected, broken.violations, broken.ok) == (0, 0, 0, False)
    assert "| 7, 5 to 4 | psk, aes256-sha256 |" in slices.page([broken])


def test_a_malformed_history_is_not_written_over(tmp_path):
    (tmp_path / slices.FILE).write_text('{"slices": [{"seed": 1}]}')
    with pytest.raises(LabError):
        slices.load(tmp_path / slices.FILE)


def test_a_slice_is_run_and_kept_by_the_command(tmp_path, monkeypatch):
    ran = []

    def execute(options, loaded):
        leave_slice(options.out)
        (options.out / "gw1-outside.pcap").write_bytes(b"")
        given = loaded.steps.keywords
        ran.append((options.seed, options.out.name, given["first"], given["number"]))
        return 0

    monkeypatch.setattr(cli, "_execute", execute)
    for arguments in (["--seed", "7"], []):
        assert cli.main(["soak", "--minutes", "1", "--resume", str(tmp_path), *arguments]) == 0
    assert ran == [(7, "slice-01", 0, 0), (7, "slice-02", 3, 1)]
    assert not list(tmp_path.rglob("*.pcap"))
    assert len(slices.load(tmp_path / slices.FILE)) == 2


def test_the_page_of_the_soak_is_that_of_its_history(tmp_path):
    assert slices.PAGE.read_text(encoding="utf-8") == slices.page(slices.load(slices.KEPT))
    with pytest.raises(LabError):
        slices.publish(tmp_path)
    slices.store(tmp_path / slices.FILE, [])
    leave_slice(tmp_path / "run")
    known = [slices.of_run(tmp_path / "run", STATE, "2026-11-29T12:00:00Z")]
    slices.store(tmp_path / slices.FILE, known)
    slices.publish(tmp_path, tmp_path / "kept.json", tmp_path / "kept.md")
    assert slices.load(tmp_path / "kept.json") == known
    assert (tmp_path / "kept.md").read_text(encoding="utf-8") == slices.page(known)
