# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/reference/evidence.md: docs/reference/evidence.json for a reader, and the same of another
release."""
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..host.release import THIS_RELEASE, Release
from . import unshown
from .areas import MEASUREMENTS, areas_of
from .book import RED, Entry, Evidence, Figures, Kernel, kept, replace
from .order import SHORT

# Names of failed expectations in a row; the file has all of them.
FAILED_SHOWN = 5
MEASUREMENT = "measurement"

HEAD = """\
<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
# Evidence

{counts}

This page shows the last run of each scenario. `lab/lab sweep` writes it together with
docs/reference/evidence.json; `lab/lab sweep --page` makes it again from that file. Do not edit it.
[lab/README.md](../../lab/README.md) describes the scenarios, the areas and the figures.

- outage: the longest time without an answer to a client, after the first fault
- gap: the same before the first fault, or in a run without a fault
- kept: clients whose session continued, of all clients under traffic
- first packet: from the first fault to the first packet from the new node
- dirty: the tree had changes that were not committed

"""
OTHER_HEAD = """\
<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
# Evidence of gateways of {release}

{counts}

This page shows the last run of each scenario with gateways of {release}, and with its kernel on
all nodes. `lab/lab sweep SCENARIO --release {release}` writes it together with
evidence-{release}.json. Do not edit it. [evidence.md](evidence.md) explains the figures.

"""
TABLE = """\
| scenario | areas | verdict | date (UTC) | commit | figures | kernel | seconds |
|---|---|---|---|---|---|---|---|
"""
NEVER_RUN = """\

## Never run

| scenario | areas |
|---|---|
"""


def write(evidence: Evidence, scenarios: Iterable[str], release: Release = THIS_RELEASE,
          path: Path | None = None) -> None:
    replace(path or kept(release, ".md"), page(evidence, scenarios, release))


def page(evidence: Evidence, scenarios: Iterable[str], release: Release = THIS_RELEASE) -> str:
    """The red ones first, then by name; at the end those that never ran, and the failures that name
    a scenario without a green run. Of another release they are most, and have no list."""
    names = sorted(scenarios)
    run = sorted((name for name in names if name in evidence),
                 key=lambda name: (evidence[name].verdict != RED, name))
    never = [name for name in names if name not in evidence]
    head = HEAD if release == THIS_RELEASE else OTHER_HEAD
    text = head.format(counts=_counts([evidence[name] for name in run], len(never)),
                       release=release.name)
    if run:
        text += TABLE + "".join(_row(name, evidence[name]) for name in run)
    if never and release == THIS_RELEASE:
        text += NEVER_RUN if run else NEVER_RUN.lstrip("\n")
        text += "".join(f"| `{name}` | {_areas(name)} |\n" for name in never)
    if release == THIS_RELEASE:
        model = unshown.FAILURE_MODEL.read_text(encoding="utf-8")
        text += unshown.table(model, evidence, names)
    return text


def _counts(entries: list[Entry], never: int) -> str:
    red = sum(entry.verdict == RED for entry in entries)
    line = (f"**{len(entries) + never} scenarios: {red} red, {len(entries) - red} green, "
            f"{never} never run.**")
    if entries:
        dates = sorted(entry.date[:10] for entry in entries)
        line += f" Oldest run: {dates[0]}, newest: {dates[-1]}."
    return line


def _row(name: str, entry: Entry) -> str:
    cells = (f"`{name}`", _areas(name), _verdict(entry), entry.date[:16].replace("T", " "),
             f"`{entry.commit[:SHORT]}`" + (" dirty" if entry.dirty else ""),
             figures_text(entry.figures), _kernel(entry.kernel),
             f"{entry.seconds:.0f}")
    return "| " + " | ".join(cells) + " |\n"


def _kernel(kernel: Kernel) -> str:
    return f"{kernel.series} ({kernel.version}), {kernel.machine}"


def _areas(name: str) -> str:
    return ", ".join(areas_of(name)) or (MEASUREMENT if name in MEASUREMENTS else "–")


def _verdict(entry: Entry) -> str:
    if entry.verdict != RED:
        return entry.verdict
    shown = ", ".join(_cell(name) for name in entry.failed[:FAILED_SHOWN])
    more = len(entry.failed) - FAILED_SHOWN
    return f"**red**: {shown}" + (f" and {more} more" if more > 0 else "")


def _cell(text: str) -> str:
    """A text that breaks neither the row nor the page."""
    return "`" + " ".join(text.replace("`", "'").replace("|", "/").split()) + "`"


def figures_text(figures: Figures) -> str:
    """What was observed, in one line."""
    parts = []
    if figures.outage_ms is not None:
        parts.append(f"outage {figures.outage_ms:.0f} ms")
    elif figures.baseline_gap_ms is not None:
        parts.append(f"gap {figures.baseline_gap_ms:.0f} ms")
    if figures.sessions_kept is not None:
        parts.append(f"kept {figures.sessions_kept} of {figures.clients}")
    if figures.phases_ms.first_packet is not None:
        parts.append(f"first packet {figures.phases_ms.first_packet:.0f} ms")
    if figures.overlap_ms:
        parts.append(f"two owners for {figures.overlap_ms:.0f} ms")
    for count, one, many in ((figures.violations, "violation", "violations"),
                             (figures.leftovers, "leftover", "leftovers"),
                             (figures.faults, "fault", "faults")):
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
    parts.append(f"{figures.expectations} expectations")
    return ", ".join(parts)
