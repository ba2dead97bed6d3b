# SPDX-License-Identifier: GPL-2.0-or-later
"""The turns of a takeover, of the gateway that it is about, on made-up evidence."""
from __future__ import annotations

import pytest
from vpnlab.evidence.result import ClientResult, ClientSeries, Event
from vpnlab.host.topology import L2TP, L2TP_2
from vpnlab.product.probes import PING_INTERVAL_S
from vpnlab.steps.stand_in_rounds import Round, figures

EVENTS = [Event(5.35, "gw3", "stand-in-asks", "asks gateway=l2tp epoch=1.2"),
          Event(5.38, "gw3", "stand-in", "stands in gateway=l2tp epoch=1.2"),
          Event(5.3, "gw2", "gate-open", "gate opened gateway=l2tp2 epoch=1.2"),
          Event(5.39, "gw3", "gate-open", "gate opened gateway=l2tp epoch=1.2"),
          Event(6.4, "gw2", "promoted", "now promoted gateway=l2tp epoch=3.2"),
          Event(9.0, "gw2", "stand-in-confirmed", "later gateway=l2tp epoch=3.2")]


def client(start: float, end: float) -> ClientResult:
    sent = [number * PING_INTERVAL_S for number in range(int(20 / PING_INTERVAL_S))]
    return ClientResult("client1", "l2tp", series=ClientSeries(pings=[
        (t, None if start < t < end else 0.0) for t in sent]))


def test_a_round_has_the_turns_of_its_gateway_only():
    found = figures(Round(L2TP, 5.0, 8.0, 1.5), EVENTS, client(5.0, 5.4))
    assert found["silence_ms"] == pytest.approx(400, abs=40)
    assert found == {"stands_in": True, "silence_ms": found["silence_ms"], "asks": 350,
                     "serves": 380, "open": 390, "announced": None, "promoted": 1400,
                     "handed_over": True, "stolen_percent": 1.5}


def test_who_waits_for_pacemaker_is_not_handed_over():
    found = figures(Round(L2TP_2, 5.0, 8.0), EVENTS, client(5.0, 5.3))
    assert (found["stands_in"], found["open"], found["handed_over"]) == (False, 300, False)
