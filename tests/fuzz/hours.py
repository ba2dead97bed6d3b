# SPDX-License-Identifier: GPL-2.0-or-later
"""How long each target has been fuzzed, in all sessions: hours.json, its page
docs/reference/fuzzing.md.

hours.py --check: do both fit each other, and the targets? hours.py --page writes the page anew.
"""
from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAD = """<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
# How long the parsers were fuzzed

Each target of `tests/fuzz` feeds one parser or state machine with inputs that libFuzzer makes, with
AddressSanitizer and UndefinedBehaviorSanitizer. The numbers are sums over all sessions, of runs
that found nothing:

```
tests/fuzz/run --until 3600           # each target until it has an hour in all; may be interrupted
tests/fuzz/run --until 3600 --jobs 2 --minutes 50    # a part of that, two targets side by side
tests/fuzz/run --seconds 600 wire     # ten minutes more of one target, not added up
```

An input that finds a fault is copied to `tests/fuzz/corpus/TARGET/found-…`. It stays there with the
fix, and every run of the tests feeds it again. `tests/fuzz/hours.py --page` writes this page.

| target | hours | inputs, millions | at commit |
|---|---|---|---|
"""


@dataclass
class Spent:
    """On one target. `commit`: the tree that was fuzzed last."""

    seconds: int = 0
    inputs: int = 0
    commit: str = "–"


class Book:
    def __init__(self, root: Path = ROOT) -> None:
        self._file = root / "tests" / "fuzz" / "hours.json"
        self._page = root / "docs" / "reference" / "fuzzing.md"
        self._sources = root / "tests" / "fuzz"
        read = json.loads(self._file.read_text(encoding="utf-8")) if self._file.exists() else {}
        self._spent = {name: Spent(**entry) for name, entry in read.items()}

    def seconds(self, target: str) -> int:
        return self._spent.get(target, Spent()).seconds

    def add(self, target: str, seconds: int, inputs: int, commit: str) -> None:
        before = self._spent.get(target, Spent())
        self._spent[target] = Spent(before.seconds + seconds, before.inputs + inputs, commit)
        self._file.write_text(json.dumps({name: asdict(self._spent[name])
                                          for name in sorted(self._spent)}, indent=1) + "\n",
                              encoding="utf-8")
        self.write_page()

    def targets(self) -> list[str]:
        return sorted(path.name.removesuffix("_fuzz.cpp")
                      for path in self._sources.rglob("*_fuzz.cpp"))

    def page(self) -> str:
        rows = []
        for name in self.targets():
            spent = self._spent.get(name, Spent())
            rows.append(f"| `{name}` | {spent.seconds / 3600:.2f} | {spent.inputs / 1e6:.1f} | "
                        f"{spent.commit} |\n")
        return HEAD + "".join(rows)

    def write_page(self) -> None:
        self._page.write_text(self.page(), encoding="utf-8")

    def faults(self) -> list[str]:
        found = [f"hours.json: there is no target {name}"
                 for name in sorted(set(self._spent) - set(self.targets()))]
        if not self._page.exists() or self._page.read_text(encoding="utf-8") != self.page():
            found.append("docs/reference/fuzzing.md is not what tests/fuzz/hours.py --page writes")
        return found


class Turns:
    """Which target comes next: the one that has least of its sum, and nobody is at."""

    def __init__(self, book: Book, targets: Sequence[str], until: int, slice_s: int) -> None:
        self.until = until
        self._book = book
        self._targets = list(targets)
        self._slice_s = slice_s
        self._busy: set[str] = set()

    def take(self) -> tuple[str, int] | None:
        """The target, and for how many seconds; None: there is nothing to do beside others."""
        free = [each for each in self.left() if each not in self._busy]
        if not free:
            return None
        target = min(free, key=self._book.seconds)
        self._busy.add(target)
        return target, min(self._slice_s, self.until - self._book.seconds(target))

    def give_back(self, target: str, found: bool) -> None:
        """One that found something has no further turn: it would find it again."""
        self._busy.remove(target)
        if found:
            self._targets.remove(target)

    def left(self) -> list[str]:
        return [each for each in self._targets if self._book.seconds(each) < self.until]


def main(arguments: list[str]) -> int:
    book = Book()
    if arguments == ["--page"]:
        book.write_page()
        return 0
    faults = book.faults()
    for line in faults:
        print(line)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
