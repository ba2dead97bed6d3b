# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions in numbers: the lines of a client, made-up sessions and their peers."""
from __future__ import annotations

import configparser
import importlib.util
import struct
from pathlib import Path

from vpnlab.product import crowd

NODE = Path(__file__).resolve().parent.parent / "node"


def tool(name):
    spec = importlib.util.spec_from_file_location(name, NODE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_line_dials_stays_hangs_up_and_dials_again():
    line = crowd.Line("line3")
    assert line.next_command(0.0) == "c line3\n"
    assert line.next_command(1.0) == ""
    line.on_log("up", 2.0)
    assert line.next_command(2.0) == ""
    assert line.next_command(2.0 + crowd.STAY_S) == "d line3\n"
    line.on_log("down", 5.0)
    assert line.next_command(5.1) == ""
    assert line.next_command(5.0 + crowd.REDIAL_S) == "c line3\n"


def test_line_whose_dial_came_to_nothing_dials_again():
    line = crowd.Line("line0")
    assert line.next_command(0.0) and not line.next_command(crowd.REDIAL_S - 0.1)
    assert line.next_command(crowd.REDIAL_S) == "c line0\n"


def test_each_line_is_a_tunnel_of_its_own_options():
    parser = configparser.ConfigParser()
    parser.read_string(crowd.crowd_config(3))
    files = {parser[f"lac line{number}"]["pppoptfile"] for number in range(3)}
    assert len(files) == 3


def test_made_up_session_has_every_field_of_the_protocol_once():
    message = tool("session_crowd").session_up("l2tp", "192.0.2.52", 7000, "10.200.9.1",
                                               "10.200.0.1")
    assert message[:4] == bytes([0, 2, 1, 0])
    found, rest = {}, message[4:]
    while rest:
        kind, length = struct.unpack_from("!HH", rest)
        assert kind not in found
        found[kind], rest = rest[4:4 + length], rest[4 + length:]
    lengths = {3: 4, 4: 14, 5: 11, 6: 11, 7: 8, 8: 4, 9: 8, 12: 4}
    assert set(found) == set(range(1, 13))
    assert {kind: len(found[kind]) for kind in lengths} == lengths
    assert found[3] == b"l2tp"
    assert found[4] == bytes([192, 0, 2, 52]) + struct.pack("!5H", *[7000] * 5)


def test_peer_acknowledges_content_and_nothing_else():
    peers = tool("l2tp_peers")
    hello = struct.pack("!HHHHHH", 0xC802, 20, 7000, 0, 65535, 4) + b"\x80\x08\0\0\0\0\0\x06"
    assert peers.acknowledgement(hello) == struct.pack("!HHHHHH", 0xC802, 12, 7000, 0, 4, 0)
    assert peers.acknowledgement(hello[:12]) is None
    assert peers.acknowledgement(b"\0\x02" + hello[2:]) is None
