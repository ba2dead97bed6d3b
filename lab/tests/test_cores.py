# SPDX-License-Identifier: GPL-2.0-or-later
import os
import subprocess

from vpnlab.host import cores
from vpnlab.host.cores import core_of, pin, run_in_real_time, shared, threads


def test_nodes_take_turns_on_the_cores() -> None:
    assert [core_of(name, (4, 7)) for name in ("gw1", "gw2", "gw3")] == [4, 7, 4]
    assert {core_of(name, (3,)) for name in ("gw1", "gw2", "gw3")} == {3}


def test_a_group_has_a_core() -> None:
    assert shared([["gw1", "gw2"], ["gw3"]], (4, 7)) == {"gw1": 4, "gw2": 4, "gw3": 7}


def test_groups_take_turns_where_there_are_fewer_cores() -> None:
    assert shared([["gw1", "gw2"], ["gw3"], ["gw4"]], (4, 7)) == {
        "gw1": 4, "gw2": 4, "gw3": 7, "gw4": 4}


def test_nobody_moves_where_each_has_a_core() -> None:
    assert shared([["gw1", "gw2"], ["gw3"]], (4, 7, 8)) == {}


def test_a_process_moves_with_its_children() -> None:
    core = max(os.sched_getaffinity(0))
    with subprocess.Popen(["sh", "-c", "sleep 60 & echo started; wait"], text=True,
                          stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        moved = list(threads(parent.pid))
        pin(parent.pid, core)
        affinities = [os.sched_getaffinity(each) for each in moved]
        for each in reversed(moved):
            os.kill(each, 9)
    assert moved[0] == parent.pid and len(moved) == 2
    assert affinities == [{core}] * 2


def test_turns_of_real_time_are_shorter_than_a_lease(tmp_path, monkeypatch) -> None:
    given = []
    monkeypatch.setattr(cores, "run_in_real_time", lambda *what: given.append(what))
    cores.share_real_time(tmp_path / "slice")
    assert int((tmp_path / "slice").read_text()) < 20
    assert given == [(os.getpid(), cores.LAB_PRIORITY)]


def test_a_process_has_real_time_with_its_children_until_it_is_taken() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & echo started; wait"], text=True,
                          stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        seen = []
        for priority in (cores.NODE_PRIORITY, 0):
            run_in_real_time(parent.pid, priority)
            seen.append([os.sched_getscheduler(each) for each in threads(parent.pid)])
        for each in reversed(list(threads(parent.pid))):
            os.kill(each, 9)
    assert seen == [[os.SCHED_RR] * 2, [os.SCHED_OTHER] * 2]


def test_a_process_that_has_ended_moves_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        pass
    pin(process.pid, 0)
    assert list(threads(process.pid)) == []
