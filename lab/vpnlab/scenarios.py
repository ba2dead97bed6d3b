# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the scenarios lie: lab/scenarios/AREA/NAME.py, also in a folder of AREA. This module
imports nothing of the lab, so ./check can use it."""
from __future__ import annotations

from pathlib import Path

DIRECTORY = Path(__file__).resolve().parents[1] / "scenarios"


def files() -> dict[str, Path]:
    """By name, in the order of the names."""
    return {path.stem: path
            for path in sorted(DIRECTORY.rglob("*.py"), key=lambda path: path.stem)}


def folder(path: Path) -> str:
    """The area that a scenario's file lies in."""
    return path.relative_to(DIRECTORY).parts[0]
