# SPDX-License-Identifier: GPL-2.0-or-later
"""What a round over the group must have shown before it counts."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from vpnbench.group import Run, RunError, check_contents

JOIN = Run("join", "vpnha", 3, 1_000)
WRITER = {"records": 1_000, "digest": 2**64 - 1}
OTHER = {"records": 1_000, "digest": 2**64 - 2}


def lines(complete: int, end: dict) -> list[dict]:
    return [{"event": "complete", "contents": {"records": complete, "digest": 5}},
            {"event": "end", "contents": end}]


def test_a_joiner_that_has_everything_is_complete():
    check_contents(JOIN, WRITER, lines(1_000, WRITER), is_joiner=True)


@pytest.mark.parametrize("count", [0, 999])
def test_a_joiner_that_calls_itself_complete_too_early_is_no_result(count):
    with pytest.raises(RunError, match=f"complete with {count} of 1000 records"):
        check_contents(JOIN, WRITER, lines(count, WRITER), is_joiner=True)


def test_a_joiner_that_was_never_complete_is_no_result():
    with pytest.raises(RunError, match="complete with None"):
        check_contents(JOIN, WRITER, lines(1_000, WRITER)[1:], is_joiner=True)


def test_a_standby_that_ends_with_something_else_is_no_result():
    with pytest.raises(RunError, match="ends with"):
        check_contents(JOIN, WRITER, lines(1_000, OTHER), is_joiner=True)
    with pytest.raises(RunError, match="ends with None"):
        check_contents(JOIN, WRITER, lines(0, WRITER)[:1], is_joiner=False)


def test_who_was_there_from_the_beginning_is_complete_without_a_record():
    check_contents(JOIN, WRITER, lines(0, WRITER), is_joiner=False)


def test_ike_records_are_asked_for():
    binary = Path("group_bench")
    assert "--ike" not in JOIN.command(binary, writer=True)
    assert "--ike" in replace(JOIN, kind="ike").command(binary, writer=False)
