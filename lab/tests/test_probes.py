# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import pytest

from node import tcp_stream, watch
from node.probes import ping_probe
from vpnlab.product.probes import InterfaceEvent, PingCounts, parse_events, parse_pings

NODE = Path(__file__).resolve().parent.parent / "node"


def test_ping_log_is_counted():
    assert parse_pings("s 0 1\nr 0 2\ns 1 3\ne 2 4 101\n") == PingCounts(2, 1, 1)


def test_interface_events_are_read():
    text = "1500000000 new ppp0 5\n2000000000 address ppp0 5 10.0.0.1\n"
    assert parse_events(text) == [InterfaceEvent(1.5, "new", "ppp0", 5),
                                  InterfaceEvent(2.0, "address", "ppp0", 5, "10.0.0.1")]


def test_checksum_is_that_of_rfc_1071():
    assert ping_probe.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220d
    assert ping_probe.checksum(b"\xff\xff" * 3) == 0


def test_echo_request_has_a_right_checksum():
    # A checksum over the whole message, its own included, is zero.
    assert ping_probe.checksum(ping_probe.echo_request(7, 9)) == 0


@pytest.mark.parametrize("kind, identifier, expected", [(0, 7, 9), (8, 7, None), (0, 8, None)])
def test_only_replies_to_our_own_requests_count(kind, identifier, expected):
    packet = b"\x45" + bytes(19) + struct.pack("!BBHHH", kind, 0, 0, identifier, 9)
    assert ping_probe.reply_sequence(packet, 7) == expected


@pytest.mark.parametrize("kind, identifier, expected",
                         [(129, 7, 9), (128, 7, None), (129, 8, None)])
def test_of_ipv6_too(kind, identifier, expected):
    packet = struct.pack("!BBHHH", kind, 0, 0, identifier, 9)
    assert ping_probe.reply_sequence_6(packet, 7) == expected


def test_short_packet_is_no_reply():
    assert ping_probe.reply_sequence(b"\x4f" + bytes(30), 7) is None
    assert ping_probe.reply_sequence_6(bytes(7), 7) is None


def test_a_stream_that_hung_before_the_stop_may_continue_behind_it(monkeypatch):
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    for end in (ours, theirs):
        end.setblocking(False)
    stopping, clock = [False], [0.0]

    def monotonic():
        clock[0] += tcp_stream.DRAIN_LIMIT_S / 5
        stopping[0] = clock[0] > 3 * tcp_stream.DRAIN_LIMIT_S
        if clock[0] > 3.3 * tcp_stream.DRAIN_LIMIT_S:
            with contextlib.suppress(BlockingIOError):
                theirs.send(theirs.recv(1 << 16))
        return clock[0]

    monkeypatch.setattr(tcp_stream, "time", types.SimpleNamespace(monotonic=monotonic,
                                                                  time_ns=time.time_ns))
    stream = tcp_stream.Stream()
    with ours, theirs:
        tcp_stream.transfer(ours, stream, 0.02, stopping)
    assert stream.result()["intact"]


def test_records_differ_from_one_to_the_next():
    records = [tcp_stream.record(number) for number in range(30)]
    assert len(set(records)) == 30
    # Also without the number: a record in another one's place must be seen.
    assert all(a[13:] != b[13:] for a, b in zip(records, records[1:]))
    assert {len(record) for record in records} == {tcp_stream.RECORD}


def stream_after(sent, *echoes):
    stream = tcp_stream.Stream()
    stream.sent += sent
    stream.sent_total = len(sent)
    for echo in echoes:
        stream.on_echo(echo)
    return stream.result()


@pytest.mark.parametrize("sent, echoes, intact", [
    (b"abcdef", [b"abc", b"def"], True),
    (b"abcdef", [b"abc"], False),
    (b"abcdef", [b"abX", b"def"], False),
    (b"abc", [b"abcd"], False),
    (b"", [], False),
])
def test_stream_is_intact_only_if_all_came_back_unchanged(sent, echoes, intact):
    assert stream_after(sent, *echoes)["intact"] is intact


def serve_once(behaviour):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection, listener:
            behaviour(connection)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def run_stream(port, path, until):
    process = subprocess.Popen([sys.executable, str(NODE / "tcp_stream.py"), "127.0.0.1",
                                str(port), "0.01", str(path)], stdout=subprocess.PIPE)
    until(process)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=15)
    process.stdout.close()
    return json.loads(path.read_text())


