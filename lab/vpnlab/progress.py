# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress lines on stderr, each with the time since the program started."""
from __future__ import annotations

import sys
import time

_START = time.monotonic()


def say(text: str) -> None:
    """Prints one progress line; stdout stays free for results."""
    print(f"[{time.monotonic() - _START:7.2f} s] {text}", file=sys.stderr, flush=True)
