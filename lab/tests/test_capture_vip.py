# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from capture_packets import CLIENT, GW1_MAC, GW2_MAC, INNER, SERVER, T0, VIP, Pcap, echo, udp
from vpnlab.evidence.capture import VipAnalysis, analyse_vip, standby_frames
from vpnlab.evidence.result import OwnerChange

VIP_INSIDE = "198.51.100.100"


class VipTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = Path(scratch.name)

    def write(self, name: str, pcap: Pcap) -> Path:
        return pcap.write(self.dir / f"{name}.pcap")

    @staticmethod
    def serving(pcap: Pcap, start: float, end: float, mac: str, vip: str = VIP) -> Pcap:
        for i in range(round((end - start) / 0.1) + 1):
            pcap.ip(start + i * 0.1, udp(vip, CLIENT, 1701, 1701, b"x" * 20), mac)
        return pcap

    def analyse(self, gw1: Pcap, gw2: Pcap, **options: object) -> VipAnalysis:
        return analyse_vip({"gw1": self.write("gw1", gw1), "gw2": self.write("gw2", gw2)}, {},
                           [VIP, VIP_INSIDE], T0 + 1.0, **options)  # type: ignore[arg-type]

    def test_a_takeover_changes_the_owner_without_overlap(self) -> None:
        got = self.analyse(self.serving(Pcap(), 0.0, 1.0, GW1_MAC),
                           self.serving(Pcap(), 2.0, 4.0, GW2_MAC))
        self.assertEqual(["gw1", "gw2"], [change.node for change in got.served_by])
        self.assertAlmostEqual(T0 + 2.0, got.served_by[1].t, places=5)
        self.assertEqual((1, 0.0), (got.owners_max, got.overlap_ms))
        self.assertEqual(["gw2"], [event.node for event in got.first_frames])

    def test_two_that_speak_at_a_time_overlap(self) -> None:
        got = self.analyse(self.serving(Pcap(), 0.0, 2.5, GW1_MAC),
                           self.serving(Pcap(), 2.0, 4.0, GW2_MAC))
        self.assertEqual(2, got.owners_max)
        self.assertAlmostEqual(500.0, got.overlap_ms or 0.0, delta=0.1)

    def test_a_single_stray_frame_makes_a_second_owner(self) -> None:
        got = self.analyse(self.serving(Pcap(), 0.0, 4.0, GW1_MAC),
                           self.serving(Pcap(), 2.05, 2.05, GW2_MAC))
        self.assertEqual((2, 0.0), (got.owners_max, got.overlap_ms))

    def test_owners_of_different_addresses_do_not_overlap(self) -> None:
        got = self.analyse(self.serving(Pcap(), 0.0, 4.0, GW1_MAC),
                           self.serving(Pcap(), 0.0, 4.0, GW2_MAC, VIP_INSIDE))
        self.assertEqual((1, 0.0), (got.owners_max, got.overlap_ms))

    def test_an_owner_that_returns_is_listed_again(self) -> None:
        gw1 = self.serving(self.serving(Pcap(), 0.0, 1.0, GW1_MAC), 8.0, 9.0, GW1_MAC)
        got = self.analyse(gw1, self.serving(Pcap(), 3.0, 6.0, GW2_MAC))
        self.assertEqual(["gw1", "gw2", "gw1"], [change.node for change in got.served_by])

    def test_gratuitous_arp_is_speaking(self) -> None:
        got = self.analyse(self.serving(Pcap(), 0.0, 1.0, GW1_MAC),
                           Pcap().arp(2.0, VIP, GW2_MAC))
        self.assertEqual(["gw1", "gw2"], [change.node for change in got.served_by])

    def test_frames_of_other_nodes_at_a_tap_are_not_the_nodes_own(self) -> None:
        macs = {"gw1": [GW1_MAC.upper()], "gw2": [GW2_MAC]}
        gw2 = self.serving(self.serving(Pcap(), 0.0, 1.0, GW1_MAC), 2.0, 3.0, GW2_MAC)
        got = self.analyse(self.serving(Pcap(), 0.0, 1.0, GW1_MAC), gw2, macs=macs)
        self.assertEqual((1, 2), (got.owners_max, len(got.served_by)))

    def test_nobody_seen_is_not_observed(self) -> None:
        got = self.analyse(Pcap(), Pcap())
        self.assertEqual((None, None, []), (got.owners_max, got.overlap_ms, got.served_by))

    def test_an_unpromoted_node_may_not_speak_for_pool_or_vip(self) -> None:
        owners = [OwnerChange(T0, "gw1"), OwnerChange(T0 + 2.0, "gw2")]
        gw1 = Pcap().ip(1.0, echo(INNER, SERVER, 1), GW1_MAC).ip(3.0, echo(INNER, SERVER, 2),
                                                                 GW1_MAC)
        gw2 = Pcap().arp(1.0, VIP, GW2_MAC).ip(1.9, echo(INNER, SERVER, 1), GW2_MAC)
        gw2.ip(1.0, echo("192.0.2.2", SERVER, 1), GW2_MAC)
        stray = standby_frames({"gw1": [self.write("gw1", gw1)], "gw2": [self.write("gw2", gw2)]},
                               [VIP, "10.200.0.0/24"], owners)
        self.assertEqual([("gw2", f"ARP from {VIP} while unpromoted"),
                          ("gw1", f"IP from {INNER} while unpromoted")],
                         [(event.node, event.text) for event in stray])


if __name__ == "__main__":
    unittest.main()
