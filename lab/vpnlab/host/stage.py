# SPDX-License-Identifier: GPL-2.0-or-later
"""The project's files as a package would install them, laid over the root of every node."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .debian import index
from .errors import LabError, NotFound
from .progress import emit
from .release import THIS_RELEASE, Release
from .roots import build_of, run_in_root

# What the lab installs, and the programs that some scenarios use in its place or beside it.
LAB_TARGETS = ("product", "vpnhad-next", "vpnhad-frail", "vpnhad-echo", "silence-gateway-echo",
               "session-table", "kernel_test", "rates_bench")
# In a root of another release.
BUILD_AND_INSTALL = """\
[ -e build/release/build.ninja ] || cmake --preset release
cmake --build --preset release --target "$@"
DESTDIR=$PWD/build/stage cmake --install build/release
"""

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "release"
STAGE = ROOT / "build" / "stage"


def built_packages(release: Release = THIS_RELEASE) -> Path:
    """The Debian packages of the project, as an archive that apt can read."""
    there = (ROOT / "build" if release == THIS_RELEASE else build_of(release)) / "packages"
    if not list(there.glob("vpnha_*.deb")):
        option = "" if release == THIS_RELEASE else f" --release {release.name}"
        raise NotFound(f"there are no packages for the nodes: setup/debs{option}")
    index(there)
    return there


def install_stage(release: Release = THIS_RELEASE) -> Path:
    """Installs what the release preset built, if it is not installed yet; returns the directory.
    Files that are there already stay untouched: another lab may be running on them. What nodes of
    another release run is built first, as far as it has changed."""
    if release != THIS_RELEASE:
        emit(f"what nodes of {release.name} run is built and installed")
        run_in_root(release, "sh", "-euc", BUILD_AND_INSTALL, "sh", *LAB_TARGETS)
        return build_of(release) / "stage"
    if not (BUILD / "build.ninja").exists():
        raise NotFound("nothing is built for the nodes: cmake --workflow --preset release")
    done = subprocess.run(["cmake", "--install", str(BUILD)], capture_output=True, text=True,
                          env={**os.environ, "DESTDIR": str(STAGE)}, check=False)
    if done.returncode:
        raise LabError(f"installing into {STAGE}: {done.stderr.strip()}")
    return STAGE
