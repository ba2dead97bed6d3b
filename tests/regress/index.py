# SPDX-License-Identifier: GPL-2.0-or-later
"""index.py CTEST BUILD: is each test that README.md names there?

A name is one of CTest's, or FILE::FUNCTION of a Python test, or the file of a scenario. One line
for each that is missing; exit 1 when there is one.
"""
from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tests_of(ctest: str, build: str) -> set[str]:
    listed = subprocess.run([ctest, "--test-dir", build, "--show-only"], capture_output=True,
                            text=True, check=True).stdout
    return set(re.findall(r"^ *Test +#\d+: (\S+)$", listed, re.MULTILINE))


def missing(page: str, known: set[str], root: Path) -> Iterator[str]:
    rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
    if not rows:
        yield "the page has no table"
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        names = re.findall(r"`([^`]+)`", cells[-1])
        if not names:
            yield f"{cells[0]}: no test is named"
        for name in names:
            path, _, function = name.partition("::")
            file = root / path
            there = name in known
            if function:
                there = file.is_file() and re.search(
                    rf"^def {function}\(", file.read_text(encoding="utf-8"), re.MULTILINE)
            elif "/" in name:
                there = file.is_file()
            if not there:
                yield f"{cells[0]}: there is no test {name}"


def main(arguments: list[str]) -> int:
    page = (ROOT / "tests" / "regress" / "README.md").read_text(encoding="utf-8")
    found = list(missing(page, tests_of(*arguments), ROOT))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
