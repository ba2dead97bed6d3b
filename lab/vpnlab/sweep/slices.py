# SPDX-License-Identifier: GPL-2.0-or-later
"""The history of a soak: a file to which each slice adds what it was and found, and a page of the
sum. A slice continues in the plan where the last one ended."""
from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..evidence.result import RESULT_FILE
from ..history.check import HISTORY_FILE
from ..history.packets import WIRE
from ..host.errors import LabError
from ..host.stage import ROOT
from ..steps.mixed.figures import most
from ..steps.mixed.slice import SLICE_FILE
from .book import replace
from .tree import State

FILE = "soak.json"
KEPT = ROOT / "docs" / "reference" / FILE
PAGE = KEPT.with_suffix(".md")
# What of a history's vantage points is summed: of what gateways have sent.
SUMMED = {"esp_packets": "packets of ESP", "gre_packets": "packets of GRE",
          "mppe_packets": "of them with MPPE", "wireguard_packets": "of WireGuard",
          "l2tp_messages": "control messages of L2TP", "ike_requests": "requests of IKEv2",
          "takeovers": "changes of a gateway's owner"}

HEAD = """\
<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
# Soak

{counts}

`lab/lab soak --minutes 25 --seed N --resume DIR` runs a slice: clients of L2TP, of L2TP/IPsec
behind one NAT, of IKEv2, of PPTP and of WireGuard at once, with flows through NAT and accounting,
under random faults. `lab/lab soak --page DIR` makes this page and soak.json beside it of the slices
in DIR. Do not edit it. [lab/README.md](../../lab/README.md) describes the faults and what must
hold.

- seed, faults: the plan, and the part of it that was injected. Each slice continues behind the last
  one of its seed
- IKEv2: how its client logs in, and ESP's algorithms
- violations: of the history, by captures alone
- growth: from the slice's beginning to its end, of the node that holds most: vpnhad's memory, and
  what the kernel cannot give back
- dirty: the tree had changes that were not committed
"""


@dataclasses.dataclass(frozen=True)
class Slice:
    """`first`, `faults`: the number of the first fault in the plan, and how many there were of each
    kind. `ikev2`: how its client of IKEv2 logs in, and its algorithms. `held`: by the node that
    holds most, before and after. `history`: what gateways have sent, as the captures show it.
    `silences_ms`: by client the longest one."""

    seed: int
    first: int
    ikev2: str
    commit: str
    dirty: bool
    date: str
    minutes: float
    faults: Mapping[str, int]
    ok: bool
    failed: Sequence[str]
    silences_ms: Mapping[str, float | None]
    pings_sent: int
    pings_lost: int
    accounts: int
    held: Sequence[Mapping[str, int]]
    history: Mapping[str, int]
    violations: int

    @property
    def injected(self) -> int:
        return sum(self.faults.values())


def load(path: Path) -> list[Slice]:
    """No file is no slice yet; a malformed one is an error, and nothing is written over it."""
    try:
        return [Slice(**each) for each in json.loads(path.read_text(encoding="utf-8"))["slices"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LabError(f"{path} is no history of a soak: {error}") from None


def store(path: Path, slices: Iterable[Slice]) -> None:
    data = {"slices": [dataclasses.asdict(each) for each in slices]}
    replace(path, json.dumps(data, indent=1) + "\n")


def of_run(out: Path, state: State, date: str) -> Slice:
    """What a slice has left in its directory. One that broke off has no figures of its end."""
    own, result, history = (_read(out / name) for name in (SLICE_FILE, RESULT_FILE, HISTORY_FILE))
    failed = [each["name"] for each in result["expectations"] if not each["ok"]]
    return Slice(result["seed"], own["first"], own["ikev2"], state.commit, state.dirty, date,
                 own["minutes"], own["faults"], result["ok"], failed, own["silences_ms"],
                 own["pings_sent"], own["pings_lost"], own["accounts"],
                 [most(each) for each in own["held"]], history.get("seen", {}).get(WIRE, {}),
                 len(history.get("violations", [])))


def _read(path: Path) -> dict[str, Any]:
    """Of a run that failed early a file may be missing."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if path.name == HISTORY_FILE:
            return {}
        raise LabError(f"the slice has left no {path.name}") from None


def next_fault(slices: Iterable[Slice], seed: int) -> int:
    """Counted from 0 on in the plan of the seed. Faults of red slices count as well."""
    return sum(each.injected for each in slices if each.seed == seed)


def publish(folder: Path, kept: Path = KEPT, path: Path = PAGE) -> None:
    """The history of the folder, for readers."""
    slices = load(folder / FILE)
    if not slices:
        raise LabError(f"{folder} has no slice of a soak")
    store(kept, slices)
    replace(path, page(slices))


def page(slices: Sequence[Slice]) -> str:
    if not slices:
        return HEAD.format(counts="**No slice was kept yet.**")
    text = HEAD.format(counts=_counts(slices))
    faults: Counter[str] = sum((Counter(each.faults) for each in slices), Counter())
    text += "\n| fault | times |\n|---|---|\n" + "".join(
        f"| {name} | {count} |\n" for name, count in sorted(faults.items()))
    columns = ("slice", "date (UTC)", "commit", "seed, faults", "IKEv2", "minutes", "verdict",
               "longest silence, ms", "pings lost", "violations", "growth, KiB")
    text += f"\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n"
    return text + "".join(_row(number, each) for number, each in enumerate(slices, 1))


def _counts(slices: Sequence[Slice]) -> str:
    red = sum(not each.ok for each in slices)
    seen: Counter[str] = sum((Counter(each.history) for each in slices), Counter())
    return (f"**{len(slices)} slices, {sum(each.minutes for each in slices):.0f} minutes, "
            f"{sum(each.injected for each in slices)} faults: {red} slices red, "
            f"{sum(each.violations for each in slices)} violations of the history, "
            f"{sum(each.accounts for each in slices)} accounts.** The history had "
            + ", ".join(f"{seen[name]} {words}" for name, words in SUMMED.items()) + ".")


def _growth(each: Slice, name: str) -> str:
    return f"{each.held[-1][name] - each.held[0][name]:+d}" if len(each.held) == 2 else "–"


def _row(number: int, each: Slice) -> str:
    silences = ", ".join(f"{name} {'–' if ms is None else f'{ms:.0f}'}"
                         for name, ms in each.silences_ms.items())
    failed = ", ".join(f"`{name}`" for name in each.failed[:3])
    cells = (str(number), each.date[:16].replace("T", " "),
             f"`{each.commit[:10]}`" + (" dirty" if each.dirty else ""),
             f"{each.seed}, {each.first + 1} to {each.first + each.injected}",
             each.ikev2, f"{each.minutes:.1f}",
             "green" if each.ok else f"**red**: {failed}", silences,
             f"{each.pings_lost} of {each.pings_sent}", str(each.violations),
             ", ".join(_growth(each, name) for name in ("vpnhad_kib", "kernel_kib")))
    return "| " + " | ".join(cells) + " |\n"
