# SPDX-License-Identifier: GPL-2.0-or-later
"""The sample lines are those of Debian 12's corosync 3.1.7 and pacemaker 2.1.5."""
from __future__ import annotations

import time
import unittest
from datetime import datetime, timezone

from vpnlab.evidence.capture import timeline_from_logs
from vpnlab.evidence.capture_logs import line_time

COROSYNC = """\
Nov 20 09:37:45.592 [14] gw1 corosync info    [TOTEM ] A processor failed, forming new \
configuration: token timed out (300ms), waiting 360ms for consensus.
Nov 20 09:37:45.952 [14] gw1 corosync notice  [QUORUM] Sync left[1]: 3
Nov 20 09:37:45.952 [14] gw1 corosync notice  [TOTEM ] A new membership (1.d) was formed. \
Members left: 3
Nov 20 09:37:46 [14] gw1 corosync notice  [TOTEM ] A new membership (1.9) was formed. \
Members joined: 2 3
Nov 20 09:37:47.000 [14] gw1 corosync notice  [TOTEM ] A new membership (1.9) was formed. \
Members joined: 2 left: 1 3
"""
PACEMAKER = """\
Nov 20 09:37:47.036 gw1 pacemaker-schedulerd[28] (pe_fence_node) \twarning: Cluster node gw3 \
will be fenced: peer is no longer part of the cluster
Nov 20 09:37:47.040 gw1 pacemaker-controld  [29] (te_fence_node) \tnotice: Requesting fencing \
(reboot) of node gw3 | action=1 timeout=60000
Nov 20 09:37:47.056 gw2 pacemaker-fenced    [25] (finalize_op) \tnotice: Operation 'reboot' \
targeting gw3 by gw1 for pacemaker-controld.29@gw1: OK (complete) | id=a9ae9c65
Nov 20 09:37:47.057 gw2 pacemaker-fenced    [25] (finalize_op) \terror: Operation 'off' \
targeting gw3 by gw1 for pacemaker-controld.29@gw1: Error (No fence device) | id=a9ae9c65
Nov 20 09:37:47.060 gw2 pacemaker-controld  [29] (do_lrm_rsc_op) \tnotice: Requesting local \
execution of promote operation for gateway on gw2 | transition_key=10:0:0:9c op_key=x
Nov 20 09:37:47.112 gw2 pacemaker-controld  [29] (log_executor_event) \tnotice: Result of promote \
operation for gateway on gw2: ok | CIB update 26, graph action confirmed; call=14
Nov 20 09:37:47.136 gw2 pacemaker-controld  [29] (log_executor_event) \tnotice: Result of monitor \
operation for gateway on gw2: promoted | CIB update 28
Nov 20 09:37:47.200 gw2 pacemaker-controld  [29] (log_executor_event) \tnotice: Result of promote \
operation for gateway on gw2: error (lease refused) | CIB update 30
"""
VPNHAD = """\
2026-11-20T09:37:47.100250Z vpnhad[70]: info: resumed event=promoted epoch=2 sessions=1
2026-11-20T09:37:47.101000+00:00 vpnhad[70]: info: opened event=gate-open
2026-11-20T09:37:47.102000Z vpnhad[70]: debug: nothing of interest
garbage
2026-13-99T09:37:47Z vpnhad[70]: info: bad time event=demoted
"""
REFERENCE = datetime(2026, 11, 20, 9, 40, tzinfo=timezone.utc).timestamp()


class LogsTest(unittest.TestCase):
    def kinds(self, text: str) -> list[tuple[str, str]]:
        return [(event.kind, event.text)
                for event in timeline_from_logs("gw2", text, reference_t=REFERENCE)]

    def test_corosync(self) -> None:
        self.assertEqual([
            ("token-lost", "token lost, forming a new ring"),
            ("membership-lost", "node 3 left the membership"),
            ("membership-joined", "node 2 3 joined the membership"),
            ("membership-lost", "node 1 3 left the membership"),
        ], self.kinds(COROSYNC))

    def test_pacemaker(self) -> None:
        self.assertEqual([
            ("fence-requested", "fencing of gw3 requested"),
            ("fence-confirmed", "fencing of gw3 confirmed"),
            ("fence-failed", "fencing of gw3 failed"),
            ("promote-start", "promote of gateway called"),
            ("promote-done", "promote of gateway done"),
            ("promote-failed", "promote of gateway failed: error (lease refused)"),
        ], self.kinds(PACEMAKER))

    def test_vpnhad(self) -> None:
        self.assertEqual([("promoted", "resumed epoch=2 sessions=1"), ("gate-open", "opened")],
                         self.kinds(VPNHAD))
        first = timeline_from_logs("gw2", VPNHAD, reference_t=REFERENCE, clock_offset_s=2.0)[0]
        want = datetime(2026, 11, 20, 9, 37, 49, 100250, tzinfo=timezone.utc).timestamp()
        self.assertAlmostEqual(want, first.t, places=5)

    def test_the_year_is_the_one_nearest_to_the_run(self) -> None:
        reference = time.mktime((2027, 1, 1, 0, 0, 30, 0, 0, -1))
        got = line_time("Dec 31 23:59:59.500 x", reference)
        assert got is not None
        self.assertAlmostEqual(reference - 30.5, got, places=3)


if __name__ == "__main__":
    unittest.main()
