# SPDX-License-Identifier: GPL-2.0-or-later
"""What the programs that plant faults share: a copy of the tree, a fault in it, and the names of
those that were found."""
from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = {".git", "build", "__pycache__", ".pytest_cache"}


class Mutation(Protocol):
    """A fault: what is replaced in one file, each text by another one."""

    @property
    def name(self) -> str: ...

    @property
    def file(self) -> str: ...

    @property
    def changes(self) -> tuple[tuple[str, str], ...]: ...


Each = TypeVar("Each", bound=Mutation)


def copy_tree(to: Path) -> None:
    """Only files that differ, so that a tree of an earlier run is built quickly."""
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in NOT_COPIED]
        place = to / Path(folder).relative_to(ROOT)
        place.mkdir(parents=True, exist_ok=True)
        for name in files:
            source, copy = Path(folder, name), place / name
            if source.is_symlink():
                copy.unlink(missing_ok=True)
                copy.symlink_to(source.readlink())
            elif not copy.exists() or copy.read_bytes() != source.read_bytes():
                copy.write_bytes(source.read_bytes())
                copy.chmod(source.stat().st_mode)


@contextlib.contextmanager
def planted(tree: Path, mutation: Mutation) -> Iterator[bool]:
    """The fault is in the copy meanwhile. False, with a printed error: its text is not there."""
    path = tree / mutation.file
    sound = path.read_text(encoding="utf-8")
    text = sound
    for old, new in mutation.changes:
        if text.count(old) != 1:
            print(f"FAIL {mutation.name}: its text is not in {mutation.file} once", flush=True)
            yield False
            return
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    try:
        yield True
    finally:
        path.write_text(sound, encoding="utf-8")


def chosen(parser: argparse.ArgumentParser, only: Sequence[str] | None,
           mutations: Sequence[Each]) -> list[Each]:
    """All of them, or those that are named so; a name of none ends the program."""
    found = [each for each in mutations if each.name in (only or [each.name])]
    if missing := set(only or ()) - {each.name for each in found}:
        parser.error(f"no mutation {', '.join(sorted(missing))}")
    return found


def noted(file: Path | None) -> list[str]:
    """The names of faults that earlier runs have found."""
    return file.read_text(encoding="utf-8").split() if file and file.exists() else []


def note(file: Path | None, name: str) -> None:
    if file:
        with file.open("a", encoding="utf-8") as names:
            names.write(f"{name}\n")
