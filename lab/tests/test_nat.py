# SPDX-License-Identifier: GPL-2.0-or-later
"""Flows through NAT: what a gateway's table, the wire and the nodes' programs show of them."""
from __future__ import annotations

import importlib.util
import json
import socket
import struct
from pathlib import Path

from capture_packets import T0, Pcap, tcp, udp
from vpnlab.traffic import nat

NODE = Path(__file__).resolve().parent.parent / "node"
VIP, SERVER = "198.51.100.100", "198.51.100.21"


def tool(name):
    spec = importlib.util.spec_from_file_location(name, NODE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def flow(client, known_as, **more):
    return nat.Flow(6, f"{client}>{SERVER}:7", f"{SERVER}:7>{known_as}", 0x18e, 100, **more)


def test_listing_becomes_flows():
    listed = [{"protocol": 6, "original": "10.200.1.10:4>198.51.100.21:21", "reply": "a:21>b:4",
               "status": 398, "timeout_s": 9, "helper": "ftp", "adjusted_original": [7, 0, 2]}]
    found, = nat.parse_flows(json.dumps(listed))
    assert (found.helper, found.adjusted_original, found.adjusted_reply) == ("ftp", (7, 0, 2), ())


def test_flow_has_moved_when_it_is_gone_or_known_by_another_port():
    before = [flow("10.200.1.10:4", f"{VIP}:4"), flow("10.200.1.11:4", f"{VIP}:9"),
              flow("10.200.1.12:4", f"{VIP}:8")]
    after = [flow("10.200.1.10:4", f"{VIP}:4", helper="ftp"), flow("10.200.1.11:4", f"{VIP}:5")]
    assert nat.moved(before, before) == []
    assert [line.split(">")[0] for line in nat.moved(before, after)] == [
        "10.200.1.11:4", "10.200.1.12:4"]


def test_wire_shows_resets_and_sources(tmp_path):
    path = (Pcap().ip(0, tcp(VIP, SERVER, 4000, 7, 1, 0x10))
            .ip(1, tcp(VIP, SERVER, 4001, 7, 1, 0x04))
            .ip(2, tcp(VIP, SERVER, 4002, 80, 1, 0x04))
            .ip(3, udp(VIP, SERVER, 4003, 7, b"x")).write(tmp_path / "gw1-inside.pcap"))
    assert nat.resets_sent([path], 7) == 1
    assert nat.sources_seen([path], 7) == {f"{VIP}:4000", f"{VIP}:4001", f"{VIP}:4003"}
    assert nat.sources_seen([path], 7, start=T0 + 1.5) == {f"{VIP}:4003"}


def test_half_a_line_of_datagrams_is_left_for_later():
    log = "s 2000000000 198.51.100.21 9000 ask-0\nr 2500000000 198.51.100.21 9000 answer\nr 3 198"
    asked, answered = nat.datagrams(log)
    assert (asked.kind, asked.t, asked.text) == ("s", 2.0, "ask-0")
    assert answered.peer == "198.51.100.21:9000"


def test_made_up_flow_reads_as_it_was_written():
    flows = tool("flows")
    ends = list(flows.made_up("10.200.4.0/24", 60_001))[-1]
    written = flows.request(True, ends, socket.inet_aton(SERVER), socket.inet_aton(VIP), 7,
                            last=True)
    assert struct.unpack_from("I", written)[0] == len(written)
    # The kernel makes the translated reply tuple; the request has the plain one.
    assert flows.flow(written) == {
        "protocol": 6, "original": f"10.200.4.2:1024>{SERVER}:9001",
        "reply": f"{SERVER}:9001>10.200.4.2:1024", "status": 0xe, "timeout_s": 3600}
