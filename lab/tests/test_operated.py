# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers of commands beside the documented ones."""
from __future__ import annotations

import copy

import pytest

from vpnlab.steps.operated import documented, shape_faults


@pytest.mark.parametrize("verb", ["status", "sessions", "peers", "gate", "events", "plan"])
def test_each_verb_has_an_example(verb):
    example = documented(verb)
    assert example and list(shape_faults(example, example)) == []


def test_what_is_missing_is_named():
    status = documented("status")
    seen = copy.deepcopy(status)
    del seen["gateways"][0]["records"]["lag_ms"]
    assert list(shape_faults(status, seen)) == ["/gateways/0/records/lag_ms is missing"]


def test_another_kind_of_value_is_a_fault():
    assert list(shape_faults({"a": 1, "b": True, "c": "x"}, {"a": "1", "b": 1, "c": True})) == [
        '/a is "1", not like 1', "/b is 1, not like true", '/c is true, not like "x"']
    assert list(shape_faults({"a": 1.5}, {"a": 2})) == []


def test_more_than_the_example_is_no_fault():
    assert list(shape_faults({"a": [{"b": 1}]}, {"a": [], "more": 1})) == []
    assert list(shape_faults({"a": None, "counters": {"x": 1}},
                             {"a": {"b": 1}, "counters": {}})) == []
    assert list(shape_faults([], [1, "a"])) == []


def test_each_entry_of_a_list_has_what_all_of_the_example_have():
    assert list(shape_faults({"a": [1]}, {"a": [1, "2"]})) == ['/a/1 is "2", not like 1']
    assert list(shape_faults([{"a": 1, "b": 2}, {"a": 1}], [{"a": 1}, {"b": 1}])) == [
        "/1/a is missing"]


def test_what_a_gateway_does_not_serve_may_be_missing():
    assert list(shape_faults({"wireguard": {"peers": 1}}, {})) == []
    assert list(shape_faults({"wireguard": {"peers": 1}}, {"wireguard": {}})) == [
        "/wireguard/peers is missing"]
