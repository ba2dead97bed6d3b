# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/use/install-by-hand.md as what an administrator has to type: blocks of commands, each
of which names in its first line where it belongs."""
from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence

from ..host.errors import LabError
from ..host.stage import ROOT

DOCUMENT = ROOT / "docs" / "use" / "install-by-hand.md"
FENCE = "```"
PLACE = re.compile(r"# on (.+)")


@dataclasses.dataclass(frozen=True)
class Block:
    """Commands for root of a place: "every node", the name of one, or whose turn it is."""

    place: str
    commands: str


def blocks(text: str) -> list[Block]:
    """All of a page, in their order."""
    found: list[Block] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line != FENCE:
            if FENCE in line:
                raise LabError(f"no block begins or ends like this: {line}")
            continue
        first = next(lines, "")
        place = PLACE.fullmatch(first)
        if place is None:
            raise LabError(f"a block that does not name where it belongs: {first}")
        commands: list[str] = []
        while (command := next(lines, None)) != FENCE:
            if command is None:
                raise LabError(f"a block without an end: {first}")
            commands.append(command)
        found.append(Block(place[1], "\n".join(commands) + "\n"))
    return found


def with_values(page: Sequence[Block], values: Mapping[str, str]) -> list[Block]:
    """The same with other values in the place of the page's, each of which stands there once."""
    found = list(page)
    for old, new in values.items():
        where = [index for index, block in enumerate(found) if old in block.commands]
        if len(where) != 1 or found[where[0]].commands.count(old) != 1:
            raise LabError(f"{old!r} does not stand on the page once")
        block = found[where[0]]
        found[where[0]] = dataclasses.replace(block, commands=block.commands.replace(old, new))
    return found
