# SPDX-License-Identifier: GPL-2.0-or-later
"""The project's files as a package would install them, laid over the root of every node."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .debian import index
from .errors import LabError, NotFound

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "release"
STAGE = ROOT / "build" / "stage"
PACKAGES = ROOT / "build" / "packages"


def built_packages() -> Path:
    """The Debian packages of the project, as an archive that apt can read."""
    if not list(PACKAGES.glob("vpnha_*.deb")):
        raise NotFound("there are no packages for the nodes: setup/debs")
    index(PACKAGES)
    return PACKAGES


def install_stage() -> Path:
    """Installs what the release preset built, if it is not installed yet; returns the directory.
    Files that are there already stay untouched: another lab may be running on them."""
    if not (BUILD / "build.ninja").exists():
        raise NotFound("nothing is built for the nodes: cmake --workflow --preset release")
    done = subprocess.run(["cmake", "--install", str(BUILD)], capture_output=True, text=True,
                          env={**os.environ, "DESTDIR": str(STAGE)}, check=False)
    if done.returncode:
        raise LabError(f"installing into {STAGE}: {done.stderr.strip()}")
    return STAGE
