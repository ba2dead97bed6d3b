# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios: one file each in the folder of its area, which reads as its own documentation.

A scenario file has a docstring (purpose, topology, steps, expectations), a `SCENARIO` that states
what it needs, and `steps(run)`, in the order in which things happen:

    SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "client1", "server"), faults=1)

    def steps(run: Run) -> None:
        client = run.l2tp_client("client1")
        client.dial()
        client.start_traffic()
        run.lab.gateway("gw1").power_off()
        run.wait_for("pings are answered again", ..., deadline_s=10)
        client.stop_traffic()
        seen = run.measure()
        run.expect("outage_ms", seen.client("client1").outage_ms, at_most(TAKEOVER_MS))
"""
from __future__ import annotations

import dataclasses
import importlib.util
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from ..host.errors import LabError, NotFound
from ..host.lab import Lab
from ..host.progress import emit
from ..host.topology import DEFAULT_NODES
from ..scenarios import files
from .run import Run


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What a scenario needs. One that declares faults fails unless it injects that many; one that
    needs vpnha gets what the release preset built in its nodes."""

    nodes: tuple[str, ...] = DEFAULT_NODES
    faults: int = 0
    vpnha: bool = False
    # Nodes that are a newly installed Debian with systemd; they have the project's packages beside
    # Debian's, and nothing of both is installed.
    fresh: tuple[str, ...] = ()
    # The series of all nodes' kernel, in place of the gateways' release's.
    kernel: str | None = None
    # Gateways that run Debian's other release than this machine's, with its kernel. An empty one:
    # none at first, and the scenario reinstalls some.
    other_release: tuple[str, ...] | None = None
    # Of the nodes of a role, in place of what is usual.
    memory_mb: Mapping[str, int] = dataclasses.field(default_factory=dict)
    # How many there are of what it is about, where `lab/lab run --size` may give another number.
    size: int | None = None
    # Kinds of violations (vpnlab/history/violations.py) that its captures may show, each with the
    # reason.
    history_allows: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A scenario file that has been read."""

    name: str
    purpose: str
    scenario: Scenario
    steps: Callable[[Run], None]


def names() -> list[str]:
    return list(files())


def load(name: str) -> Loaded:
    path = files().get(name)
    if path is None:
        raise NotFound(f"no scenario {name!r}; there are {', '.join(names())}")
    spec = importlib.util.spec_from_file_location("scenario_" + name.replace("-", "_"), path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    purpose = (module.__doc__ or "").strip().partition("\n")[0]
    return Loaded(name, purpose, module.SCENARIO, module.steps)


def execute(loaded: Loaded, lab: Lab, out: Path, seed: int, waiting: bool = False,
            size: int | None = None) -> bool:
    """Runs the steps in a lab that is up, and writes the result into `out`. `size`: in place of the
    scenario's."""
    run = Run(lab, loaded.name, out, seed, loaded.scenario.faults, waiting,
              loaded.scenario.history_allows, size or loaded.scenario.size or 0)
    try:
        loaded.steps(run)
    except LabError as error:
        emit(f"FAIL {error}")
        run.fail(str(error))
    except Exception as error:  # noqa: BLE001 - a broken scenario leaves its evidence too
        traceback.print_exc()
        run.fail(f"{type(error).__name__}: {error}")
    return run.finish()
