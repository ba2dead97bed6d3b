# SPDX-License-Identifier: GPL-2.0-or-later
"""What a node's kernel reports of tables and addresses."""
from __future__ import annotations

import importlib.util
import socket
import struct
from pathlib import Path

from vpnlab.product import watch

NODE = Path(__file__).resolve().parent.parent / "node"
VIP = "198.51.100.100"


def tool(name):
    spec = importlib.util.spec_from_file_location(name, NODE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_kernel_reports_tables_and_addresses():
    ruleset = tool("ruleset_watch")
    name = struct.pack("HH", 4 + 6, 1) + b"vpnha\0" + b"\0\0"
    table = struct.pack("IHHII", 16 + 4 + len(name), 10 << 8 | 2, 0, 0, 0) + b"\1\0\0\0" + name
    assert list(ruleset.events(ruleset.NETLINK_NETFILTER, table)) == [("table-gone", "vpnha")]
    local = struct.pack("HH", 8, 2) + socket.inet_aton(VIP)
    address = struct.pack("IHHII", 16 + 8 + len(local), 20, 0, 0, 0) + bytes(8) + local
    assert list(ruleset.events(ruleset.NETLINK_ROUTE, address)) == [("address", VIP)]


def test_what_was_watched():
    came, went = watch.parse_watch("1000000000 table vpnha\n2000000000 address-gone 192.0.2.100\n1")
    assert (came.t, came.what, came.here) == (1.0, "vpnha", True)
    assert (went.what, went.here) == ("192.0.2.100", False)
