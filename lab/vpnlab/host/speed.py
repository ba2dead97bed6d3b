# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast the host is where user-mode kernels need it: each page that a process of a node touches
first is a page of the host's, mapped by several system calls. A virtual machine without nested
paging makes that ten times as long. Corosync then stands still for ten seconds at its start, and a
run fails long before it reaches what it is about. There nodes are emulated, see emulator.py."""
from __future__ import annotations

import functools
import mmap
import time

SIZE = 8 << 20
# Usual is about 1 or less. On a host with 15 a node needed 290, and no cluster came up within 60 s.
SLOW_US = 5.0


@functools.lru_cache(maxsize=1)
def page_us() -> float:
    """Microseconds of the first touch of a page, on average; the best of three times 2 000 pages:
    the host's other work makes no host slow."""
    return min(_page_us_once() for _ in range(3))


def _page_us_once() -> float:
    with mmap.mmap(-1, SIZE) as memory:
        begun = time.perf_counter()
        for at in range(0, SIZE, mmap.PAGESIZE):
            memory[at] = 1
        spent = time.perf_counter() - begun
    return spent * 1e6 / (SIZE // mmap.PAGESIZE)


def complaint(us: float) -> str | None:
    """Of a host that is too slow for the scenarios' limits; None: it is not."""
    if us <= SLOW_US:
        return None
    return (f"this host needs {us:.0f} us for the first touch of a page (usual: 1 us): a "
            "virtual machine without nested paging? Nodes are emulated, unless --machine names "
            "another kind; they compute slowly, and limits may not hold")
