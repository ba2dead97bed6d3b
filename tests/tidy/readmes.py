# SPDX-License-Identifier: GPL-2.0-or-later
"""Each room has a README.md that answers the same six questions."""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

QUESTIONS = ["What it is", "Who calls it", "May use", "Never", "Read first", "Try it"]
LIBRARY = PurePosixPath("libvpnha/src")
# Each folder in one of these is a room.
PARENTS = {PurePosixPath("examples"), PurePosixPath("lab/vpnlab"), PurePosixPath("tests"), LIBRARY,
           LIBRARY / "cluster", LIBRARY / "host", LIBRARY / "protocols", LIBRARY / "services"}
SOURCES = (".cpp", ".hpp", ".c", ".h", ".py")
SCENARIOS = "lab/scenarios/"


def rooms(files: Mapping[str, str]) -> set[PurePosixPath]:
    """The folders that have sources, in them or below."""
    folders = {folder for path in files if path.endswith(SOURCES)
               for folder in PurePosixPath(path).parents}
    return {folder for folder in folders if folder.parent in PARENTS or folder == LIBRARY}


def faults(files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The path of a README.md, and what is wrong with it."""
    # By area and by name.
    scenarios = {name for path in files if path.startswith(SCENARIOS)
                 for name in (path.split("/")[2], PurePosixPath(path).stem)}
    for room in sorted(rooms(files)):
        path = f"{room}/README.md"
        text = files.get(path, "")
        if re.findall(r"^- \*\*(.+?)\*\*: \S", text, re.MULTILINE) != QUESTIONS:
            yield path, f"does not answer: {', '.join(QUESTIONS)}"
        for name in re.findall(r"(?:--area|lab/lab run) ([\w-]+)", text):
            if name not in scenarios:
                yield path, f"there is no area or scenario {name}"
