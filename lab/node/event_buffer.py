# SPDX-License-Identifier: GPL-2.0-or-later
"""Gives the sockets on which a process hears of flows a smaller buffer than it asked for.

usage: event_buffer.py PID BYTES

What a machine under load does to it, without the load: events that find the buffer full are lost.
Prints how many sockets there were.
"""
from __future__ import annotations

import ctypes
import os
import socket
import sys

PIDFD_GETFD = 438
NETLINK_NETFILTER = 12
SOL_NETLINK, LIST_MEMBERSHIPS = 270, 9
# New, changed, ended flows: groups 1 to 3.
FLOW_GROUPS = 0b111
RCVBUFFORCE = 33


def sockets_of(pid: int) -> list[socket.socket]:
    """Duplicates of the process's sockets."""
    libc = ctypes.CDLL(None, use_errno=True)
    process, found = os.pidfd_open(pid), []
    for number in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:"):
            copy = libc.syscall(PIDFD_GETFD, process, int(number), 0)
            if copy >= 0:
                found.append(socket.socket(fileno=copy))
    return found


def hears_of_flows(each: socket.socket) -> bool:
    if (each.family, each.proto) != (socket.AF_NETLINK, NETLINK_NETFILTER):
        return False
    groups = each.getsockopt(SOL_NETLINK, LIST_MEMBERSHIPS, 64)
    return bool(int.from_bytes(groups[:4], sys.byteorder) & FLOW_GROUPS)


def main() -> None:
    pid, size = int(sys.argv[1]), int(sys.argv[2])
    chosen = [each for each in sockets_of(pid) if hears_of_flows(each)]
    for each in chosen:
        each.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, size)
    print(len(chosen))


if __name__ == "__main__":
    main()
