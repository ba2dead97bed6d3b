# SPDX-License-Identifier: GPL-2.0-or-later
import os
import subprocess

from vpnlab.host.cores import (core_of, join_root_group, pin, prefer, shared, threads,
                               ungroup_sessions)


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


def test_a_process_is_preferred_with_its_children() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & echo started; wait"], text=True,
                          stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        prefer(parent.pid, 7)
        preferred = [os.getpriority(os.PRIO_PROCESS, each) for each in threads(parent.pid)]
        for each in reversed(list(threads(parent.pid))):
            os.kill(each, 9)
    assert preferred == [7, 7]


def test_sessions_are_not_grouped_where_the_kernel_can(tmp_path) -> None:
    (tmp_path / "enabled").write_text("1\n")
    ungroup_sessions(tmp_path / "enabled")
    assert (tmp_path / "enabled").read_text() == "0"
    ungroup_sessions(tmp_path / "no" / "file")


def test_the_lab_joins_the_root_group_where_there_is_one(tmp_path) -> None:
    (tmp_path / "procs").write_text("")
    join_root_group(tmp_path / "procs")
    assert (tmp_path / "procs").read_text() == str(os.getpid())
    join_root_group(tmp_path / "no" / "file")


def test_a_process_that_has_ended_moves_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        pass
    pin(process.pid, 0)
    assert list(threads(process.pid)) == []
