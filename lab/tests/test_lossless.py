# SPDX-License-Identifier: GPL-2.0-or-later
"""What numbered datagrams show of a move."""
from vpnlab.steps.lossless import Numbered, added_p99_ms

SENT = [float(number) for number in range(10)]
ALL = (0.0, 9.0)


def seen(*answers: tuple[int, int], after: float = 0.5) -> Numbered:
    return Numbered(SENT, [(number, answer, SENT[number] + after) for number, answer in answers])


def test_nothing_is_lost_where_each_datagram_is_answered_in_turn():
    every = seen(*((number, number) for number in range(10)))
    assert (every.lost(ALL), every.overtaken(ALL)) == ((0, 0), (0, 0))


def test_what_the_server_has_not_counted_was_lost_on_the_way_there():
    some = [number for number in range(10) if number not in (3, 4)]
    there = seen(*((number, answer) for answer, number in enumerate(some)))
    assert there.lost(ALL) == (2, 0)
    assert there.lost((6.0, 9.0)) == (0, 0)


def test_what_it_has_counted_was_lost_on_the_way_back():
    back = seen(*((number, number) for number in range(10) if number != 3))
    assert back.lost(ALL) == (0, 1)


def test_what_an_older_one_follows_was_overtaken():
    there = seen(*((number, answer) for answer, number in enumerate([0, 2, 1, 3, 4])))
    assert there.overtaken(ALL) == (1, 0)
    back = Numbered(SENT, [(0, 0, 1.0), (2, 2, 1.1), (1, 1, 1.2), (3, 3, 1.3)])
    assert back.overtaken(ALL) == (0, 1)


def test_the_added_delay_is_beyond_the_calm_median():
    moved = seen(*((number, number) for number in range(5)))
    moved.answers.extend((number, number, SENT[number] + 0.52) for number in range(5, 10))
    assert added_p99_ms(moved, (0.0, 4.5), (4.6, 9.0)) == 20.0
    assert added_p99_ms(moved, (-5.0, -1.0), ALL) is None
