# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operator types: a command of the installed programs, its exit code and what it prints,
held against the schemas of docs/reference/schemas."""
from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from ..evidence.expectation import equals, is_empty
from ..host.channel import Completed
from ..host.node import Node
from ..host.stage import ROOT
from .run import Run

SCHEMAS = "docs/reference/schemas"
# Of a node of the lab, on which a command starts as a hundred others do.
TYPED_LIMIT_S = 60
GOOD, FAILED, NOT_FOUND, DEGRADED = 0, 1, 5, 6
# Of `vpnha status --check`, as monitoring plugins have it.
WARNING = 1


def schema_faults(name: str, value: Any, root: Path = ROOT) -> list[str]:
    """Where a value is not as docs/reference/schemas has it."""
    schema = json.loads((root / SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return [f"/{'/'.join(map(str, each.absolute_path))}: {each.message}"
            for each in Draft7Validator(schema).iter_errors(value)]


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

    def ask(self, schema: str, *words: str, codes: Sequence[int] = (GOOD,)) -> Any:
        """A command that prints JSON, which is as its schema has it; without words it is `vpnha`
        with the schema's name."""
        typed = words or ("vpnha", schema, "--json")
        answer = self._parsed(self.type(*typed, codes=codes).stdout, " ".join(typed))
        if answer is not None:
            self.expect_as(schema, answer)
        return answer

    def expect_as(self, schema: str, value: Any) -> None:
        self.run.expect(f"{self.node.name}: {schema} is as its schema has it",
                        schema_faults(schema, value), is_empty())

    def ask_lines(self, schema: str, *words: str) -> list[Any]:
        """A command that prints an object a line."""
        lines = [self._parsed(line, " ".join(words)) for line in
                 self.type(*words).stdout.splitlines()]
        self.run.expect(f"{self.node.name}: each {schema} is as its schema has it",
                        [fault for line in lines for fault in schema_faults(schema, line)],
                        is_empty())
        return lines

    def _parsed(self, text: str, typed: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            self.run.expect(f"{self.node.name}: {typed} is JSON", str(error), is_empty())
            return None