def test_reset_of_the_connection_is_recorded(tmp_path):
    def reset(connection):
        connection.recv(64)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    result = run_stream(serve_once(reset), tmp_path / "r", lambda process: process.wait(10))
    assert (result["resets"], result["intact"]) == (1, False)
    assert result["errors"] == ["ECONNRESET"]


def test_refused_connection_is_recorded(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    result = run_stream(port, tmp_path / "r", lambda process: process.wait(10))
    assert (result["errors"], result["intact"]) == (["ECONNREFUSED"], False)


def test_stream_through_the_echo_server_is_intact(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, str(NODE / "echo_server.py"), str(port)],
                              stdout=subprocess.PIPE)
    try:
        assert b"listening" in server.stdout.readline()

        def half_a_second(process):
            assert b"connected" in process.stdout.readline()
            # The length of a measurement at one record in 10 ms, not a wait for something.
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                time.sleep(0.05)

        result = run_stream(port, tmp_path / "r", half_a_second)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    assert result["intact"] and result["bytes_sent"] >= 10 * tcp_stream.RECORD
    assert result["echoed"][-1][1] == result["bytes_sent"]


def attribute(kind, data):
    length = 4 + len(data)
    return struct.pack("=HH", length, kind) + data + bytes(-length % 4)


def message(kind, data):
    return struct.pack("=IHHII", 16 + len(data), kind, 0, 0, 0) + data + bytes(-len(data) % 4)


def link(name, index):
    body = struct.pack("=BxHiII", 0, 512, index, 1, 0)
    return body + attribute(watch.IFLA_IFNAME, name.encode() + b"\0")


def address(index, text):
    return struct.pack("=BBBBi", 2, 32, 0, 0, index) + attribute(watch.IFA_LOCAL,
                                                                 socket.inet_aton(text))


@pytest.fixture
def watcher(tmp_path, monkeypatch):
    class Socket:
        def __getattr__(self, name):
            return lambda *_: None

    monkeypatch.setattr(watch.socket, "socket", lambda *_: Socket())
    return watch.Watch("ppp0", str(tmp_path / "p"), str(tmp_path / "e"))


def test_watch_shows_birth_address_and_death_of_its_interface(watcher, tmp_path):
    stream = b"".join([
        message(watch.RTM_NEWLINK, link("eth0", 2)),
        message(watch.RTM_NEWADDR, address(2, "1.1.1.1")),
        message(watch.RTM_NEWLINK, link("ppp0", 5)), message(watch.RTM_NEWLINK, link("ppp0", 5)),
        message(watch.RTM_NEWADDR, address(5, "10.0.0.1")),
        message(watch.RTM_DELLINK, link("ppp0", 5)), message(watch.RTM_NEWLINK, link("ppp0", 6))])
    watcher._route.recv = lambda size: stream
    watcher._on_route()
    events = parse_events((tmp_path / "e").read_text())
    assert [(e.kind, e.index, e.address) for e in events] == [
        ("new", 5, ""), ("address", 5, "10.0.0.1"), ("gone", 5, ""), ("new", 6, "")]


def test_cut_netlink_message_is_ignored():
    assert watch.netlink_messages(struct.pack("=IHHII", 4, 16, 0, 0, 0)) == []
    assert watch.attributes(struct.pack("=HH", 2, 3)) == {}


def test_watch_keeps_packets_of_its_interface_only(watcher, tmp_path):
    for name, payload in (("outside", b"no"), ("ppp0", b"yes")):
        watcher._packets.recvmsg = lambda *_, n=name, p=payload: (
            p, [(socket.SOL_SOCKET, watch.SO_TIMESTAMPNS, struct.pack("=qq", 3, 4))], 0,
            (n, watch.ETH_P_IP, 0, 512, b""))
        watcher._on_packet()
    data = (tmp_path / "p").read_bytes()
    assert data == watch.pcap_header() + watch.pcap_record(3, 4, b"yes")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_pings_of_this_host_are_answered(tmp_path, address):
    if os.geteuid() != 0:
        # A raw socket needs root; the scenarios run the whole program in the lab.
        with pytest.raises(PermissionError):
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        return
    log = tmp_path / "log"
    process = subprocess.Popen([sys.executable, str(NODE / "probes" / "ping_probe.py"), address,
                                "0.01", str(log)])
    deadline = time.monotonic() + 10
    while not log.exists() or parse_pings(log.read_text()).answered < 20:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.terminate()
    assert process.wait(10) == 0
