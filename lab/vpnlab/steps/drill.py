# SPDX-License-Identifier: GPL-2.0-or-later
"""The plan of a random drill: which fault comes next, at which node, for how long. A seed decides
all of it, so that the same plan can be run again, or continue where it ended, and be looked at
without a lab."""
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .promise import REPORTED_MS, TAKEOVER_MS

# Whom a fault meets. Who that is decides the moment: the promoted node, or the standby with the
# lower or the higher id.
PROMOTED = "promoted"
STANDBYS = ("standby", "other standby")
ALL = "all"
# A gap that the lab itself may cause while nodes share two cores and one of them joins.
UNNOTICED_MS = 250
MOVE_MS = 500
CALM_S = (1.0, 4.0)
# Of vpnhad, one after the other.
DEATHS_MAX = 2


@dataclass(frozen=True)
class Kind:
    """A fault that may be drawn. `length_s`: the range of how long it lasts; `degree`: of how bad
    it is, in the unit that its name has. The silences are the longest ones that are allowed."""

    name: str
    weight: int
    promoted_ms: int | None = None  # None: never at the promoted node.
    standby_ms: int | None = None   # None: never at a standby.
    all_ms: int | None = None       # None: never at all gateways together.
    length_s: tuple[float, float] = (0.0, 0.0)
    degree: tuple[float, float] = (0.0, 0.0)


KINDS = (
    Kind("power cut", 5, TAKEOVER_MS, UNNOTICED_MS),
    Kind("kill vpnhad", 4, REPORTED_MS, UNNOTICED_MS),
    Kind("stop vpnhad", 2, REPORTED_MS),
    Kind("kill xl2tpd", 2, REPORTED_MS, UNNOTICED_MS),
    Kind("kill corosync", 2, TAKEOVER_MS, UNNOTICED_MS),
    Kind("kill pacemaker", 2, TAKEOVER_MS, UNNOTICED_MS),
    Kind("one cluster link down", 4, UNNOTICED_MS, UNNOTICED_MS, length_s=(0.5, 5.0),
         degree=(0.0, 1.0)),
    Kind("all cluster links down", 3, TAKEOVER_MS, UNNOTICED_MS),
    # The client's share is the pause, and what is lost of the lease after it: see bound_ms().
    Kind("pause", 4, TAKEOVER_MS, UNNOTICED_MS, length_s=(0.1, 2.0)),
    Kind("loss in % on the cluster links", 3, all_ms=UNNOTICED_MS, length_s=(3.0, 8.0),
         degree=(1.0, 6.0)),
    Kind("delay in ms on the cluster links", 2, all_ms=UNNOTICED_MS, length_s=(3.0, 8.0),
         degree=(1.0, 15.0)),
    Kind("move of the role", 2, MOVE_MS),
    Kind("clock set, in s", 1, UNNOTICED_MS, UNNOTICED_MS, degree=(-3600.0, 3600.0)),
)
# What a gateway of all protocols has besides, and what its administrators do.
MIXED_KINDS = (
    *KINDS,
    Kind("kill charon", 2, TAKEOVER_MS, UNNOTICED_MS),
    Kind("kill pptpd", 2, TAKEOVER_MS, UNNOTICED_MS),
    # Nobody finds out within that time: the client's share is the time, as of a pause.
    Kind("outside cable pulled", 2, UNNOTICED_MS, UNNOTICED_MS, length_s=(0.1, 0.6)),
    Kind("inside cable pulled", 2, UNNOTICED_MS, UNNOTICED_MS, length_s=(0.1, 0.6)),
    Kind("switchover", 3, MOVE_MS),
    Kind("drain", 2, UNNOTICED_MS, length_s=(1.0, 5.0)),
    Kind("configuration rolled", 2, standby_ms=UNNOTICED_MS),
    Kind("release rolled", 2, standby_ms=UNNOTICED_MS),
    Kind("disk refuses writes", 2, standby_ms=UNNOTICED_MS, length_s=(2.0, 6.0)),
)


@dataclass(frozen=True)
class Step:
    """One fault of the plan, and the calm time that follows when all is whole again."""

    number: int
    kind: Kind
    target: str
    length_s: float
    degree: float
    calm_s: float

    @property
    def bound_ms(self) -> int:
        """The longest silence that the client may see, from the fault until the next one."""
        if self.target == ALL:
            bound = self.kind.all_ms
        elif self.target == PROMOTED:
            bound = self.kind.promoted_ms
        else:
            bound = self.kind.standby_ms
        assert bound is not None
        return bound

    def __str__(self) -> str:
        words = f"{self.number:02d} {self.kind.name}"
        if self.kind.degree != (0.0, 0.0):
            words += f" {self.degree:.0f}"
        if self.length_s:
            words += f" for {self.length_s:.1f} s"
        return f"{words}, {self.target}"


def plan(seed: int, kinds: Sequence[Kind] = KINDS) -> Iterator[Step]:
    """Without an end: whoever drills takes as many faults as there is time for."""
    drawn = random.Random(seed)
    number = deaths = 0
    while True:
        number += 1
        kind = _draw(drawn, kinds)
        # Three deaths of vpnhad within a minute are a loop of crashes: it takes no part after them.
        while _ends_vpnhad(kind) and deaths == DEATHS_MAX:
            kind = _draw(drawn, kinds)
        deaths = deaths + 1 if _ends_vpnhad(kind) else 0
        target = drawn.choice(_targets(kind))
        yield Step(number, kind, target, round(drawn.uniform(*kind.length_s), 1),
                   float(round(drawn.uniform(*kind.degree))), round(drawn.uniform(*CALM_S), 1))


def _draw(drawn: random.Random, kinds: Sequence[Kind]) -> Kind:
    return drawn.choices(kinds, [each.weight for each in kinds])[0]


def _ends_vpnhad(kind: Kind) -> bool:
    return kind.name in ("kill vpnhad", "stop vpnhad")


def _targets(kind: Kind) -> list[str]:
    """The promoted node as often as both standbys together."""
    targets = []
    if kind.promoted_ms is not None:
        targets += [PROMOTED] * (len(STANDBYS) if kind.standby_ms is not None else 1)
    if kind.standby_ms is not None:
        targets += STANDBYS
    if kind.all_ms is not None:
        targets.append(ALL)
    return targets
