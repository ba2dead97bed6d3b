# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions in numbers: the lines of a client, made-up sessions and their peers."""
from __future__ import annotations

import configparser
import importlib.util
import re
import socket
import struct
import threading
from pathlib import Path

from vpnlab.host.topology import IPSEC_GATEWAYS, L2TP
from vpnlab.product import crowd, ike_crowd, lines
from vpnlab.steps.sessions import dialled

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


def test_line_speaks_from_the_port_that_it_has():
    parser = configparser.ConfigParser()
    parser.read_string(crowd.caller_config("192.0.2.52", 7, "192.0.2.101", 20_007))
    assert parser["global"]["port"] == "20007"
    assert parser["global"]["listen-addr"] == "192.0.2.52"
    assert parser["lac vpn"]["lns"] == "192.0.2.101:1701"


def test_silence_of_a_line_is_its_longest_wait():
    log = ("PING 198.51.100.21 (198.51.100.21) from 10.200.132.1 ppp0: 56(84) bytes of data.\n"
           "[100.000000] 64 bytes from 198.51.100.21: icmp_seq=1 ttl=63 time=0.9 ms\n"
           "[100.050000] 64 bytes from 198.51.100.21: icmp_seq=2 ttl=63 time=0.9 ms\n"
           "[100.400000] 64 bytes from 198.51.100.21: icmp_seq=9 ttl=63 time=0.9 ms\n")
    assert [each.t for each in lines.answers_of(log, 2.0)] == [98.0, 98.05, 98.4]
    answers = lines.answers_of(log, 0.0)
    assert answers == [(100.0, 1, 0.0009), (100.05, 2, 0.0009), (100.4, 9, 0.0009)]
    assert lines.silence_ms(answers, 100.42) == 300.0
    assert lines.silence_ms(answers, 101.0) == 550.0
    assert lines.silence_ms([], 101.0) == float("inf")


def test_ping_that_was_sent_late_is_no_silence():
    answers = [lines.Answer(100.0, 1, 0.001), lines.Answer(100.5, 2, 0.02)]
    assert lines.silence_ms(answers, 100.5) == 20.0
    # Held on the way: sent in time, answered together.
    held = [lines.Answer(100.0, 1, 0.001), lines.Answer(100.4, 2, 0.35),
            lines.Answer(100.401, 3, 0.301)]
    assert lines.silence_ms(held, 100.401) == 350.0


class FakeLines:
    """Each of its lines is up when it is dialled."""

    def __init__(self, count):
        self.numbers = range(count)
        self.dialled, self.hung_up, self.connected = [], [], set()

    def up(self):
        return self.connected

    def dial(self, numbers):
        self.dialled += numbers

    def hang_up(self, numbers):
        self.hung_up += numbers


