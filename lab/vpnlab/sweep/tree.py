# SPDX-License-Identifier: GPL-2.0-or-later
"""What git knows of the tree: its commit, and which files have changed since another commit."""
from __future__ import annotations

import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..host.errors import LabError
from ..host.stage import ROOT


@dataclass(frozen=True)
class State:
    """`dirty`: there are changes that are not committed, files that git does not know included."""

    commit: str
    dirty: bool


class Tree:
    """`ignored`: files whose changes make no tree dirty, because the sweep itself writes them."""

    def __init__(self, root: Path = ROOT, ignored: Collection[str] = ()) -> None:
        self._root = root
        self._ignored = set(ignored)
        self.changed_since = lru_cache(maxsize=None)(self._changed_since)

    def state(self) -> State:
        commit = self._git("rev-parse", "--verify", "HEAD").strip()
        changed = self._paths("diff", "--name-only", "-z", "HEAD", "--") | self._untracked()
        return State(commit, bool(changed - self._ignored))

    def last_commits(self, count: int) -> frozenset[str]:
        """HEAD and what is behind it, the newest ones."""
        return frozenset(self._git("rev-list", f"--max-count={count}", "HEAD").split())

    def _changed_since(self, commit: str) -> frozenset[str] | None:
        """The files that differ between that commit and the working tree, under both of their names
        after a rename. None: there is no such commit here, as after a rebase."""
        if not self._succeeds("cat-file", "-e", f"{commit}^{{commit}}"):
            return None
        changed = self._paths("diff", "--name-only", "--no-renames", "-z", commit, "--")
        return frozenset(changed | self._untracked())

    def _untracked(self) -> set[str]:
        return self._paths("ls-files", "-z", "--others", "--exclude-standard")

    def _paths(self, *arguments: str) -> set[str]:
        return set(self._git(*arguments).split("\0")) - {""}

    def _git(self, *arguments: str) -> str:
        done = self._run(arguments)
        if done.returncode:
            raise LabError(f"git {arguments[0]} in {self._root}: {done.stderr.strip()}")
        return done.stdout

    def _succeeds(self, *arguments: str) -> bool:
        return self._run(arguments).returncode == 0

    def _run(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", "-C", str(self._root), *arguments], capture_output=True,
                              text=True, check=False)
