# SPDX-License-Identifier: GPL-2.0-or-later
import os
import signal
import subprocess

import pytest

from vpnlab.host.errors import AlreadyUp, NotFound
from vpnlab.host.state import (LabRecord, Process, StateDirectory, check_name, labs_with_state,
                               parse_start_time)

RECORD = LabRecord("mine", ["gw1", "server"], "token", "")


def test_second_lab_of_the_same_name_is_refused(tmp_path):
    StateDirectory("mine", tmp_path).create(RECORD)
    with pytest.raises(AlreadyUp, match="down --name mine"):
        StateDirectory("mine", tmp_path).create(RECORD)


def test_record_comes_back_as_it_was(tmp_path):
    StateDirectory("mine", tmp_path).create(RECORD)
    assert StateDirectory("mine", tmp_path).load() == RECORD
    assert labs_with_state(tmp_path) == ["mine"]


def test_lab_that_is_not_up_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="mine"):
        StateDirectory("mine", tmp_path).load()


def test_token_is_readable_by_root_only(tmp_path):
    state = StateDirectory("mine", tmp_path)
    state.create(RECORD)
    assert state.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", "../up", "a/b", "-x", "UP", "x" * 41, "a b", "x\n"])
def test_names_that_could_leave_the_directory_are_refused(name):
    with pytest.raises(NotFound):
        check_name(name)


def test_each_boot_has_a_log_directory_of_its_own_in_order(tmp_path):
    state = StateDirectory("mine", tmp_path)
    state.create(RECORD)
    made = [state.new_log_directory("gw1") for _ in range(11)]
    assert state.log_directories("gw1") == made


@pytest.mark.parametrize("name", ["linux", "a) R 1", "(("])
def test_start_time_is_read_behind_any_process_name(name):
    fields = " ".join(["S"] + [str(number) for number in range(4, 53)])
    assert parse_start_time(f"17 ({name}) {fields}") == 22


def test_zombie_counts_as_ended():
    assert parse_start_time("17 (x) Z " + " ".join(["0"] * 49)) is None


def test_recycled_number_is_not_the_same_process():
    mine = Process.of(os.getpid())
    assert mine.alive()
    assert not Process(mine.pid, mine.start_time + 1).alive()
    assert not Process(mine.pid, mine.start_time + 1).send(signal.SIGKILL)


def test_recorded_process_is_found_until_it_ends(tmp_path):
    state = StateDirectory("mine", tmp_path)
    state.create(RECORD)
    child = subprocess.Popen(["sleep", "60"])
    try:
        state.record_process("gw1", Process.of(child.pid))
        assert state.process("gw1").pid == child.pid
        state.process("gw1").kill()
        assert state.process("gw1") is None
    finally:
        child.kill()
        child.wait()
