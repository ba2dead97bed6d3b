#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs each `vpnha` command that the documents name, and fails when it is wrong usage.

usage: commands.py VPNHA ROOT

A command is a line of a block of code, or words in backticks, that begins with `vpnha` and a
subcommand. Words in capitals stand for names, brackets for what may be left out; a line with an
ellipsis is no whole command. No vpnhad answers here: what is asked is whether the program takes the
words. What the text itself expects to fail is not in the documents.
"""
from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^ *```.*?\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(vpnha [^`\n]+)`")
LINE = re.compile(r"^(?:[$#] )?(?:sudo )?(vpnha .+)$")
# A comment behind it, the rest of a pipe or list, where output goes.
REST = re.compile(r"\s+#.*|\s*(?:\||;|&&|>>?|2>).*|\s*\)$")
EXAMPLES = {"GATEWAY": "dialin", "NODE": "gw1", "ID": "1", "T": "5s", "EPOCH": "1.1"}
USAGE = 2
FORMS_MIN = 20
WATCH_S = 2


def commands(text: str) -> list[tuple[str, bool]]:
    """Each with whether it is whole: in a sentence it may be named without its operands."""
    lines = [line.strip() for block in BLOCK.findall(text) for line in block.splitlines()]
    found = [(match.group(1), True) for line in lines if (match := LINE.match(line))]
    return found + [(named, False) for named in INLINE.findall(BLOCK.sub("", text))]


def words(command: str) -> list[str] | None:
    """As a shell would pass them; None: it is no whole command."""
    # "GATEWAY|NODE" offers a choice, " | " is a pipe.
    chosen = re.sub(r"(?<=[A-Z])\|[A-Z]+", "", command)
    chosen = REST.sub("", chosen.replace("[", " ").replace("]", " "))
    if "…" in chosen or "..." in chosen or "$" in chosen or "<" in chosen:
        return None
    return [EXAMPLES.get(word, word) for word in shlex.split(chosen)]


def usage_error(argv: list[str], directory: str) -> str | None:
    try:
        done = subprocess.run(argv, cwd=directory, text=True, timeout=WATCH_S, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True)
    except subprocess.TimeoutExpired:
        return None  # It watches.
    return done.stderr.splitlines()[0] if done.returncode == USAGE else None


def main() -> int:
    program, root = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    documents = [root / "README.md", *sorted((root / "docs").rglob("*.md")),
                 root / "ansible" / "README.md"]
    wrong, tried = [], set()
    with tempfile.TemporaryDirectory() as directory:
        for document in documents:
            for command, is_whole in commands(document.read_text(encoding="utf-8")):
                argv = words(command)
                if argv is None or len(argv) < 2 or not argv[1].islower():
                    continue
                tried.add(" ".join(argv))
                complaint = usage_error([str(program), *argv[1:]], directory)
                if complaint and (is_whole or not complaint.endswith(" is required")):
                    wrong.append(f"{document.relative_to(root)}: `{command}`: {complaint}")
    if len(tried) < FORMS_MIN:
        wrong.append(f"only {len(tried)} commands were found: has the documents' form changed?")
    print("\n".join(wrong) or f"{len(tried)} commands of the documents are ones that vpnha takes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
