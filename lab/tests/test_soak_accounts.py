# SPDX-License-Identifier: GPL-2.0-or-later
"""What must hold of the accounts of a soak, on made-up requests."""
from __future__ import annotations

import dataclasses

import pytest

from vpnlab.product.radius import CLASS, Report
from vpnlab.steps import drill
from vpnlab.steps.mixed.accounts import Session, expect_accounts, lost_percent
from vpnlab.steps.soak import Done, Drilled

KINDS = ("Start", "Interim-Update", "Interim-Update", "Stop")
COUNTED = {"Output": 40_000, "Input": 20_000}
SESSIONS = (Session("client1", "l2tp", "10.200.32.1", COUNTED),
            Session("client2", "ikev2", "10.200.64.1", COUNTED),
            Session("client4", "wireguard", "10.200.128.54", COUNTED))


def request(session: Session, number: int, kind: str, part: float) -> Report:
    """Of `session`, which has moved that part of its octets. pppd's have a Class; WireGuard's
    have no packets."""
    fields = {"Acct-Session-Id": f"{session.name}-1", "Acct-Status-Type": kind,
              "Framed-IP-Address": session.address, "Acct-Session-Time": str(10 * number),
              "Acct-Terminate-Cause": "User-Request"}
    for direction, octets in session.counted.items():
        fields |= {f"Acct-{direction}-Octets": str(round(part * octets)),
                   f"Acct-{direction}-Gigawords": "0"}
        if session.protocol != "wireguard":
            fields[f"Acct-{direction}-Packets"] = str(round(part * 100))
    if session.protocol == "l2tp":
        fields["Class"] = "0x" + CLASS.encode().hex()
    return Report(fields)


def all_reports(part: float = 1.0) -> list[Report]:
    return [request(session, number, kind, number * part / 3) for session in SESSIONS
            for number, kind in enumerate(KINDS if session.reports_end else KINDS[:-1])]


class Booked:
    """A run that only books."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def expect(self, name, observed, expected) -> None:
        if not expected.met_by(observed):
            self.failed.append(name)


def failures(reports: list[Report], lost: float = 0.0) -> list[str]:
    run = Booked()
    expect_accounts(run, SESSIONS, reports, lost)
    return run.failed


def changed(report: Report, **fields: str) -> Report:
    return Report({**report.fields, **{name.replace("_", "-"): value
                                       for name, value in fields.items()}})


def whole() -> list[Report]:
    """WireGuard's last interim has all, as the Stops of others do."""
    reports = all_reports()
    reports[-1] = request(SESSIONS[-1], 3, "Interim-Update", 1.0)
    return reports


def test_each_session_has_one_account():
    run = Booked()
    assert expect_accounts(run, SESSIONS, whole(), 0.0) == 3 and run.failed == []


def test_a_session_without_an_account_is_found():
    assert failures([each for each in whole() if each.session != "client2-1"]) == [
        "accounts", "client2_ids"]


def test_an_account_of_nobody_is_found():
    stranger = request(dataclasses.replace(SESSIONS[0], name="x", address="10.9.9.9"), 0,
                       "Start", 0)
    assert failures([*whole(), stranger]) == ["accounts", "accounts_of_nobody"]


@pytest.mark.parametrize("at, fields, name", [
    (4, {"Acct_Session_Id": "second"}, "client2_ids"),
    (7, {"Acct_Output_Octets": "30000"}, "client2_output_percent"),
    (10, {"Acct_Output_Octets": "30000"}, "client4_output_percent"),
    (10, {"Acct_Session_Time": "5"}, "client4_counters_never_go_back"),
    (10, {"Acct_Status_Type": "Stop"}, "client4_requests"),
    (9, {"Acct_Status_Type": "Start"}, "client4_starts"),
])
def test_an_account_that_is_wrong_is_found(at, fields, name):
    reports = whole()
    reports[at] = changed(reports[at], **fields)
    assert name in failures(reports)


def test_what_gateways_that_died_had_not_counted_may_be_missing():
    drilled = Drilled(0.0, 5.0, [
        Done(drill.Step(n, drill.KINDS[0], target, 0, 0, 1), "gw1", 10.0 * n)
        for n, target in enumerate((drill.PROMOTED, "standby", drill.PROMOTED), 1)], 60.0)
    assert lost_percent(drilled) == 5.0
    reports = [each if each.kind != "Stop" else changed(each, Acct_Output_Octets="38400")
               for each in whole()]
    assert failures(reports) == ["client1_output_percent", "client2_output_percent"]
    assert failures(reports, lost_percent(drilled)) == []
