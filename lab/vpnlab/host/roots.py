# SPDX-License-Identifier: GPL-2.0-or-later
"""Roots of other releases of Debian than this machine's, made by setup/root beside the kernels.

A command in such a root has the tree at its own place, with build/RELEASE as the tree's `build`. So
what is compiled there lies beside what this machine compiles, and has the same paths.
"""
from __future__ import annotations

from pathlib import Path

from .errors import LabError
from .kernel import cache_dir, one_at_a_time
from .progress import emit, run_logged
from .release import Release

TREE = Path(__file__).resolve().parents[3]
TAIL_LINES = 15


def root_of(release: Release) -> Path:
    """It may not be there yet."""
    return cache_dir() / "roots" / release.name


def build_of(release: Release) -> Path:
    """What a command in its root has as the tree's `build`."""
    return TREE / "build" / release.name


def in_root(release: Release) -> list[str]:
    """What stands before a command that runs in the release's root."""
    return [str(TREE / "setup" / "root"), release.name, str(root_of(release))]


def run_in_root(release: Release, *argv: str) -> None:
    """Runs a command in the release's root, which is made if it is missing; without a command that
    is all. The output goes to a file, and progress is shown."""
    build = build_of(release)
    build.mkdir(parents=True, exist_ok=True)
    log = build / "root.log"
    script = in_root(release)
    with one_at_a_time(build / "lock", f"works in a root of {release.name}"):
        with log.open("w", encoding="utf-8") as output:
            code = run_logged([*script, *argv], TREE, output,
                              lambda text: emit(f"{release.name}: {text}"))
    if code:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        raise LabError("\n".join([f"{' '.join([*script, *argv])} failed with {code}; the end of "
                                  f"{log}:", *tail]))
