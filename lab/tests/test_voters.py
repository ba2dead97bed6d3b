# SPDX-License-Identifier: GPL-2.0-or-later
"""How many voters the holder's log has, which is what scenarios wait for."""
from vpnlab.host.topology import L2TP, L2TP_2
from vpnlab.steps.voters import voters_counted

CHANGED = "2026-11-26T04:46:59.851202Z vpnhad[137]: info: voters changed event=voters"
LOG = f"""\
{CHANGED} gateway=l2tp epoch=1.1 count=3
{CHANGED} gateway=l2tp2 epoch=1.1 count=5
{CHANGED} gateway=l2tp epoch=1.1 count=4
{CHANGED} gateway=l2tp epoch=1.1 count=3
2026-11-26T04:47:02.721238Z vpnhad[137]: info: members event=members list=1,2 quorum=yes
"""


def test_the_last_change_counts():
    assert voters_counted(LOG, L2TP) == 3
    assert voters_counted(LOG.replace("count=3\n2026-11-26T04:47", "count=2\n2026-11-26T04:47"),
                          L2TP) == 2


def test_another_gateway_has_voters_of_its_own():
    assert voters_counted(LOG, L2TP_2) == 5


def test_without_a_change_nobody_knows():
    assert voters_counted("", L2TP) is None
