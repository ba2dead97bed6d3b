# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client of a name server saw, from its log."""
from __future__ import annotations

from vpnlab.traffic.names import Answer, longest_silence_ms, parse_answers


def test_reads_answers_and_leaves_out_a_half_written_one():
    text = "a 1500000000 gw1\na 2000000000 gw2\na 25000"
    assert parse_answers(text) == [Answer(1.5, "gw1"), Answer(2.0, "gw2")]


def test_a_silence_lies_between_two_answers():
    answers = [Answer(t, "gw1") for t in (0.0, 5.0, 5.02, 5.42, 5.44)]
    assert longest_silence_ms(answers, 5.1, 5.5) == 400.0
    assert longest_silence_ms(answers, 4.0, 5.5) == 5000.0, "it began before"


def test_a_silence_that_does_not_end_counts():
    answers = [Answer(1.0, "gw1"), Answer(1.02, "gw1")]
    assert longest_silence_ms(answers, 1.0, 9.02) == 8000.0
    assert longest_silence_ms([], 1.0, 9.0) == 8000.0
