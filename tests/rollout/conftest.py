# SPDX-License-Identifier: GPL-2.0-or-later
"""A cluster of three nodes as the role leaves it, made once; the modules of tests/cib."""
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "lab"), str(ROOT / "tests" / "cib")]

# The path must be set first.
import plays  # noqa: E402


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> plays.Site:
    site = plays.Site(tmp_path_factory.mktemp("site"))
    site.set_up()
    for number in range(1, 4):
        site.add_node(f"gw{number}")
    played = site.play(plays.inventory(3), tasks=(*plays.FIRST_PLAY, "resources"))
    assert played.ok, played.output
    return site


@pytest.fixture
def site(installed: plays.Site, tmp_path: Path) -> plays.Site:
    """The same, for one test; nothing has been called yet."""
    copy = plays.copied(installed, tmp_path)
    for calls in tmp_path.glob("gw*/calls"):
        calls.unlink()
    return copy
