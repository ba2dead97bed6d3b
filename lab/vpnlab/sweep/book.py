# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/reference/evidence.json: what each scenario showed when it ran last, and for gateways of
another Debian the file beside it, as evidence-trixie.json.

The dataclasses are the vocabulary, lab/evidence.schema.json is the contract; a test compares them.
The file is read before each change and replaced by rename. A file that breaks the schema is an
error, and nothing is written over it.
"""
from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema

from ..evidence.result import Phases
from ..host.errors import LabError
from ..host.release import THIS_RELEASE, Release
from ..host.stage import ROOT

REFERENCE = ROOT / "docs" / "reference"
SCHEMA_PATH = ROOT / "lab" / "evidence.schema.json"
GREEN, RED = "green", "red"


@dataclass(frozen=True)
class Kernel:
    """Of the nodes. `version`: of Debian's package. `machine`: what nodes were to the host."""

    series: str
    version: str
    machine: str


@dataclass(frozen=True)
class Figures:
    """The main figures of a run. None: not observed, as in result.json."""

    clients: int = 0
    sessions_kept: int | None = None
    outage_ms: float | None = None
    baseline_gap_ms: float | None = None
    faults: int = 0
    expectations: int = 0
    owners_max: int | None = None
    overlap_ms: float | None = None
    violations: int | None = None
    leftovers: int = 0
    phases_ms: Phases = field(default_factory=Phases)


@dataclass(frozen=True)
class Entry:
    """One scenario's evidence."""

    commit: str
    dirty: bool
    date: str
    verdict: str
    seconds: float
    seed: int
    kernel: Kernel
    figures: Figures
    failed: tuple[str, ...] = ()


Evidence = Mapping[str, Entry]


def kept(release: Release, suffix: str) -> Path:
    """The file with the evidence of gateways of a release; `suffix`: .json, or .md of its page."""
    name = "evidence" if release == THIS_RELEASE else f"evidence-{release.name}"
    return REFERENCE / (name + suffix)


EVIDENCE = kept(THIS_RELEASE, ".json")


def load(path: Path = EVIDENCE) -> dict[str, Entry]:
    """By scenario. No file is no evidence; a malformed one is an error."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise _malformed(path, str(error)) from None
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise _malformed(path, str(error)) from None
    problems = validate(data)
    if problems:
        raise _malformed(path, problems[0])
    return {name: _entry(entry) for name, entry in data["scenarios"].items()}


def _malformed(path: Path, problem: str) -> LabError:
    return LabError(f"{path} is malformed: {problem}. Nothing was written; correct the file, or "
                    "restore it with git")


def add(name: str, entry: Entry, scenarios: Collection[str], path: Path = EVIDENCE) -> Evidence:
    """Replaces the scenario's entry, and removes entries of scenarios that do not exist."""
    evidence = {**load(path), name: entry}
    return store(evidence, scenarios, path)


def store(evidence: Evidence, scenarios: Collection[str], path: Path = EVIDENCE) -> Evidence:
    """Writes the entries of existing scenarios, and returns them."""
    entries = {name: evidence[name] for name in sorted(evidence) if name in scenarios}
    data = {"scenarios": {name: dataclasses.asdict(entry) for name, entry in entries.items()}}
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    problems = validate(json.loads(text))
    assert not problems, problems
    replace(path, text)
    return entries


def replace(path: Path, text: str) -> None:
    """Writes a new file and renames it: a reader sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


def _entry(data: dict[str, Any]) -> Entry:
    figures: dict[str, Any] = {**data["figures"],
                               "phases_ms": Phases(**data["figures"]["phases_ms"])}
    entry: dict[str, Any] = {**data, "kernel": Kernel(**data["kernel"]),
                             "figures": Figures(**figures), "failed": tuple(data["failed"])}
    return Entry(**entry)


@lru_cache(maxsize=1)
def _validator() -> Any:
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def validate(data: Any) -> list[str]:
    """What is wrong with the content of the file, one sentence each."""
    problems = []
    for error in sorted(_validator().iter_errors(data), key=lambda e: list(map(str, e.path))):
        where = "/".join(str(part) for part in error.path) or "evidence"
        problems.append(f"{where}: {error.message}")
    if problems:
        return problems
    for name, entry in data["scenarios"].items():
        if (entry["verdict"] == RED) != bool(entry["failed"]):
            problems.append(f"scenarios/{name}: {entry['verdict']}, but {len(entry['failed'])} "
                            "expectations failed")
        kept = entry["figures"]["sessions_kept"]
        if kept is not None and kept > entry["figures"]["clients"]:
            problems.append(f"scenarios/{name}: more sessions kept than there were clients")
    return problems
