# SPDX-License-Identifier: GPL-2.0-or-later
"""The plan of a random drill, without a lab."""
from __future__ import annotations

import itertools

from vpnlab import cli
from vpnlab.steps import drill, soak


def steps(seed: int, count: int) -> list[drill.Step]:
    return list(itertools.islice(drill.plan(seed), count))


def test_a_seed_decides_the_whole_plan():
    assert steps(7, 100) == steps(7, 100)
    assert steps(7, 100)[:10] == steps(7, 10)
    assert steps(7, 100) != steps(8, 100)


def test_every_fault_is_drawn_and_can_be_done():
    drawn = {step.kind.name for step in steps(1, 1000)}
    assert drawn == {kind.name for kind in drill.KINDS} == set(soak.ACTS)


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


def test_a_step_says_what_is_done_to_whom():
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
