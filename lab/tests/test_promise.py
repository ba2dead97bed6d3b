# SPDX-License-Identifier: GPL-2.0-or-later
"""What counts as unnoticed, on made-up pings."""
from __future__ import annotations

import types

import pytest
from vpnlab.evidence.result import ClientResult, ClientSeries, Invariants
from vpnlab.product.probes import PING_INTERVAL_S
from vpnlab.steps.promise import (LEASE_MS, PLANNED_MS, POWER_CUT_MS, PPTP_MS, TAKEOVER_MS,
                                  expect_invariants, expect_no_gap, expect_nothing_else,
                                  expect_one_lease, expect_only_silence, expect_planned_move,
                                  worst_gap_ms, worst_pause_ms)

CALM, FAULT = (0.0, 10.0), (10.0, 20.0)


def client(*silences):
    """Answers every 15 ms for 20 s, but none from each silence's start for its length."""
    sent = [number * PING_INTERVAL_S for number in range(int(20 / PING_INTERVAL_S))]
    pings = [(t, None if any(start < t < start + length for start, length in silences) else 0.0)
             for t in sent]
    return ClientResult("client1", "l2tp", series=ClientSeries(pings=pings))


def failed(seen):
    found = {}
    run = types.SimpleNamespace(expect=lambda name, observed, expected: found.setdefault(
        name, expected.met_by(observed)))
    expect_no_gap(run, seen, CALM, FAULT)
    return [name for name, met in found.items() if not met]


def test_gap_is_the_silence_less_the_time_between_probes():
    seen = client((12.0, 0.3))
    assert worst_gap_ms(seen, FAULT) == pytest.approx(300, abs=2 * 1000 * PING_INTERVAL_S)
    assert worst_gap_ms(seen, CALM) == pytest.approx(0, abs=0.01)


def test_gap_that_only_begins_in_the_span_counts():
    assert worst_gap_ms(client((9.9, 0.4)), CALM) > 300


def paused(start, length):
    """A client that has no turn for so long, and then asks all at once what it has not asked."""
    seen = client()
    pings = [(start + length if start < t < start + length else t, rtt)
             for t, rtt in seen.series.pings]
    return ClientResult("client1", "l2tp", series=ClientSeries(pings=pings))


def test_client_that_did_not_ask_was_not_kept_waiting():
    seen = paused(12.0, 0.2)
    assert worst_gap_ms(seen, FAULT) == pytest.approx(0, abs=0.01)
    assert worst_pause_ms(seen, FAULT) == pytest.approx(200, abs=2 * 1000 * PING_INTERVAL_S)
    assert failed(seen) == []


def test_wait_counts_from_the_first_question():
    pings = [(0.0, 0.0), (0.1, 0.06), (0.115, 0.045), (0.2, 0.0)]
    seen = ClientResult("client1", "l2tp", series=ClientSeries(pings=pings))
    assert worst_gap_ms(seen, CALM) == pytest.approx(60)


def test_client_that_asked_too_little_saw_nothing():
    assert failed(paused(12.0, 0.4)) == ["client1_pause_ms"]


def test_without_answers_nothing_was_observed():
    assert worst_gap_ms(client((-1.0, 30.0)), FAULT) is None
    assert failed(client((-1.0, 30.0))) == ["client1_fault_free_gap_ms", "client1_gap_ms"]


@pytest.mark.parametrize("silences, failures", [
    ([], []),
    ([(12.0, 0.05)], []),
    ([(12.0, 0.1)], ["client1_gap_ms"]),
    ([(5.0, 0.1), (12.0, 0.15)], []),
    ([(5.0, 0.1), (12.0, 0.3)], ["client1_gap_ms"]),
    ([(5.0, 0.4), (12.0, 0.4)], ["client1_fault_free_gap_ms"]),
])
def test_gap_is_held_against_the_fault_free_time(silences, failures):
    assert failed(client(*silences)) == failures


@pytest.mark.parametrize("pause, failures", [(0.0, ["client1_gap_ms"]), (0.08, [])])
def test_busy_host_is_not_the_gateways_fault(pause, failures):
    silent = client((12.0, 0.115))
    pings = [(15.0 + pause if 15.0 < t < 15.0 + pause else t, rtt)
             for t, rtt in silent.series.pings]
    assert failed(ClientResult("client1", "l2tp", series=ClientSeries(pings=pings))) == failures


