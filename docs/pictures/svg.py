# SPDX-License-Identifier: GPL-2.0-or-later
"""What the drawings of these documents have in common, those of tests/bench too."""
from __future__ import annotations

from collections.abc import Iterable
from html import escape

INK, PALE, NOTE, GREEN, RED = "#1f2933", "#c9d1d9", "#52606d", "#2e7d5b", "#b3413b"


def text(x: float, y: float, words: str, size: int = 11, colour: str = INK, anchor: str = "start",
         weight: str = "normal") -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
            f'text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>')


def picture(width: int, height: int, program: str, title: str, parts: Iterable[str]) -> str:
    """The whole file. `program`: by which it is drawn."""
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif">',
        f"<!-- SPDX-License-Identifier: GPL-2.0-or-later. Drawn by {program}. -->",
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *parts, "</svg>", ""))
