# SPDX-License-Identifier: GPL-2.0-or-later
"""The program in front of pptpctrl ($PPTPCTRL): which call id a connection is given."""
from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

# Options file, speed, local and remote address; the call id; pppd and logwtmp.
ARGUMENTS = ("0", "0", "1", "/etc/ppp/pptpd-options", "0", "1", "10.0.0.1", "0", "128", "0", "0")
BLOCK, BLOCKS = 128, 512
UNKNOWN = 1


def run(last: Path, offset: str = "24",
        arguments: Sequence[str] = ARGUMENTS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [os.environ["PPTPCTRL"], *arguments], text=True, capture_output=True, check=False,
        env={"VPNHA_PPTPCTRL": "/bin/echo", "VPNHA_CALL_ID_OFFSET": offset,
             "VPNHA_LAST_CALL_ID": str(last)})


def call_id(last: Path, offset: str = "24") -> int:
    done = run(last, offset)
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert [*words[:8], *words[9:]] == [*ARGUMENTS[:8], *ARGUMENTS[9:]]
    return int(words[8])


def test_each_connection_has_the_next_block_over_any_number_of_pptpds(tmp_path):
    last = tmp_path / "last"
    ids = [call_id(last) for _ in range(5)]
    assert ids == [(ids[0] + BLOCK * each) % (BLOCK * BLOCKS) for each in range(5)]
    assert {each % BLOCK for each in ids} == {24}


def test_the_last_block_is_followed_by_the_first(tmp_path):
    last = tmp_path / "last"
    last.write_bytes((BLOCKS - 1).to_bytes(2, "little"))
    assert call_id(last, "8") == 8
    assert call_id(last, "8") == BLOCK + 8


def test_a_node_that_knows_no_last_one_begins_anywhere(tmp_path):
    first = {call_id(tmp_path / f"last-{each}") for each in range(8)}
    assert len(first) > 1 and {each % BLOCK for each in first} == {24}


def test_a_disk_that_refuses_costs_no_call(tmp_path):
    ids = {call_id(tmp_path / "missing" / "last") for _ in range(8)}
    assert len(ids) > 1 and {each % BLOCK for each in ids} == {24}


def test_many_at_once_have_a_block_each(tmp_path):
    last = tmp_path / "last"
    call_id(last)
    programs = [subprocess.Popen(
        [os.environ["PPTPCTRL"], *ARGUMENTS], text=True, stdout=subprocess.PIPE,
        env={"VPNHA_PPTPCTRL": "/bin/echo", "VPNHA_CALL_ID_OFFSET": "0",
             "VPNHA_LAST_CALL_ID": str(last)}) for _ in range(40)]
    ids = {program.communicate()[0].split()[8] for program in programs}
    assert len(ids) == len(programs)


def test_arguments_of_another_version_are_refused(tmp_path):
    for arguments in (ARGUMENTS[:5], (*ARGUMENTS[:8], "x", "0", "0")):
        assert run(tmp_path / "last", arguments=arguments).returncode == UNKNOWN