def test_few_lines_dial_at_once_and_a_late_one_again(monkeypatch):
    part = FakeLines(5)
    dialling = dialled.Dialling(part)
    clock = [100.0]
    monkeypatch.setattr(dialled.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(dialled, "AT_ONCE", 3)
    assert not dialling.is_done() and part.dialled == [0, 1, 2]
    part.connected = {0, 2}
    assert not dialling.is_done() and part.dialled == [0, 1, 2, 3, 4]
    part.connected |= {3, 4}
    clock[0] += dialled.REDIAL_S + 1
    assert not dialling.is_done() and part.hung_up == [1] and dialling.repeated == 1
    assert not dialling.is_done() and part.dialled == [0, 1, 2, 3, 4, 1]
    part.connected |= {1}
    assert not dialling.is_done()
    # xl2tpd gave the tunnel of line 3 to another one.
    part.connected -= {3}
    clock[0] += dialled.STAYED_UP_S + 1
    assert not dialling.is_done() and dialling.repeated == 2
    assert not dialling.is_done() and part.dialled == [0, 1, 2, 3, 4, 1, 3]
    part.connected |= {3}
    assert not dialling.is_done()
    clock[0] += dialled.STAYED_UP_S + 1
    assert dialling.is_done()


def documented_lengths():
    """By number of the field: a range. docs/reference/plugin-protocol.md."""
    rows = re.findall(r"^\| (\d+) [^|]*\| (\d+)(?:–(\d+))? \|",
                      (NODE.parents[1] / "docs/reference/plugin-protocol.md").read_text(),
                      re.MULTILINE)
    found = {int(kind): range(int(least), int(most or least) + 1) for kind, least, most in rows}
    return found | {4: range(1, 256)}


def test_made_up_session_has_every_field_of_the_protocol_once():
    message = tool("session_crowd").session_up("l2tp", "192.0.2.52", 7000, "10.200.9.1",
                                               "10.200.0.1")
    assert message[:4] == bytes([0, 2, 1, 0])
    found, rest = {}, message[4:]
    while rest:
        kind, length = struct.unpack_from("!HH", rest)
        assert kind not in found
        found[kind], rest = rest[4:4 + length], rest[4 + length:]
    assert set(found) == set(range(1, 13))
    ranges = documented_lengths()
    assert not [kind for kind, value in found.items() if len(value) not in ranges[kind]]
    assert len(found[4]) == 14
    assert found[3] == b"l2tp"
    assert found[4] == bytes([192, 0, 2, 52]) + struct.pack("!5H", *[7000] * 5)


def test_peer_acknowledges_content_and_nothing_else():
    peers = tool("l2tp_peers")
    hello = struct.pack("!HHHHHH", 0xC802, 20, 7000, 0, 65535, 4) + b"\x80\x08\0\0\0\0\0\x06"
    assert peers.acknowledgement(hello) == struct.pack("!HHHHHH", 0xC802, 12, 7000, 0, 4, 0)
    assert peers.acknowledgement(hello[:12]) is None
    assert peers.acknowledgement(b"\0\x02" + hello[2:]) is None


def test_peer_answers_an_echo_with_what_it_carries():
    peers = tool("l2tp_peers")
    head, echo = struct.pack("!HHH", 2, 7000, 7000) + peers.LCP, struct.pack("!BBHI", 9, 3, 12, 5)
    assert peers.echo_reply(head + echo + b"data") == (
        head + struct.pack("!BBHI", 10, 3, 12, 0) + b"data")
    assert peers.echo_reply(head + echo) is None
    assert peers.echo_reply(head + b"\5" + echo[1:] + b"data") is None
    assert peers.echo_reply(head[:8]) is None


def test_peers_that_were_spoken_to_end_at_a_pace_and_again_until_that_is_acknowledged():
    program = tool("l2tp_peers")
    first, count = 27000, 4
    peers = program.Peers(first, count)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway:
        gateway.bind(("127.0.0.1", 0))
        gateway.settimeout(5)

        def send(port, ns, nr, body=b"\x80\x08\0\0\0\0\0\x06"):
            gateway.sendto(program.HEADER.pack(0xC802, 12 + len(body), port, 0, ns, nr) + body,
                           ("127.0.0.1", port))
            peers.serve(5)
        for port in range(first, first + count - 1):
            send(port, 8, 3)
            assert gateway.recv(100) == program.HEADER.pack(0xC802, 12, port, 0, 3, 9)
        gap = 1 / program.STOPS_PER_SECOND
        assert peers.stop_some(0.0) and peers.stop_some(gap / 2) and peers.stop_some(2.01 * gap)
        sent = [gateway.recv(100) for _ in range(count - 1)]
        assert sent == [program.stop_ccn(port, 3, 9) for port in range(first, first + count - 1)]
        for port in range(first + 1, first + count - 1):
            send(port, 9, 4, b"")
        assert peers.stop_some(program.STOP_AGAIN_S - 0.1)
        assert peers.stop_some(program.STOP_AGAIN_S + 0.1)
        assert gateway.recv(100) == program.stop_ccn(first, 3, 9)
        send(first, 9, 4, b"")
        assert not peers.stop_some(program.STOP_AGAIN_S + 1)


class FakeCharon(threading.Thread):
    """Answers what is asked at a socket of the same protocol as charon's; every third attempt of a
    connection fails."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.asked = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(path)
        self._server.listen()

    def run(self):
        while True:
            connection, _ = self._server.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        attempts = 0
        while size := connection.recv(4):
            self.asked.append(connection.recv(struct.unpack("!I", size)[0]))
            attempts += 1
            word = b"no" if attempts % 3 == 0 else b"yes"
            answer = b"\1\3\7success" + struct.pack("!H", len(word)) + word
            # In two parts, as a socket may have it.
            connection.sendall(struct.pack("!I", len(answer)) + answer[:3])
            connection.sendall(answer[3:])


def test_crowd_of_ike_initiates_until_all_are_up(tmp_path, monkeypatch):
    program = tool("ike_crowd")
    charon = FakeCharon(str(tmp_path / "vici"))
    charon.start()
    monkeypatch.setattr(program, "SOCKET", str(tmp_path / "vici"))
    assert program.act("initiate", "vpn", range(20)) == 20
    assert len(charon.asked) > 20
    assert set(charon.asked) == {b"\0\x08initiate\3\5child\0\3vpn"}
    charon.asked.clear()
    assert program.act("terminate", "line{}", range(8, 11)) == 3
    assert set(charon.asked) == {b"\0\x09terminate\3\3ike\0\5line8",
                                 b"\0\x09terminate\3\3ike\0\5line9",
                                 b"\0\x09terminate\3\3ike\0\6line10"}


def test_crowd_of_ike_makes_an_sa_of_its_own_each_time():
    text = ike_crowd.crowd_connections(L2TP)
    assert "unique = never" in text and "vips = 0.0.0.0" in text
    assert "reuse_ikesa = no" in ike_crowd.SETTINGS


def test_each_line_has_an_sa_of_its_own_identity_and_port():
    first, _, third = IPSEC_GATEWAYS
    text = ike_crowd.line_connections({range(5, 7): first, range(7, 8): third}, 20_000)
    names = ["line5", "line6", "line7"]
    assert re.findall(r"^    (line\d+) \{$", text, re.MULTILINE) == names
    assert re.findall(r"^            (line\d+) \{$", text, re.MULTILINE) == names
    assert re.findall(r"id = (line\S+)@example.com", text) == names
    assert re.findall(r"udp/(2\d+)", text) == ["20005", "20006", "20007"]
    assert re.findall(r"remote_addrs = (\S+)", text) == [first.vip_outside] * 2 + [
        third.vip_outside]
    assert text.count("{") == text.count("}")


def test_answers_are_counted_before_the_cut_and_after_it(monkeypatch):
    class Part:
        def __init__(self, *answers):
            self.answers = answers

        def end_pings(self):
            return dict(enumerate(self.answers))

    steady = [lines.Answer(100 + 0.05 * n, n, 0.01) for n in range(60)]
    run = type("Run", (), {"lab": type("Lab", (), {"now": staticmethod(lambda: 102.95)})})
    lost = [each for each in steady if not 101.02 < each.t < 101.62]
    stalled = [each for each in steady if not 100.22 < each.t < 100.42]
    before, after = dialled.end_pings(
        run, [(L2TP, Part(steady, lost)), (IPSEC_GATEWAYS[1], Part(stalled))], cut=101.0)
    assert before == {L2TP.name: 0.0, IPSEC_GATEWAYS[1].name: 200.0}
    assert after == {L2TP.name: 600.0, IPSEC_GATEWAYS[1].name: 0.0}
