# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's releases that gateways may run, with the kernel of each."""
from __future__ import annotations

import dataclasses
import platform


@dataclasses.dataclass(frozen=True)
class Release:
    """`name`: its codename. `series`: of its own kernel; Debian 12 offers that of 13 beside it."""

    name: str
    series: str


RELEASES = {each.name: each for each in (Release("bookworm", "6.1"), Release("trixie", "6.12"))}


def _of_this_machine() -> Release:
    name = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    return RELEASES.get(name, RELEASES["bookworm"])


# What nodes have as their root unless another one is asked for.
THIS_RELEASE = _of_this_machine()
OTHER_RELEASE = next(each for each in RELEASES.values() if each != THIS_RELEASE)
