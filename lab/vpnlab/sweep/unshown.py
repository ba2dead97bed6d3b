# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of docs/explain/failure-model.md that name a scenario without a green run."""
from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ..host.stage import ROOT
from .book import GREEN, Evidence

FAILURE_MODEL = ROOT / "docs" / "explain" / "failure-model.md"
COLUMN = "shown by"
PROOF = re.compile(r"(?:(?:run|seed) )?`[^`]*`")
# Of what a row is about; the document has the rest.
SHOWN = 90

HEAD = """\

## Failures without a green run

Rows of [failure-model.md](../explain/failure-model.md) whose last column names a scenario that is
red or never ran. Where nothing else shows a row, its promise is untried on this tree.

| row | not green | shown by something else |
|---|---|---|
"""


def table(model: str, evidence: Evidence, scenarios: Collection[str]) -> str:
    """`model`: the text of the document. Empty where all named scenarios are green."""
    rows = "".join(rows_of(model, evidence, scenarios))
    return HEAD + rows if rows else ""


def rows_of(model: str, evidence: Evidence, scenarios: Collection[str]) -> Iterator[str]:
    for first, proofs in shown_rows(model):
        bad = [name for name in proofs if name.strip("`") in scenarios
               and not _is_green(evidence, name.strip("`"))]
        if bad:
            others = len(proofs) - len(bad)
            yield (f"| {_short(first)} | {', '.join(_verdict(evidence, name) for name in bad)} | "
                   f"{'yes' if others else '**no**'} |\n")


def shown_rows(model: str) -> Iterator[tuple[str, list[str]]]:
    """The first cell of each row of a table with that column, and what its last cell names."""
    in_table = False
    for line in model.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if not cells:
            in_table = False
        elif in_table:
            yield cells[0], PROOF.findall(cells[-1])
        else:
            in_table = cells[-1] == COLUMN


def _is_green(evidence: Evidence, name: str) -> bool:
    return name in evidence and evidence[name].verdict == GREEN


def _verdict(evidence: Evidence, name: str) -> str:
    found = evidence.get(name.strip("`"))
    return f"{name} {f'**{found.verdict}**' if found else 'never run'}"


def _short(text: str) -> str:
    """Without what a cut could break."""
    words = text.replace("`", "").replace("*", "")
    words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", words)
    return words if len(words) <= SHOWN else words[:SHOWN].rpartition(" ")[0] + " …"
