# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes this node's clocks run faster or slower: clock_rate.py TICK, in µs of clock for each 10 ms.

10000 is right, 9000 and 11000 are the limits (adjtimex(2), ADJ_TICK). CLOCK_BOOTTIME and
CLOCK_MONOTONIC follow, as they do when a time daemon slews."""
import ctypes
import sys

ADJ_TICK = 0x4000


class Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>, on 64 bits."""

    _fields_ = [("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long),
                ("maxerror", ctypes.c_long), ("esterror", ctypes.c_long), ("status", ctypes.c_int),
                ("constant", ctypes.c_long), ("precision", ctypes.c_long),
                ("tolerance", ctypes.c_long), ("time", ctypes.c_long * 2),
                ("tick", ctypes.c_long), ("rest", ctypes.c_long * 16)]


def main() -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    wanted = Timex(modes=ADJ_TICK, tick=int(sys.argv[1]))
    if libc.adjtimex(ctypes.byref(wanted)) < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")
    return 0


if __name__ == "__main__":
    sys.exit(main())
