# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers of commands beside their schemas."""
from __future__ import annotations

import copy

from vpnlab.steps.operated import schema_faults

EVENT = {"sequence": 7, "time": "2026-11-24T20:00:00.123456Z", "level": "info", "event": "started",
         "fields": {"gateway": "dialin"}, "text": "started event=started"}


def test_what_fits_has_no_fault():
    assert not schema_faults("event", EVENT)


def test_what_is_missing_or_of_another_kind_is_named():
    seen = copy.deepcopy(EVENT)
    del seen["level"]
    seen["fields"]["gateway"] = 5
    assert sorted(schema_faults("event", seen)) == [
        "/: 'level' is a required property", "/fields/gateway: 5 is not of type 'string'"]


def test_more_than_the_schema_has_is_no_fault():
    assert not schema_faults("event", {**EVENT, "more": 1})
