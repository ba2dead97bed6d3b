# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operator types: a command of the installed programs, its exit code and what it prints,
held against the examples of docs/reference/control-protocol.md."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..evidence.expectation import equals, is_empty
from ..host.channel import Completed
from ..host.node import Node
from ..host.stage import ROOT
from .run import Run

PROTOCOL = "docs/reference/control-protocol.md"
# Of a node of the lab, on which a command starts as a hundred others do.
TYPED_LIMIT_S = 60
GOOD, FAILED, NOT_FOUND, DEGRADED = 0, 1, 5, 6
# Of `vpnha status --check`, as monitoring plugins have it.
WARNING = 1
# What is in them depends on what a node serves, and has done.
FREE = ("counters", "phases_ms")
# There where a gateway serves it.
OPTIONAL = ("wireguard",)


def documented(verb: str, root: Path = ROOT) -> Any:
    """The first example behind the line that begins with the verb, as the unit tests have it."""
    text = (root / PROTOCOL).read_text(encoding="utf-8")
    found = re.search(rf"^`{verb}`.*?^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{PROTOCOL} has no example of {verb}"
    return json.loads(found[1])


def shape_faults(wanted: Any, seen: Any, where: str = "") -> Iterator[str]:
    """Where the shape of an answer is another one than that of the example: members that are
    missing, and values of another kind. What is null on either side has no shape; of a list each
    entry has what all entries of the example have."""
    if wanted is None or seen is None:
        return
    if isinstance(wanted, dict) and isinstance(seen, dict):
        for name in wanted:
            if name not in seen:
                if name not in OPTIONAL:
                    yield f"{where}/{name} is missing"
            elif name not in FREE:
                yield from shape_faults(wanted[name], seen[name], f"{where}/{name}")
    elif isinstance(wanted, list) and isinstance(seen, list):
        for index, each in enumerate(seen if wanted else []):
            yield from shape_faults(_common(wanted), each, f"{where}/{index}")
    elif isinstance(wanted, bool) is not isinstance(seen, bool) or not isinstance(
            seen, (int, float) if isinstance(wanted, (int, float)) else type(wanted)):
        yield f"{where} is {json.dumps(seen)}, not like {json.dumps(wanted)}"


def _common(entries: list[Any]) -> Any:
    first = entries[0]
    return {name: value for name, value in first.items() if all(name in each for each in entries)
            } if isinstance(first, dict) else first


class Operator:
    """At the keyboard of a node."""

    def __init__(self, run: Run, node: Node) -> None:
        self.run = run
        self.node = node

    def type(self, *words: str, codes: Sequence[int] = (GOOD,)) -> Completed:
        """A command, whose exit code is one of these; what it prints to stderr is the reason of
        another one."""
        done = self.node.run(*words, check=False, timeout=TYPED_LIMIT_S)
        name = f"{self.node.name}: {' '.join(words)}"
        self.run.expect(name, done.code if done.code in codes else
                        f"{done.code}: {done.stderr.strip()[-200:]}",
                        equals(done.code if done.code in codes else list(codes)))
        return done

    def ask(self, verb: str, codes: Sequence[int] = (GOOD,)) -> Any:
        """`vpnha VERB --json`, whose answer has the documented shape."""
        done = self.type("vpnha", verb, "--json", codes=codes)
        try:
            answer = json.loads(done.stdout)
        except ValueError as error:
            self.run.expect(f"{self.node.name}: {verb} is JSON", str(error), is_empty())
            return None
        self.run.expect(f"{self.node.name}: {verb} is as documented",
                        list(shape_faults(documented(verb), answer)), is_empty())
        return answer
