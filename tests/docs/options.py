#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fails when an option of the stock daemons has no row in docs/reference/options.md, or two, or is
no option.

usage: options.py ROOT

The names are those of the man pages of Debian 12 and 13, in options/PAGE.txt beside this file.
Where a man page is installed, its names are compared with the list as well: a newer page must not
have others.
"""
from __future__ import annotations

import gzip
import re
import sys
from collections import Counter
from pathlib import Path

MAN = Path("/usr/share/man")
ANSWERS = ("carried on", "no matter", "unprotected", "refused", "not carried on")
# Page: where its options begin and end.
PAGES = {
    "pppd.8": (".SH FREQUENTLY USED OPTIONS\n", ".SH OPTIONS FILES"),
    "xl2tpd.conf.5": (".SH GLOBAL SECTION", ".SH FILES"),
    "pptpd.conf.5": (".SH OPTIONS", ".SH "),
    "swanctl.conf.5": (".SH SETTINGS", ".SH FILES"),
}
TAG = re.compile(r"^\.B[IR]?\s+(.*)$")
# Of pppd's: "name ARGUMENT"; a list of xl2tpd's has names of several words.
ARGUMENT = re.compile(r"\s*\\f[IRP].*$")
# Of swanctl.conf: what stands in a connection, also in its children. Sections are no options.
CONNECTION = re.compile(r"connections\.<conn>\.(children\.<child>\.)?(\S+)")
SECTIONS = ("local<suffix>", "remote<suffix>", "children.<child>")
ROW = re.compile(r"^\| (`[^|]*`) \| ([^|]+) \|")


def of_man_page(page: str, text: str) -> set[str]:
    """The names that stand behind .TP in the page's part on options."""
    begin, end = PAGES[page]
    start = text.index(begin) + len(begin)
    found = text.find(end, start)
    lines = text[start:found if found >= 0 else len(text)].splitlines()
    tags = [TAG.match(after) for line, after in zip(lines, lines[1:]) if line.strip() == ".TP"]
    return {name for tag in tags if tag for name in names_of(page, tag[1])}


def names_of(page: str, tag: str) -> list[str]:
    tag = tag.replace("\\-", "-").strip()
    if page == "swanctl.conf.5":
        option = CONNECTION.match(tag)
        if not option or option[2] in SECTIONS:
            return []
        return [("children." if option[1] else "") + option[2]]
    if page == "pptpd.conf.5":
        return [tag.strip('"').split()[0].strip('"')]
    if page == "xl2tpd.conf.5":
        choice = re.match(r"\((\w+) \| (\w+)\) (.+)", tag)
        if choice:
            return [f"{choice[1]} {choice[3]}", f"{choice[2]} {choice[3]}"]
        return [re.sub(r"^\(no\) ", "", tag)]
    return [ARGUMENT.sub("", tag).strip()]


def listed(path: Path) -> set[str]:
    return {line for line in path.read_text(encoding="ascii").splitlines()
            if line and not line.startswith("#")}


def documented(text: str) -> dict[str, Counter[str]]:
    """By man page the names of its section's rows; a row with another answer is an error."""
    sections: dict[str, Counter[str]] = {}
    page = ""
    for line in text.splitlines():
        if line.startswith("## "):
            page = next((each for each in PAGES if f"{each[:-2]}({each[-1]})" in line), "")
        elif page and (row := ROW.match(line)):
            if row[2].strip() not in ANSWERS:
                raise ValueError(f"'{row[2].strip()}' is no answer: {line}")
            sections.setdefault(page, Counter()).update(re.findall(r"`([^`]+)`", row[1]))
    return sections


def problems(root: Path) -> list[str]:
    here = Path(__file__).resolve().parent / "options"
    sections = documented((root / "docs" / "reference" / "options.md").read_text(encoding="utf-8"))
    found = []
    for page in PAGES:
        names, rows = listed(here / f"{page}.txt"), sections.get(page, Counter())
        found += [f"docs/reference/options.md has no row for {name} of {page}"
                  for name in sorted(names - set(rows))]
        found += [f"docs/reference/options.md names {name}, which {page} does not have"
                  for name in sorted(set(rows) - names)]
        found += [f"docs/reference/options.md has {name} of {page} {count} times"
                  for name, count in sorted(rows.items()) if count > 1]
        installed = MAN / f"man{page[-1]}" / f"{page}.gz"
        if installed.exists():
            with gzip.open(installed, "rt", encoding="latin-1") as file:
                there = of_man_page(page, file.read())
            found += [f"{installed} has {name}: add it to tests/docs/options/{page}.txt"
                      for name in sorted(there - names)]
    return found


def main(argv: list[str]) -> int:
    found = problems(Path(argv[1]))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
