# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs when nftables tables and IPv4 addresses come to this node and go, as the kernel reports it.

usage: ruleset_watch.py LOG

Lines of LOG, with the node's time in ns: `T table NAME`, `T table-gone NAME`, `T address ADDRESS`,
`T address-gone ADDRESS`.
"""
from __future__ import annotations

import select
import socket
import struct
import sys
import time
from collections.abc import Iterator

NETLINK_ROUTE, NETLINK_NETFILTER = 0, 12
RTMGRP_IPV4_IFADDR = 0x10
NFNLGRP_NFTABLES = 7
SOL_NETLINK, ADD_MEMBERSHIP = 270, 1
NFTABLES = 10 << 8
EVENTS = {(NETLINK_ROUTE, 20): "address", (NETLINK_ROUTE, 21): "address-gone",
          (NETLINK_NETFILTER, NFTABLES | 0): "table",
          (NETLINK_NETFILTER, NFTABLES | 2): "table-gone"}
IFA_LOCAL, NFTA_TABLE_NAME = 2, 1


def listener(protocol: int) -> socket.socket:
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    kernel.bind((0, RTMGRP_IPV4_IFADDR if protocol == NETLINK_ROUTE else 0))
    if protocol == NETLINK_NETFILTER:
        kernel.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, NFNLGRP_NFTABLES)
    return kernel


def events(protocol: int, data: bytes) -> Iterator[tuple[str, str]]:
    """What a datagram of the kernel reports: kind and name."""
    while len(data) >= 16:
        length, kind = struct.unpack_from("IH", data)
        if length < 16:
            return
        event = EVENTS.get((protocol, kind))
        if event is not None:
            yield event, name(protocol, data[16:length])
        data = data[(length + 3) & ~3:]


def name(protocol: int, body: bytes) -> str:
    # Behind struct ifaddrmsg or struct nfgenmsg.
    wanted, rest = ((IFA_LOCAL, body[8:]) if protocol == NETLINK_ROUTE
                    else (NFTA_TABLE_NAME, body[4:]))
    while len(rest) >= 4:
        length, kind = struct.unpack_from("HH", rest)
        if length < 4:
            break
        if kind & 0x3FFF == wanted:
            value = rest[4:length]
            return (socket.inet_ntoa(value) if protocol == NETLINK_ROUTE
                    else value.rstrip(b"\0").decode())
        rest = rest[(length + 3) & ~3:]
    return "?"


def main() -> None:
    kernels = {listener(protocol): protocol for protocol in (NETLINK_ROUTE, NETLINK_NETFILTER)}
    with open(sys.argv[1], "w", encoding="ascii", buffering=1) as log:
        print("watching", flush=True)
        while True:
            for kernel in select.select(list(kernels), [], [])[0]:
                now = time.time_ns()
                for kind, what in events(kernels[kernel], kernel.recv(1 << 16)):
                    log.write(f"{now} {kind} {what}\n")


if __name__ == "__main__":
    main()
