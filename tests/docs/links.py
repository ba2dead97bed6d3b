# SPDX-License-Identifier: GPL-2.0-or-later
"""links.py ROOT: each relative link of a Markdown file leads to a file, and to a heading of it."""
from __future__ import annotations

import re
import sys
from pathlib import Path

FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
# The target and the heading of a link or a picture.
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
NOT_THE_PROJECTS = {".git", "build"}
LINKS_MIN = 100


def anchors_of(text: str) -> set[str]:
    """As GitHub makes them of a document's headings: letters, digits, dashes."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in HEADING.findall(FENCED.sub("", text))}


def faults(document: Path, links: list[tuple[str, str]]) -> list[str]:
    found = []
    for target, heading in links:
        there = document.parent / target if target else document
        if not there.exists():
            found.append(f"{target} is not there")
        elif heading and heading not in anchors_of(there.read_text(encoding="utf-8")):
            found.append(f"{target} has no heading #{heading}")
    return found


def main(root: Path) -> int:
    count, wrong = 0, []
    for document in sorted(root.rglob("*.md")):
        path = document.relative_to(root)
        if path.parts[0] in NOT_THE_PROJECTS:
            continue
        text = FENCED.sub("", document.read_text(encoding="utf-8"))
        links = LINK.findall(CODE.sub("", text))
        count += len(links)
        wrong += [f"{path}: {fault}" for fault in faults(document, links)]
    if count < LINKS_MIN:
        wrong.append(f"only {count} links were found: has the documents' form changed?")
    print("\n".join(wrong) or f"{count} links lead somewhere")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
