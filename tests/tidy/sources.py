# SPDX-License-Identifier: GPL-2.0-or-later
"""The sources as the house rules see them, and what a rule finds."""
from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Paths that hold data for tests, not sources.
DATA = re.compile(r"(?:^|/)(?:corpus|fixtures|goldens?)/")
# These two quote what they forbid.
SELF = ("tests/tidy/house_rules.py", "tests/tidy/test_house_rules.py")

CPP = (".cpp", ".hpp", ".c", ".h")
CODE = (*CPP, ".py")


@dataclass(frozen=True)
class Violation:
    path: str
    line: int
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.what}"


class Tree:
    """The sources: path relative to the root, in POSIX form, to text."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    @classmethod
    def read(cls, root: Path) -> Tree:
        names = cls._names(root)
        files = {}
        for name in names:
            path = root / name
            if DATA.search(name) or path.is_symlink() or not path.is_file():
                continue
            try:
                files[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # Not a text, so not a source.
        return cls(files)

    @staticmethod
    def _names(root: Path) -> list[str]:
        git = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
               "--exclude-standard"]
        listed = subprocess.run(git, capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            return sorted(set(listed.stdout.split("\0")) - {""})
        # An unpacked release has no git.
        return sorted(
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if path.is_file() and path.relative_to(root).parts[0] not in ("build", ".git")
        )

    def lines(self, *suffixes: str, under: str = "") -> Iterator[tuple[str, int, str]]:
        for path, text in self.files.items():
            if path.startswith(under) and path.endswith(suffixes) and path not in SELF:
                for number, line in enumerate(text.splitlines(), 1):
                    yield path, number, line


def code_of(line: str) -> str:
    """The line without a // comment and without the inside of its string literals."""
    return re.sub(r"//.*", "", re.sub(r'"(?:[^"\\]|\\.)*"', '""', line))
