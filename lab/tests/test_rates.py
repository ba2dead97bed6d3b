# SPDX-License-Identifier: GPL-2.0-or-later
"""How the sessions of the scenario `rates` are limited, without a node."""
from __future__ import annotations

import types

import pytest

from vpnlab.host.errors import NotFound
from vpnlab.steps.sessions import rates


class FakeNode:
    """Keeps what is run, and what is put in."""

    def __init__(self) -> None:
        self.ran: list[tuple[tuple[str, ...], str]] = []

    def run(self, *command: str, stdin: str = "", timeout: float = 0) -> types.SimpleNamespace:
        self.ran.append((command, stdin))
        return types.SimpleNamespace(stdout='[{"packets": 2, "arrived": 2}]')


@pytest.fixture
def program(tmp_path, monkeypatch):
    path = tmp_path / "rates_bench"
    path.touch()
    monkeypatch.setattr(rates, "PROGRAM", path)
    return str(path)


def test_each_session_has_a_pair_of_devices(program):
    node = FakeNode()
    rates.Sessions(node, 2)
    batch = node.ran[-1]
    assert batch[0] == ("ip", "-n", "rates", "-batch", "-")
    assert batch[1].splitlines()[3:] == ["link add s1 type veth peer name c1", "link set s1 up",
                                         "link set c1 up"]


def test_each_limit_is_set_on_all_sessions(program):
    node = FakeNode()
    sessions = rates.Sessions(node, 2)
    limits = dict(sessions.limits())
    assert list(limits) == ["none", "vpnha", "accel-ppp"]
    for name, commands in (("none", 1), ("accel-ppp", 3)):
        limits[name]()
        assert node.ran[-1][0] == ("tc", "-n", "rates", "-batch", "-")
        assert len(node.ran[-1][1].splitlines()) == 2 * commands
    limits["vpnha"]()
    sessions.clear()
    assert [command[4:] for command, _ in node.ran[-2:]] == [
        (program, "limit", "2"), (program, "clear", "2")]


def test_the_shaper_of_accel_ppp_has_its_own_buckets():
    root, ingress, police = rates.accel_file(1).splitlines()
    assert root == ("qdisc add dev s0 root handle 1: tbf rate 2000000000bit burst 25000000 "
                    "latency 50ms")
    assert ingress == "qdisc add dev s0 handle ffff: ingress"
    assert "u32 match u32 0 0" in police and "burst 250000000 conform-exceed drop" in police


def test_a_flood_runs_within_the_namespace(program):
    node = FakeNode()
    assert rates.Sessions(node, 2).flood((1, 2)) == [{"packets": 2, "arrived": 2}]
    assert node.ran[-1][0] == ("ip", "netns", "exec", "rates", program, "send", "1", "2")


def test_a_program_that_is_not_built_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(rates, "PROGRAM", tmp_path / "rates_bench")
    with pytest.raises(NotFound, match="--target rates_bench"):
        rates.Sessions(FakeNode(), 2)
