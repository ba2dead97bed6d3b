# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab reads of a node on its host."""
from __future__ import annotations

import pytest
from vpnlab.host.errors import LabError
from vpnlab.host.node import received_bytes

NET_DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
    lo:       0       0    0    0    0     0          0         0        0       0
gw1-cluster0:  123456      99    0    0    0     0          0         0   654321      88
"""


def test_what_a_tap_received_is_what_its_node_sent():
    assert received_bytes(NET_DEV, "gw1-cluster0") == 123456


def test_unknown_device_is_an_error():
    with pytest.raises(LabError, match="gw2-cluster0"):
        received_bytes(NET_DEV, "gw2-cluster0")
