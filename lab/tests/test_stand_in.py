# SPDX-License-Identifier: GPL-2.0-or-later
"""The power switch that refuses, on nodes that are none."""
from __future__ import annotations

import pytest
from vpnlab.host.power import NODE_TOKEN_FILE
from vpnlab.steps.stand_in import power_switch_refuses


class FakeNode:
    def __init__(self) -> None:
        self.files = {NODE_TOKEN_FILE: b"right"}
        self.on = True

    def powered(self) -> bool:
        return self.on

    def get(self, path: str) -> bytes:
        return self.files[path]

    def put(self, path: str, content: str | bytes, mode: int) -> None:
        assert self.on and mode == 0o600
        self.files[path] = content if isinstance(content, bytes) else content.encode()


def test_the_password_is_wrong_meanwhile_and_right_again_after_an_error():
    nodes = [FakeNode(), FakeNode()]
    with pytest.raises(ValueError), power_switch_refuses(nodes):
        assert all(node.files[NODE_TOKEN_FILE] != b"right" for node in nodes)
        raise ValueError
    assert [node.files[NODE_TOKEN_FILE] for node in nodes] == [b"right", b"right"]


def test_a_node_that_has_lost_its_power_meanwhile_is_left_alone():
    nodes = [FakeNode(), FakeNode()]
    with power_switch_refuses(nodes):
        nodes[0].on = False
    assert [node.files[NODE_TOKEN_FILE] == b"right" for node in nodes] == [False, True]
