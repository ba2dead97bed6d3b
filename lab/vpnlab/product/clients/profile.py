# SPDX-License-Identifier: GPL-2.0-or-later
"""Profiles of real clients: lab/clients.toml as values.

Each value of a profile has a source mark. A player has settings: each is a value of the profile, or
one that the lab has chosen because nothing is known. A file with mistakes is refused, with all of
them.
"""
from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...host.errors import LabError

FILE = Path(__file__).resolve().parents[3] / "clients.toml"
MARKS = {"src": "read in the client's source", "doc": "in a document of the vendor",
         "thread": "in a public thread", "mem": "remembered"}
PROTOCOLS = ("ikev2", "ikev1-xauth", "l2tp", "l2tp-ipsec", "pptp")
# What a client was doing when its gateway lost its power.
MOMENTS = ("rekey", "hello")
# Tables of values.
TABLES = ("ike", "child", "l2tp", "ppp", "control", "gre", "mppe", "network", "stall", "redial")
TEXTS, NUMBER, TRUTH, TEXT = "a list of texts", "a number", "true or false", "a text"
# What the players can be set to. Where a client has no such timer, `false` stands for 0.
SETTINGS = {
    "ike_proposals": TEXTS, "esp_proposals": TEXTS, "selector": TEXT, "mobike": TRUTH,
    "ike_rekey_s": NUMBER, "child_rekey_s": NUMBER, "inactivity_s": NUMBER, "dpd_s": NUMBER,
    "retransmit_timeout_s": NUMBER, "retransmit_base": NUMBER, "retransmit_tries": NUMBER,
    "source_port": NUMBER, "header_bits": TEXTS, "hello_s": NUMBER,
    "mtu": NUMBER, "mru": NUMBER, "vj": TRUTH, "lcp_echo_s": NUMBER, "lcp_echo_failures": NUMBER,
    "lcp_echo_only_when_silent": TRUTH, "offers_mplscp": TRUTH, "ccp_terminate": TEXT,
}


class BadProfiles(LabError):
    """The file of profiles has mistakes; the text has a line for each."""


@dataclasses.dataclass(frozen=True)
class Play:
    """How the lab plays a client. `settings`: of the player. `taken`: of which value of the client
    each is. `chosen`: those that are no values of the client."""

    scenario: str
    by: tuple[str, ...]
    moment: str
    behind_nat: bool
    not_played: tuple[str, ...]
    settings: Mapping[str, Any]
    taken: Mapping[str, str]
    chosen: frozenset[str]

    def number(self, setting: str, otherwise: float = 0) -> float:
        return self.settings.get(setting, otherwise) or 0

    def texts(self, setting: str, otherwise: Sequence[str] = ()) -> Sequence[str]:
        return self.settings.get(setting, otherwise)


@dataclasses.dataclass(frozen=True)
class Profile:
    """One client. `values`: by "table.key"."""

    key: str
    name: str
    protocol: str
    mark: str
    marks: Mapping[str, str]
    values: Mapping[str, Any]
    unknown: tuple[str, ...]
    play: Play | None

    def mark_of(self, value: str) -> str:
        return self.marks.get(value, self.mark)