def expected_of(protocol, **invariants):
    """What the promise asks of one client of that protocol, and what it did not get."""
    found = {}
    run = types.SimpleNamespace(expect=lambda name, observed, expected: found.setdefault(
        name, expected.met_by(observed)))
    seen = ClientResult("c", protocol, tcp_intact=True, pings_sent=1000, ike_exchanges=0,
                        l2tp_setups=0, pptp_setups=0, ppp_renegotiations=0, ccp_exchanges=0,
                        auth_exchanges=0, tcp_resets=0, interface_changes=0)
    expect_nothing_else(run, seen)
    measured = types.SimpleNamespace(clients=[seen], invariants=Invariants(**invariants))
    expect_invariants(run, measured)
    return set(found), {name for name, met in found.items() if not met}


def test_promise_asks_for_all_that_a_protocol_has():
    asked, unmet = expected_of("l2tp-ipsec", esp_seq_reused=0, replays_accepted=0, cleartext_l2tp=0)
    assert {"c_ike_exchanges", "c_pptp_setups", "c_ccp_exchanges", "c_l2tp_setups",
            "esp_seq_reused", "replays_accepted", "cleartext_l2tp"} <= asked
    assert not unmet and "l2tp_ns_reused" not in asked
    asked, unmet = expected_of("ikev2", esp_seq_reused=0, replays_accepted=0)
    assert not unmet and "c_ike_exchanges" in asked
    assert not asked & {"c_l2tp_setups", "c_ppp_renegotiations", "cleartext_l2tp"}


def test_what_was_not_observed_breaks_the_promise():
    assert expected_of("l2tp")[1] == {"l2tp_ns_reused", "l2tp_ns_led"}
    assert expected_of("ikev2")[1] == {"esp_seq_reused", "replays_accepted"}
    assert expected_of("l2tp-ipsec")[1] == {"esp_seq_reused", "replays_accepted", "cleartext_l2tp"}


@pytest.mark.parametrize("protocol, given, limit", [
    ("l2tp", TAKEOVER_MS, TAKEOVER_MS), ("pptp", TAKEOVER_MS, PPTP_MS),
    ("pptp", POWER_CUT_MS, PPTP_MS), ("pptp", 100, 100)])
def test_a_takeover_of_pptp_takes_longer_and_a_planned_move_does_not(protocol, given, limit):
    found = {}
    run = types.SimpleNamespace(expect=lambda name, observed, expected: found.setdefault(
        name, expected))
    expect_only_silence(run, ClientResult("client1", protocol), given)
    assert found["client1_outage_ms"].met_by(limit)
    assert not found["client1_outage_ms"].met_by(limit + 1)


@pytest.mark.parametrize("silence_ms, failures", [(PLANNED_MS, []), (130, ["client1_gap_ms"])])
def test_a_planned_move_is_a_silence_of_100_ms(silence_ms, failures):
    found = {}
    run = types.SimpleNamespace(expect=lambda name, observed, expected: found.setdefault(
        name, expected.met_by(observed)))
    expect_planned_move(run, client((12.0, silence_ms / 1000)), CALM, FAULT)
    # The made-up client has pings alone.
    gaps = [name for name in found if name.endswith("_gap_ms")]
    assert [name for name in gaps if not found[name]] == failures
    assert {"client1_tcp_intact", "client1_l2tp_setups"} <= set(found)


@pytest.mark.parametrize("overlap_ms, reused, failures", [
    (LEASE_MS, 0, []), (LEASE_MS + 1, 0, ["vip_overlap_ms"]),
    (0, 1, ["gre_seq_reused", "mppe_index_reused"]),
    (0, None, ["gre_seq_reused", "mppe_index_reused"])])
def test_who_continues_after_a_pause_uses_no_number_twice(overlap_ms, reused, failures):
    found = {}
    run = types.SimpleNamespace(expect=lambda name, observed, expected: found.setdefault(
        name, expected.met_by(observed)))
    expect_one_lease(run, types.SimpleNamespace(
        vip=types.SimpleNamespace(overlap_ms=overlap_ms),
        clients=[ClientResult("client1", "pptp")],
        invariants=Invariants(gre_seq_reused=reused, mppe_index_reused=reused)))
    assert [name for name, met in found.items() if not met] == failures
