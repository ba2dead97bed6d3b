# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints the devices through which an IPv4 address answers a ping, of three in three seconds. It is
one process for all of them: a process each takes the node a third of a second under load.

usage: ping_through.py ADDRESS DEVICE...
"""
from __future__ import annotations

import select
import socket
import struct
import sys
import time
from pathlib import Path

# The groups that may open such a socket, by default none. The kernel gives the socket an identifier
# and the answers to it alone.
GROUPS = Path("/proc/sys/net/ipv4/ping_group_range")
PINGS, PAUSE_S, LAST_WAIT_S = 3, 1.0, 2.0


def socket_of(device: str) -> socket.socket:
    ping = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK,
                         socket.IPPROTO_ICMP)
    ping.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    return ping


def ping_all(pings: dict[str, socket.socket], address: str) -> list[str]:
    """By device, its socket. What cannot be sent or received is not answered."""
    names = {ping.fileno(): name for name, ping in pings.items()}
    unanswered = dict(pings)
    for sequence in range(PINGS):
        asked = select.poll()
        for ping in unanswered.values():
            try:
                ping.sendto(struct.pack("!BBHHH", 8, 0, 0, 0, sequence), (address, 0))
                asked.register(ping, select.POLLIN)
            except OSError:
                pass
        until = time.monotonic() + (PAUSE_S if sequence < PINGS - 1 else LAST_WAIT_S)
        while unanswered and (left := until - time.monotonic()) > 0:
            for descriptor, _ in asked.poll(left * 1000):
                asked.unregister(descriptor)
                try:
                    pings[names[descriptor]].recv(2048)
                except OSError:
                    continue
                del unanswered[names[descriptor]]
    return [name for name in pings if name not in unanswered]


def main(address: str, devices: list[str]) -> None:
    GROUPS.write_text("0 0")
    pings = {}
    for device in devices:
        try:
            pings[device] = socket_of(device)
        except OSError:
            pass  # It is gone.
    print(*ping_all(pings, address))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
