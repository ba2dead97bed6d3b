# SPDX-License-Identifier: GPL-2.0-or-later
"""Takeovers in a row are distinguished, on made-up evidence."""
from __future__ import annotations

import pytest
from vpnlab.evidence.result import ClientResult, ClientSeries, Event
from vpnlab.host.lab import Fault
from vpnlab.product.probes import PING_INTERVAL_S
from vpnlab.steps.takeovers import takeovers

FAULTS = [Fault(5.0, "power-off", "gw1"), Fault(8.0, "link-down", "gw3"),
          Fault(12.0, "power-off", "gw2")]
EVENTS = [Event(5.7, "gw2", "membership-lost", ""), Event(6.5, "gw2", "gate-open", ""),
          Event(12.6, "gw3", "membership-lost", ""), Event(13.0, "gw3", "gate-open", "")]


def client(*silences):
    sent = [number * PING_INTERVAL_S for number in range(int(20 / PING_INTERVAL_S))]
    pings = [(t, None if any(start < t < end for start, end in silences) else 0.0) for t in sent]
    return ClientResult("client1", "l2tp", series=ClientSeries(pings=pings))


def test_each_power_cut_has_its_silence_and_phases():
    first, second = takeovers(FAULTS, EVENTS, client((5.0, 6.5), (12.0, 13.0)))
    assert first["silence_ms"] == pytest.approx(1500, abs=40)
    assert (first["detected"], first["open"]) == (700.0, 1500.0)
    assert second["silence_ms"] == pytest.approx(1000, abs=40)
    assert (second["detected"], second["open"]) == (600.0, 1000.0)
    assert second["fenced"] is None


def test_a_silence_is_not_that_of_the_next_power_cut():
    first, second = takeovers(FAULTS, EVENTS, client((5.0, 6.0), (11.99, 13.5)))
    assert first["silence_ms"] == pytest.approx(1000, abs=40)
    assert second["silence_ms"] == pytest.approx(1500, abs=40)


def test_silence_without_end_is_none():
    first, second = takeovers(FAULTS, EVENTS, client((5.0, 30.0)))
    assert (first["silence_ms"], second["silence_ms"]) == (None, None)
