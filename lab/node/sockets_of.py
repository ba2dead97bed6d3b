# SPDX-License-Identifier: GPL-2.0-or-later
"""Does to the sockets of a process what a machine under load does to it, without the load.

usage: sockets_of.py PID buffer BYTES   those that bring events of flows have a smaller buffer than
                                        it asked for: events that find it full are lost
       sockets_of.py PID blind          those that capture packets see no more of them
       sockets_of.py PID see            they see all packets again

Prints how many sockets there were.
"""
from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys

PIDFD_GETFD = 438
NETLINK_NETFILTER = 12
SOL_NETLINK, LIST_MEMBERSHIPS = 270, 9
# New, changed, ended flows: groups 1 to 3.
FLOW_GROUPS = 0b111
RCVBUFFORCE = 33
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
RETURN_K = 0x06


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


def receives_flows(each: socket.socket) -> bool:
    if (each.family, each.proto) != (socket.AF_NETLINK, NETLINK_NETFILTER):
        return False
    groups = each.getsockopt(SOL_NETLINK, LIST_MEMBERSHIPS, 64)
    return bool(int.from_bytes(groups[:4], sys.byteorder) & FLOW_GROUPS)


def shrink(each: socket.socket, size: int) -> bool:
    if not receives_flows(each):
        return False
    each.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, size)
    return True


def blind(each: socket.socket) -> bool:
    """Its filter becomes one that takes nothing."""
    if each.family != socket.AF_PACKET:
        return False
    nothing = ctypes.create_string_buffer(struct.pack("HBBI", RETURN_K, 0, 0, 0))
    each.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                    struct.pack("HL", 1, ctypes.addressof(nothing)))
    return True


def see(each: socket.socket) -> bool:
    """It has no filter any more. What it takes beside PPTP its reader passes over."""
    if each.family != socket.AF_PACKET:
        return False
    each.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
    return True


def main() -> None:
    pid, what = int(sys.argv[1]), sys.argv[2]
    todo = {"blind": blind, "see": see,
            "buffer": lambda each: shrink(each, int(sys.argv[3]))}[what]
    print(sum(map(todo, sockets_of(pid))))


if __name__ == "__main__":
    main()
