# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of a scenario: the hands of its steps, the book of its expectations, its result."""
from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..evidence.expectation import Expected, at_least, equals, is_empty, on_slow_nodes
from ..evidence.measure import REPAIRS, Measured, copy_logs, gateway_captures, measure
from ..evidence.result import (ClientResult, Event, Expectation, Leftover, Result, served_by,
                               timeline, to_ms, write_series)
from ..evidence.result import Fault as FaultRecord
from ..history.check import HISTORY_FILE, check
from ..host.errors import LabError, TimedOut
from ..host.lab import Fault, Lab
from ..host.node import Node
from ..host.progress import emit
from ..host.topology import L2TP, VpnGateway
from ..product.client import VpnClient
from ..product.dialler import Dialler
from ..product.l2tp_client import L2tpClient, Redial
from ..product.probes import EchoServer, Pace

T = TypeVar("T")
START_LIMIT_S = 15.0
# Of each node; of thousands nobody reads more.
LEFTOVERS_SHOWN = 20
VIOLATIONS_SHOWN = 20
# On the timeline: what the run itself did or saw, at no node.
CONDUCTOR = "lab"


class Run:
    """What a scenario's steps(run) works with."""

    def __init__(self, lab: Lab, name: str, out: Path, seed: int, declared_faults: int,
                 waiting: bool = False, history_allows: Mapping[str, str] | None = None,
                 size: int = 0) -> None:
        """`waiting`: the standbys of gateways that begin() sets up wait for Pacemaker.
        `history_allows`, `size`: as in Scenario."""
        self.lab = lab
        self.out = out
        self.seed = seed
        self.waiting = waiting
        self.size = size
        # Of clients that are made from now on.
        self.pace = Pace()
        self.random = random.Random(seed)
        self._name = name
        self._declared_faults = declared_faults
        self._history_allows = history_allows or {}
        self._history_needs: Mapping[str, Mapping[str, int]] = {}
        self._t0 = lab.now()
        self._expectations: list[Expectation] = []
        self._leftovers: list[Leftover] = []
        self._events: list[Event] = []
        self._clients: list[VpnClient] = []
        self._measured: Measured | None = None
        out.mkdir(parents=True, exist_ok=True)
        lab.on_fault(self._on_fault)
        self._outside, self._inside = gateway_captures(lab, out)

    # For the steps.

    def step(self, text: str) -> None:
        """Shows what comes next, to the user and on the timeline."""
        emit(text)
        self.event(CONDUCTOR, "step", text)

    def event(self, node: str, kind: str, text: str, t: float | None = None) -> None:
        """Puts something on the timeline, now or at the host's time `t`."""
        self._events.append(Event(self.lab.now() if t is None else t, node, kind, text))

    def start_echo_server(self) -> None:
        server = EchoServer(self.lab.node("server"))
        server.start()
        self.lab.wait_for("the echo server listens", server.listening, START_LIMIT_S)

    def l2tp_client(self, name: str, redial: Redial | None = None,
                    gateway: VpnGateway = L2TP) -> VpnClient:
        """A client of plain L2TP that is ready to dial."""
        return self.client(L2tpClient(self.lab.node(name), redial, gateway=gateway))

    def client(self, dialler: Dialler) -> VpnClient:
        """A client that is ready to dial, watched and captured from now on."""
        client = VpnClient(self.lab, dialler, self.out, self.pace)
        self._clients.append(client)
        return client

    def sent_outside(self) -> list[Path]:
        """Captures of what the gateways send outside; whole after measure()."""
        return list(self._outside.values())

    def wait_for(self, what: str, condition: Callable[[], T | None], deadline_s: float) -> T:
        """Polls until the condition holds; an error after the deadline. Puts it on the
        timeline."""
        value = self.lab.wait_for(what, condition, deadline_s)
        self.event(CONDUCTOR, "reached", what)
        return value

    def observe(self, seconds: float) -> None:
        """Lets the traffic run: the length of a measurement, never a wait for something."""
        time.sleep(seconds)

    def expect(self, name: str, observed: Any, expected: Expected) -> bool:
        """Books an expectation. A failed one fails the scenario, which continues all the same."""
        expected = on_slow_nodes(name, expected, self.lab.patience)
        met = expected.met_by(observed)
        self._expectations.append(Expectation(name, expected.text, observed, met))
        emit(f"{'ok  ' if met else 'FAIL'} {name}: {observed} (expected {expected.text})")
        return met

    def expect_nothing_left(self, nodes: Iterable[Node], find: Callable[[Node], list[str]],
                            deadline_s: float) -> None:
        """Waits until `find` finds nothing on the nodes; what is still there at the deadline is
        booked as left over and fails the scenario. A node without power has nothing."""
        for node in nodes:
            if not node.powered():
                continue
            try:
                self.lab.wait_for(f"nothing is left on {node.name}",
                                  lambda: not find(node), deadline_s)
            except TimedOut:
                found = find(node)
                more = len(found) - LEFTOVERS_SHOWN
                self._leftovers += [Leftover(node.name, what) for what in (
                    *found[:LEFTOVERS_SHOWN], *([f"{more} more"] if more > 0 else []))]
        self.expect("leftovers", [f"{each.node}: {each.what}" for each in self._leftovers],
                    is_empty())

    def expect_in_history(self, needed: Mapping[str, Mapping[str, int]]) -> None:
        """By vantage, how much of each kind the captures have to show at least: a checker that has
        seen nothing has found nothing. Booked at the end of the run."""
        self._history_needs = needed

    def measure(self) -> Measured:
        """Ends all captures and traffic and returns what was seen. Once in a run, at its end."""
        assert self._measured is None, "a run is measured once"
        problems = [problem for client in self._clients for problem in client.collect()]
        try:
            self.lab.stop_captures()
        except LabError as error:
            problems.append(str(error))
        copy_logs(self.lab, self.out)
        self._measured = measure(self.lab, self._clients, self._outside, self._inside,
                                 self._events)
        if problems:
            # Figures from half the evidence may look better than what happened.
            self.expect("evidence", problems, is_empty())
        return self._measured

    # For the frame.

    def fail(self, what: str) -> None:
        """Books that the steps did not come to their end."""
        self._expectations.append(Expectation("completed", "all steps", what, False))

    def finish(self) -> bool:
        """Writes result.json and series.json; True if all was as expected."""
        t_end = self.lab.now()
        measured = self._measured or self._measure_anyhow()
        self._check_history()
        faults = sum(not fault.kind.startswith(REPAIRS) for fault in self.lab.faults)
        self.expect("faults_injected", faults,
                    at_least(self._declared_faults) if self._declared_faults else equals(0))
        records = [FaultRecord(to_ms(fault.t, self._t0), fault.kind, fault.node)
                   for fault in self.lab.faults]
        result = Result(self._name, all(each.ok for each in self._expectations), self.seed,
                        self._expectations, records, leftovers=self._leftovers)
        clients: list[ClientResult] = []
        if measured is not None:
            clients = measured.clients
            result.served_by = served_by(measured.owners, self._t0)
            result.clients = clients
            result.vip = measured.vip
            result.phases_ms = measured.phases
            result.invariants = measured.invariants
            result.timeline = timeline(measured.events, self._t0)
            write_series(self.out, clients, t0=self._t0, t_end=t_end, events=measured.events,
                         owners=measured.owners, faults=records)
        problems = result.write(self.out)
        for problem in problems:
            emit(f"result.json breaks its schema: {problem}")
        return result.ok and not problems

    def _measure_anyhow(self) -> Measured | None:
        """For a run that failed before it measured: whatever evidence there is."""
        try:
            return self.measure()
        except Exception as error:  # noqa: BLE001 - the first failure is the one to report
            traceback.print_exc()
            self.expect("measured", f"{type(error).__name__}: {error}", equals("all figures"))
            return None

    def _check_history(self) -> None:
        """What the captures alone show. A checker that fails has found nothing, which is no
        success."""
        try:
            history = check(self.out)
            history.write(self.out / HISTORY_FILE)
        except Exception as error:  # noqa: BLE001 - the run has figures all the same
            traceback.print_exc()
            self.expect("history", [f"{type(error).__name__}: {error}"], is_empty())
            return
        for line in history.seen_lines():
            emit(line)
        for vantage, kinds in self._history_needs.items():
            seen = history.seen.get(vantage, {})
            for kind, least in kinds.items():
                self.expect(f"history_{vantage}_{kind}", seen.get(kind), at_least(least))
        for kind in history.kinds:
            if kind in self._history_allows:
                emit(f"history: {kind} is allowed here: {self._history_allows[kind]}")
        self.expect("history", history.against(self._history_allows)[:VIOLATIONS_SHOWN],
                    is_empty())

    def _on_fault(self, fault: Fault) -> None:
        emit(f"fault: {fault.kind} at {fault.node}")
        self._events.append(Event(fault.t, fault.node, "fault", fault.kind))
