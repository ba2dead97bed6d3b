# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import random
import tempfile
import unittest
from pathlib import Path
from typing import Any

from capture_packets import (
    CLIENT, INNER, SERVER, T0, VIP, Pcap, avp, conf_req, echo, gre, ike, ip, l2tp_control,
    l2tp_data, ppp, tcp, udp,
)
from vpnlab.evidence.capture import analyse_client
from vpnlab.evidence.capture_decode import (DLT_EN10MB, DLT_PPP, Icmp, L2tp, decode_frame,
                                            decode_l2tp, decode_ppp, read_capture)
from vpnlab.evidence.result import ClientResult

INTERVAL = 0.02
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


class CaptureCase(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = Path(scratch.name)

    def analyse(self, outside: Pcap, t_fault: float | None = 1.0, tunnels: tuple[Pcap, ...] = (),
                **options: Any) -> ClientResult:
        paths = [pcap.write(self.dir / f"tunnel{i}.pcap") for i, pcap in enumerate(tunnels)]
        if options.get("t_end") is not None:
            options["t_end"] += T0
        return analyse_client(
            outside.write(self.dir / "outside.pcap"), paths,
            None if t_fault is None else T0 + t_fault, CLIENT, SERVER, VIP,
            options.pop("log_files", []), name="client1", protocol="l2tp",
            probe_interval_s=INTERVAL, **options)


def probes(pcap: Pcap, start: float, end: float, *, first_seq: int = 0, answered: bool = True,
           step: float = INTERVAL) -> int:
    """Adds probes from `start` to before `end`; returns the number after the last one's."""
    count = round((end - start) / step)
    for i in range(count):
        pcap.ping(start + i * step, first_seq + i, 0.001 if answered else None)
    return first_seq + count


class DecodeTest(CaptureCase):
    def test_finds_the_probe_under_every_header_that_l2tp_and_ppp_allow(self) -> None:
        inner = echo(INNER, SERVER, 3)
        for header in ("plain", "length", "sequence", "offset"):
            for acfc in (False, True):
                for pfc in (False, True):
                    with self.subTest(header=header, acfc=acfc, pfc=pfc):
                        frame = ppp(0x21, inner, acfc=acfc, pfc=pfc)
                        packet = decode_l2tp(l2tp_data(frame, header=header))
                        assert packet and packet.ppp and packet.ppp.inner
                        self.assertEqual(Icmp(False, 7, 3), packet.ppp.inner.upper)

    def test_reads_each_link_type_and_both_resolutions(self) -> None:
        for link in (1, 12, 101, 113, 276):
            for nanoseconds in (False, True):
                with self.subTest(link=link, nanoseconds=nanoseconds):
                    path = Pcap(link, nanoseconds=nanoseconds).ip(0.25, echo(INNER, SERVER, 9)) \
                        .write(self.dir / "x.pcap")
                    frame, = read_capture(path).frames
                    assert frame.ip
                    self.assertEqual(Icmp(False, 7, 9), frame.ip.upper)
                    self.assertAlmostEqual(T0 + 0.25, frame.t, places=6)

    def test_reads_control_messages(self) -> None:
        packet = decode_l2tp(l2tp_control(0, 0, 0, avp(0, 1) + avp(9, 77)))
        assert isinstance(packet, L2tp)
        self.assertEqual((True, 1, 77, 0), (packet.control, packet.message,
                                            packet.assigned_tunnel, packet.ns))

    def test_an_avp_of_length_zero_ends_the_message(self) -> None:
        packet = decode_l2tp(l2tp_control(1, 0, 0, b"\x80\x00" + avp(0, 1)[2:]))
        assert packet
        self.assertIsNone(packet.message)

    def test_a_capture_cut_off_in_its_last_packet_keeps_the_others(self) -> None:
        path = Pcap().ping(0.0, 1).ping(0.1, 2).write(self.dir / "cut.pcap", cut_bytes=10)
        icmps = [f.ip.upper.ppp.inner for f in read_capture(path).frames
                 if f.ip and isinstance(f.ip.upper, L2tp) and f.ip.upper.ppp]
        self.assertGreaterEqual(len(icmps), 3)

    def test_no_bytes_make_the_decoder_raise(self) -> None:
        samples = [
            udp(CLIENT, VIP, 1701, 1701, l2tp_data(ppp(0x21, echo(INNER, SERVER, 1)))),
            udp(CLIENT, VIP, 1701, 1701, l2tp_control(0, 0, 0, avp(0, 1) + avp(9, 77))),
            udp(CLIENT, VIP, 4500, 4500, b"\0\0\0\0" + ike(34)),
            ip(CLIENT, VIP, 47, gre(1, 2, ppp(0xC021, conf_req()))),
            tcp(CLIENT, VIP, 5000, 1723, 1, SYN),
        ]
        rng = random.Random(1)
        for sample in samples:
            frame = b"\0" * 12 + b"\x08\x00" + sample
            for cut in range(len(frame)):
                decode_frame(0.0, DLT_EN10MB, frame[:cut])
            for _ in range(500):
                noisy = bytearray(frame)
                for _ in range(3):
                    noisy[rng.randrange(len(noisy))] = rng.randrange(256)
                decode_frame(0.0, DLT_EN10MB, bytes(noisy))
                decode_frame(0.0, DLT_PPP, bytes(noisy))
        self.assertIsNone(decode_ppp(b"\xff\x03"))


class OutageTest(CaptureCase):
    def test_the_gap_that_begins_with_the_last_answer_before_the_fault_counts(self) -> None:
        pcap = Pcap()
        seq = probes(pcap, 0.0, 1.0)
        seq = probes(pcap, 1.0, 2.2, first_seq=seq, answered=False)
        probes(pcap, 2.2, 3.0, first_seq=seq)
        got = self.analyse(pcap)
        # Last answer at 0.981, next at 2.201.
        self.assertAlmostEqual(1200.0, got.outage_ms, delta=0.01)
        self.assertAlmostEqual(0.0, got.baseline_gap_ms, delta=0.01)
        self.assertEqual((100, 60), (got.pings_sent, got.pings_lost))
        assert got.series.outage
        self.assertAlmostEqual(T0 + 0.981, got.series.outage[0], places=5)

    def test_numbers_that_begin_anew_are_other_probes(self) -> None:
        """A prober has 16 bits: at 66 probes a second they last for a quarter of an hour."""
        pcap = Pcap()
        probes(pcap, 0.0, 1.0)
        probes(pcap, 100.0, 101.0)
        got = self.analyse(pcap, t_fault=None)
        self.assertEqual((100, 0), (got.pings_sent, got.pings_lost))

    def test_an_answer_that_comes_late_ends_the_silence_when_it_comes(self) -> None:
        pcap = Pcap()
        seq = probes(pcap, 0.0, 1.0)
        pcap.ping(1.0, seq, rtt=0.8)
        got = self.analyse(pcap)
        self.assertAlmostEqual(1.8 * 1000 - 981 - 20, got.outage_ms, delta=0.01)

    def test_a_silence_before_the_fault_is_the_baseline_only(self) -> None:
        pcap = Pcap()
        seq = probes(pcap, 0.0, 0.4)
        seq = probes(pcap, 0.4, 0.7, first_seq=seq, answered=False)
        probes(pcap, 0.7, 1.5, first_seq=seq)
        got = self.analyse(pcap)
        self.assertAlmostEqual(300.0, got.baseline_gap_ms, delta=0.01)
        self.assertAlmostEqual(0.0, got.outage_ms, delta=0.01)
        self.assertEqual(0, got.pings_lost)

    def test_without_any_answer_the_outage_lasts_to_the_end_of_the_capture(self) -> None:
        pcap = Pcap()
        seq = probes(pcap, 0.0, 1.0)
        probes(pcap, 1.0, 5.0, first_seq=seq, answered=False)
        pcap.ip(61.0, udp(CLIENT, VIP, 1701, 1701, b"x"))
        got = self.analyse(pcap)
        self.assertAlmostEqual((61.0 - 0.981 - 0.02) * 1000, got.outage_ms, delta=0.01)
        self.assertIn("no-answer", [note.kind for note in got.notes])

    def test_an_answer_under_way_when_the_gateway_died_does_not_end_the_silence(self) -> None:
        pcap = Pcap()
        seq = probes(pcap, 0.0, 1.02)
        probes(pcap, 1.02, 3.0, first_seq=seq, answered=False)
        pcap.ip(61.0, udp(CLIENT, VIP, 1701, 1701, b"x"))
        got = self.analyse(pcap)
        self.assertFalse(got.series.answered_again)
        self.assertAlmostEqual((61.0 - 1.001 - 0.02) * 1000, got.outage_ms, delta=0.01)

    def test_probes_that_continue_unanswered_to_the_end_are_silence(self) -> None:
        pcap = Pcap()
        seq = probes(pcap, 0.0, 1.5)
        probes(pcap, 1.5, 4.0, first_seq=seq, answered=False)
        got = self.analyse(pcap)
        self.assertAlmostEqual(2300.0, got.outage_ms, delta=100.0)

    def test_the_end_of_probing_is_no_silence(self) -> None:
        pcap = Pcap()
        probes(pcap, 0.0, 1.5)
        pcap.ip(9.0, udp(CLIENT, VIP, 1701, 1701, b"x"))
        self.assertAlmostEqual(0.0, self.analyse(pcap).outage_ms, delta=0.01)

    def test_a_probe_in_flight_at_the_end_is_not_lost(self) -> None:
        pcap = Pcap()
        seq = probes(pcap, 0.0, 1.5)
        pcap.ping(1.5, seq, None)
        self.assertEqual(0, self.analyse(pcap).pings_lost)

    def test_probes_that_never_reached_the_wire_are_sent_and_lost(self) -> None:
        pcap = Pcap()
        probes(pcap, 0.0, 1.0)
        probes(pcap, 2.0, 3.0, first_seq=100)
        got = self.analyse(pcap)
        self.assertEqual((100, 50), (got.pings_sent, got.pings_lost))

    def test_probe_numbers_may_wrap(self) -> None:
        pcap = Pcap()
        for i in range(100):
            pcap.ping(i * INTERVAL, (65500 + i) % 65536)
        got = self.analyse(pcap)
        self.assertEqual((50, 0), (got.pings_sent, got.pings_lost))

    def test_without_a_fault_all_of_the_run_is_the_baseline(self) -> None:
        pcap = Pcap()
        seq = probes(pcap, 0.0, 1.0)
        probes(pcap, 1.1, 2.0, first_seq=seq)
        got = self.analyse(pcap, t_fault=None)
        self.assertIsNone(got.outage_ms)
        self.assertAlmostEqual(100.0, got.baseline_gap_ms, delta=0.01)
        self.assertEqual(95, got.pings_sent)

    def test_what_follows_the_end_of_the_observation_does_not_count(self) -> None:
        pcap = Pcap()
        seq = probes(pcap, 0.0, 2.0)
        probes(pcap, 2.0, 4.0, first_seq=seq, answered=False)
        pcap.control(3.0, l2tp_control(0, 0, 0, avp(0, 1) + avp(9, 77)))
        got = self.analyse(pcap, t_end=2.0)
        self.assertEqual(0, got.l2tp_setups)
        self.assertAlmostEqual(0.0, got.outage_ms, delta=0.01)
        self.assertEqual(0, got.pings_lost)

    def test_encrypted_probes_come_from_the_tunnel_capture_with_its_offset(self) -> None:
        outside, tunnel = Pcap(), Pcap(link=113)
        outside.ip(0.0, ip(CLIENT, VIP, 50, b"\0\0\0\1\0\0\0\1")).ip(
            3.0, ip(CLIENT, VIP, 50, b"\0\0\0\1\0\0\0\2"))
        for i in range(150):
            t = i * INTERVAL
            tunnel.ip(t - 100.0, echo(INNER, SERVER, i))
            if not 1.0 <= t < 1.5:
                tunnel.ip(t - 100.0 + 0.001, echo(SERVER, INNER, i, reply=True))
        got = self.analyse(outside, tunnels=(tunnel,), clock_offset_s=100.0)
        self.assertAlmostEqual(500.0, got.outage_ms, delta=0.01)
        self.assertIsNone(got.ppp_renegotiations)
        self.assertIsNone(got.l2tp_setups)

    def test_a_probe_in_both_captures_counts_once(self) -> None:
        outside, tunnel = Pcap(), Pcap(link=113)
        probes(outside, 0.0, 2.0)
        for i in range(100):
            tunnel.ip(i * INTERVAL + 0.3, echo(INNER, SERVER, i))
            tunnel.ip(i * INTERVAL + 0.4, echo(SERVER, INNER, i, reply=True))
        got = self.analyse(outside, tunnels=(tunnel,))
        self.assertEqual((50, 0), (got.pings_sent, got.pings_lost))
        self.assertTrue(all(rtt is not None and rtt < 0.002 for _, rtt in got.series.pings))

    def test_no_round_trip_mixes_the_clocks_of_two_captures(self) -> None:
        outside, tunnel = Pcap(), Pcap(link=113)
        outside.ping(1.5, 1, None).ping(3.0, 2)
        tunnel.ip(1.4, echo(INNER, SERVER, 1)).ip(1.401, echo(SERVER, INNER, 1, reply=True))
        self.assertEqual(1, self.analyse(outside, tunnels=(tunnel,)).pings_lost)

    def test_an_empty_capture_observes_nothing(self) -> None:
        got = self.analyse(Pcap())
        self.assertIsNone(got.pings_sent)
        self.assertIsNone(got.l2tp_setups)


CHALLENGE = b"\x01\x05\x00\x08abcd"


class CountsTest(CaptureCase):
    CASES: tuple[tuple[str, str, int, Any], ...] = (
        ("an SCCRQ sent three times is one setup", "l2tp_setups", 1, lambda p, t: [
            p.control(t + i, l2tp_control(0, 0, 0, avp(0, 1) + avp(9, 77))) for i in range(3)]),
        ("a second dial is a second setup", "l2tp_setups", 2, lambda p, t: [
            p.control(t + i, l2tp_control(0, 0, 0, avp(0, 1) + avp(9, 77 + i))) for i in (0, 1)]),
        ("a HELLO is no setup", "l2tp_setups", 0, lambda p, t: [
            p.control(t, l2tp_control(5, 2, 2, avp(0, 6)))]),
        ("LCP and IPCP requests of both sides", "ppp_renegotiations", 3, lambda p, t: [
            p.framed(t, ppp(0xC021, conf_req())),
            p.framed(t, ppp(0xC021, conf_req()), from_client=False),
            p.framed(t, ppp(0x8021, conf_req()))]),
        ("LCP echo is no renegotiation", "ppp_renegotiations", 0, lambda p, t: [
            p.framed(t, ppp(0xC021, b"\x09\x01\x00\x08abcd"))]),
        ("a challenge sent again is one authentication", "auth_exchanges", 1, lambda p, t: [
            p.framed(t + i, ppp(0xC223, CHALLENGE), from_client=False) for i in (0, 1)]),
        ("PAP and EAP", "auth_exchanges", 2, lambda p, t: [
            p.framed(t, ppp(0xC023, CHALLENGE)), p.framed(t, ppp(0xC227, CHALLENGE))]),
        ("CCP requests and resets", "ccp_exchanges", 2, lambda p, t: [
            p.framed(t, ppp(0x80FD, conf_req())),
            p.framed(t, ppp(0x80FD, b"\x0e\x01\x00\x04"))]),
        ("LCP inside GRE", "ppp_renegotiations", 1, lambda p, t: [
            p.ip(t, ip(CLIENT, VIP, 47, gre(9, 1, ppp(0xC021, conf_req()))))]),
        ("SYN to PPTP, sent again", "pptp_setups", 1, lambda p, t: [
            p.ip(t + i, tcp(CLIENT, VIP, 4000, 1723, 99, SYN)) for i in (0, 1)]),
        ("the SYN-ACK is no setup", "pptp_setups", 0, lambda p, t: [
            p.ip(t, tcp(VIP, CLIENT, 1723, 4000, 99, SYN | ACK))]),
        ("RST on PPTP's control connection", "tcp_resets", 1, lambda p, t: [
            p.ip(t, tcp(VIP, CLIENT, 1723, 4000, 99, RST))]),
        ("RST inside the tunnel", "tcp_resets", 2, lambda p, t: [
            p.tunnelled(t, tcp(SERVER, INNER, 7, 4000, 99, RST), from_client=False),
            p.tunnelled(t, tcp(INNER, SERVER, 4000, 7, 99, RST | ACK))]),
        ("RST behind both FINs", "tcp_resets", 0, lambda p, t: [
            p.tunnelled(t, tcp(INNER, SERVER, 4000, 7, 99, FIN | ACK)),
            p.tunnelled(t, tcp(SERVER, INNER, 7, 4000, 99, FIN | ACK), from_client=False),
            p.tunnelled(t, tcp(SERVER, INNER, 7, 4000, 99, RST), from_client=False)]),
        ("RST behind one FIN", "tcp_resets", 1, lambda p, t: [
            p.tunnelled(t, tcp(INNER, SERVER, 4000, 7, 99, FIN | ACK)),
            p.tunnelled(t, tcp(SERVER, INNER, 7, 4000, 99, RST), from_client=False)]),
        ("RST outside, of somebody else", "tcp_resets", 0, lambda p, t: [
            p.ip(t, tcp("192.0.2.77", CLIENT, 1723, 4000, 99, RST)),
            p.ip(t, tcp(VIP, CLIENT, 22, 4000, 99, RST))]),
        ("main mode counts once, quick mode once", "ike_exchanges", 2, lambda p, t: [
            p.ip(t, udp(CLIENT, VIP, 500, 500, ike(2))),
            p.ip(t, udp(VIP, CLIENT, 500, 500, ike(2))),
            p.ip(t, udp(CLIENT, VIP, 4500, 4500, b"\0\0\0\0" + ike(32, 9)))]),
        ("IKEv2 setup", "ike_exchanges", 3, lambda p, t: [
            p.ip(t, udp(CLIENT, VIP, 4500, 4500, b"\0\0\0\0" + ike(kind, kind)))
            for kind in (34, 35, 36)]),
        ("dead peer detection and keepalives", "ike_exchanges", 0, lambda p, t: [
            p.ip(t, udp(CLIENT, VIP, 500, 500, ike(5, 1))),
            p.ip(t, udp(CLIENT, VIP, 4500, 4500, b"\0\0\0\0" + ike(37, 1))),
            p.ip(t, udp(CLIENT, VIP, 4500, 4500, b"\xff"))]),
    )

    def test_counts_after_the_fault(self) -> None:
        for name, figure, expected, build in self.CASES:
            with self.subTest(name):
                pcap = Pcap().ping(0.0, 1)
                build(pcap, 2.0)
                self.assertEqual(expected, getattr(self.analyse(pcap), figure))

    def test_what_came_before_the_fault_does_not_count(self) -> None:
        for name, figure, _, build in self.CASES:
            with self.subTest(name):
                pcap = Pcap()
                build(pcap, 0.0)
                pcap.ping(9.0, 1)
                self.assertEqual(0, getattr(self.analyse(pcap, t_fault=8.0), figure))

    def test_the_last_retransmission_of_an_old_setup_is_no_new_one(self) -> None:
        sccrq = l2tp_control(0, 0, 0, avp(0, 1) + avp(9, 77))
        pcap = Pcap().control(0.5, sccrq).control(1.5, sccrq)
        self.assertEqual(0, self.analyse(pcap, t_fault=1.0).l2tp_setups)

    def test_what_ipsec_hides_is_counted_from_the_clients_log(self) -> None:
        log = self.dir / "pppd.log"
        log.write_text(
            "2026-09-21T13:33:19.000+00:00 client1 pppd[9]: sent [LCP ConfReq id=0x1]\n"
            "2026-09-21T14:13:25.000+00:00 client1 pppd[9]: sent [LCP ConfReq id=0x1]\n"
            "2026-09-21T14:13:25.100+00:00 client1 pppd[9]: rcvd [LCP ConfAck id=0x1]\n"
            "2026-09-21T14:13:25.200+00:00 client1 pppd[9]: rcvd [CHAP Challenge id=0x1]\n"
            "2026-09-21T14:13:25.300+00:00 client1 pppd[9]: sent [IPCP ConfReq id=0x1]\n"
            "2026-09-21T14:13:25.400+00:00 client1 xl2tpd[8]: Connecting to host 192.0.2.100\n")
        pcap = Pcap().ip(0.0, ip(CLIENT, VIP, 50, b"\0\0\0\1\0\0\0\1"))
        got = self.analyse(pcap, log_files=[log])
        self.assertEqual((2, 1, 0, 1), (got.ppp_renegotiations, got.auth_exchanges,
                                        got.ccp_exchanges, got.l2tp_setups))

    def test_the_stream_counts_new_bytes_of_the_server_only(self) -> None:
        pcap = Pcap()
        for t, seq in ((0.1, 4294967290), (0.2, 4), (0.3, 4294967290), (0.4, 14)):
            pcap.tunnelled(t, tcp(SERVER, INNER, 7, 4000, seq, ACK, b"x" * 10), from_client=False)
        pcap.tunnelled(0.5, tcp(INNER, SERVER, 4000, 7, 1, ACK, b"y" * 10))
        got = self.analyse(pcap, stream={"bytes_sent": 40, "bytes_echoed": 30, "intact": True})
        self.assertEqual([10, 20, 30], [count for _, count in got.series.tcp_echoed])
        self.assertEqual((40, 30, True),
                         (got.tcp_bytes_sent, got.tcp_bytes_echoed, got.tcp_intact))

    def test_bytes_that_both_captures_show_count_once(self) -> None:
        outside, tunnel = Pcap(), Pcap(link=113)
        hidden = Pcap().ip(0.0, ip(CLIENT, VIP, 50, b"\0\0\0\1\0\0\0\1"))
        for i in range(4):
            segment = tcp(SERVER, INNER, 7, 4000, 91 + 10 * i, ACK, b"x" * 10) if i else \
                tcp(SERVER, INNER, 7, 4000, 100, SYN | ACK)
            outside.tunnelled(0.1 * i, segment, from_client=False)
            tunnel.ip(0.1 * i + 0.001, segment)
        for name, capture in (("clear", outside), ("encrypted", hidden)):
            with self.subTest(name):
                got = self.analyse(capture, tunnels=(tunnel,))
                self.assertEqual([10, 20, 30], [count for _, count in got.series.tcp_echoed])


if __name__ == "__main__":
    unittest.main()