def profiles(path: Path = FILE) -> dict[str, Profile]:
    """By their keys; an error that names every mistake of the file."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadProfiles(f"{path}: {error}") from error
    mistakes = [f"{path}: [{key}]: {mistake}" for key, table in tables.items()
                for mistake in _mistakes(table)]
    scenarios = [table["play"]["scenario"] for table in tables.values()
                 if "scenario" in table.get("play", {})]
    mistakes += [f"{path}: scenario {name} plays more than one client: give each its own"
                 for name in sorted(set(scenarios)) if scenarios.count(name) > 1]
    if mistakes:
        raise BadProfiles("\n".join(mistakes))
    return {key: _profile(key, table) for key, table in tables.items()}


def _profile(key: str, table: Mapping[str, Any]) -> Profile:
    values = _values(table)
    return Profile(key, table["name"], table["protocol"], table["mark"], table.get("marks", {}),
                   values, tuple(table.get("unknown", ())),
                   _play(table["play"], values) if "play" in table else None)


def _play(play: Mapping[str, Any], values: Mapping[str, Any]) -> Play:
    chosen = play.get("chosen", {})
    taken = {setting: values[value] for setting, value in play["take"].items()}
    return Play(play["scenario"], tuple(play["by"]), play["moment"], play["behind_nat"],
                tuple(play["not_played"]), {**taken, **chosen}, play["take"],
                frozenset(chosen))


def _values(table: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}.{key}": value for name in TABLES
            for key, value in table.get(name, {}).items()}


def _mistakes(table: Mapping[str, Any]) -> Iterator[str]:
    """Of one client."""
    known = ("name", "protocol", "mark", "sources", "marks", "unknown", "play", *TABLES)
    yield from (f"{key} is not known; known are {', '.join(known)}"
                for key in table if key not in known)
    yield from _no_member(table, "protocol", PROTOCOLS)
    yield from _no_member(table, "mark", MARKS)
    if not isinstance(table.get("name"), str):
        yield "name is missing: give the client's, for readers"
    if not _is_of(table.get("sources"), TEXTS):
        yield "sources is missing: a list of texts"
    values = _values(table)
    for value, mark in table.get("marks", {}).items():
        if value not in values:
            yield f"marks has {value}, of which there is no value"
        if mark not in MARKS:
            yield f"marks: {value} is {mark!r}, not one of {', '.join(MARKS)}"
    for text in table.get("unknown", ()):
        # What follows the name shows of what it is unknown; the rest of it may be known.
        if "." not in text or text in values:
            yield f"unknown has {text}, which is no table.key without a value"
    if "play" in table:
        yield from _mistakes_of_play(table["play"], values)


def _mistakes_of_play(play: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    kinds = {"scenario": TEXT, "by": TEXTS, "moment": TEXT, "behind_nat": TRUTH,
             "not_played": TEXTS}
    yield from (f"play: {key} is not known; known are {', '.join((*kinds, 'take', 'chosen'))}"
                for key in play if key not in (*kinds, "take", "chosen"))
    yield from (f"play: {key} is missing: {kind}"
                for key, kind in kinds.items() if not _is_of(play.get(key), kind))
    if isinstance(play.get("moment"), str):
        yield from (f"play: {text}" for text in _no_member(play, "moment", MOMENTS))
    take, chosen = play.get("take"), play.get("chosen", {})
    if take is None:
        yield "play: take is missing: setting = \"table.key\""
        return
    for setting in sorted({*take, *chosen} - set(SETTINGS)):
        yield f"play: no player has a setting {setting}; there are {', '.join(SETTINGS)}"
    for setting in sorted(set(take) & set(chosen)):
        yield f"play: {setting} is in take and in chosen: choose where nothing is known"
    for setting, value in take.items():
        if value not in values:
            yield f"play: take has {setting} = {value}, of which there is no value"
    found = {**{setting: values[value] for setting, value in take.items() if value in values},
             **chosen}
    for setting, value in found.items():
        kind = SETTINGS.get(setting)
        if kind and not _is_of(value, kind):
            yield f"play: {setting} is {value!r}, not {kind}"


def _no_member(table: Mapping[str, Any], key: str, of: Sequence[str] | Mapping[str, str],
               ) -> Iterator[str]:
    if table.get(key) not in of:
        yield f"{key} is {table.get(key)!r}, not one of {', '.join(of)}"


def _is_of(value: Any, kind: str) -> bool:
    if kind == TEXTS:
        return isinstance(value, list) and bool(value) and all(
            isinstance(each, str) for each in value)
    if kind == NUMBER:
        return isinstance(value, (int, float)) and value is not True
    return isinstance(value, bool if kind == TRUTH else str)
