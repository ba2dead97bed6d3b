# SPDX-License-Identifier: GPL-2.0-or-later
"""A slice of the soak: clients of all protocols under random faults, and what must hold of them."""
from __future__ import annotations

import functools
import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...evidence.expectation import at_least, at_most, equals, is_empty
from ...evidence.measure import Measured
from ...evidence.result import ClientResult
from ...history.packets import WIRE
from ...host.errors import NotFound
from ...product.dialler import IKEV2, L2TP, L2TP_IPSEC, PPTP, WIREGUARD
from ...product.ipsec_client import Ikev2Kind
from ...product.radius import DETAIL, RadiusServer
from ...product.sites.home import start_nat
from ..accounts import CHECKPOINT_S, NOTICE_LIMIT_S
from ..drill import MIXED_KINDS, PROMOTED, UNNOTICED_MS, Step, plan
from ..live import Live, begin
from ..promise import (FAULT_FREE_MS, PPTP_MS, TAKEOVER_MS, expect_nothing_else, worst_gap_ms,
                       worst_pause_ms)
from ..run import Run
from ..scenario import Loaded, Scenario
from ..soak import NAME, NEXT_PROGRAM, Drilled, bound_ms, inject
from .accounts import Session, expect_accounts, lost_percent
from .figures import expect_flat, held, most
from .mix import NODES, PACE, Flows, MixedStack, clients, ikev2_kind

SLICE_FILE = "slice.json"
# In place of UNNOTICED_MS: so many nodes share two cores of the host.
BUSY_MS = 500
# Of the probes that there is time for, how many a client has to send. With fewer of them nobody
# knows whether it was served all the time.
ASKED_MIN = 0.5
# What a client's captures have to show, for each ping that it has to send; it was answered.
SHOWN = {L2TP: ("frames",), L2TP_IPSEC: ("frames", "esp_packets"),
         IKEV2: ("frames", "esp_packets"), PPTP: ("frames", "gre_packets", "mppe_packets"),
         WIREGUARD: ("frames", "wireguard_packets")}


def loaded(minutes: float, first: int, number: int = 0) -> Loaded:
    """As what runs scenarios takes it. `first`: so many faults of the plan were injected before.
    `number`: so many slices of the history there are before."""
    return Loaded(NAME, f"all protocols under random faults for {minutes:g} min, from fault "
                  f"{first + 1} on", Scenario(nodes=NODES, faults=1, vpnha=True),
                  functools.partial(soak, minutes=minutes, first=first, number=number))


@dataclass
class Figures:
    """What the slice adds to the history of the soak, as far as it came."""

    drilled: Drilled = field(default_factory=Drilled)
    held: list[dict[str, dict[str, int]]] = field(default_factory=list)
    accounts: int = 0
    seen: Measured | None = None
    # What the node that holds most has held, each time that all was whole.
    meanwhile: list[dict[str, int]] = field(default_factory=list)

    def write(self, path: Path, first: int, ikev2: Ikev2Kind) -> None:
        clients = self.seen.clients if self.seen is not None else []
        span = (self.drilled.faults_from, self.drilled.until)
        data = {"first": first, "ikev2": f"{ikev2.auth.value}, {ikev2.esp}",
                "minutes": round(max(0.0, span[1] - span[0]) / 60, 2),
                "faults": Counter(f"{each.step.kind.name}, {_whom(each.step)}"
                                  for each in self.drilled.done),
                "silences_ms": {each.name: worst_gap_ms(each, span) for each in clients},
                "pings_sent": sum(each.pings_sent or 0 for each in clients),
                "pings_lost": sum(each.pings_lost or 0 for each in clients),
                "accounts": self.accounts, "held": self.held, "meanwhile": self.meanwhile}
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def soak(run: Run, minutes: float, first: int, number: int) -> None:
    figures = Figures()
    ikev2 = ikev2_kind(number)
    try:
        _soak(run, minutes, first, ikev2, figures)
    finally:
        figures.write(run.out / SLICE_FILE, first, ikev2)


def _soak(run: Run, minutes: float, first: int, ikev2: Ikev2Kind, figures: Figures) -> None:
    if not NEXT_PROGRAM.exists():
        raise NotFound("vpnhad-next is not built: cmake --workflow --preset release")
    run.pace = PACE
    start_nat(run.lab)
    radius = RadiusServer(run.lab, run.lab.node("server"))
    live = begin(run, clients=(), observe_s=0, stack=MixedStack(run))
    live.dial_all(clients(ikev2))
    flows = Flows.begin(live)
    addresses = {client.name: client.dialled()[-1].local for client in live.clients}
    figures.held.append(_held(live))
    inject(live, itertools.islice(plan(run.seed, MIXED_KINDS), first, None), minutes,
           figures.drilled, lambda: figures.meanwhile.append(most(_held(live))))
    figures.held.append(_held(live))

    flows.end(run)
    for client in live.clients:
        client.stop_traffic()
    run.observe(CHECKPOINT_S)
    sessions = [Session.of(client, addresses[client.name]) for client in live.clients]
    _wait_reported(run, radius, [each for each in sessions if not each.reports_end])
    live.hang_up()
    _expect_accounts(run, live, radius, sessions, figures)
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, NOTICE_LIMIT_S)
    run.expect_in_history(needed_history(
        {client.name: client.protocol for client in live.clients}, figures.drilled))
    seen = figures.seen = live.measure()
    expect_silences(run, seen, figures.drilled)
    expect_asked(run, seen, figures.drilled)
    for client in live.clients:
        expect_nothing_else(run, seen.client(client.name))
    Flows.expect_translated(run)
    before, after = figures.held
    expect_flat(run, before, after, figures.meanwhile)
    run.expect("faults", len(figures.drilled.done), at_least(1))


def _held(live: Live) -> dict[str, dict[str, int]]:
    return {node.name: held(node) for node in live.stack.cluster.nodes}


def _wait_reported(run: Run, radius: RadiusServer, sessions: Sequence[Session]) -> None:
    """Of each of them once more, with all that they have counted."""
    for session in sessions:
        before = len(session.own(radius.reports()))
        run.wait_for(f"the server is notified of {session.name} once more",
                     lambda: len(session.own(radius.reports())) > before, NOTICE_LIMIT_S)


def _expect_accounts(run: Run, live: Live, radius: RadiusServer, sessions: Sequence[Session],
                     figures: Figures) -> None:
    ends = sum(session.reports_end for session in sessions)
    run.wait_for("the server was notified of all ends", lambda: sum(
        each.kind == "Stop" for each in radius.reports()) >= ends, NOTICE_LIMIT_S)
    reports = radius.reports()
    (run.out / "detail").write_bytes(run.lab.node("server").get(DETAIL))
    run.expect("accounts_waiting", [live.stack.status(node)["accounting"]["waiting"]
                                    for node in run.lab.gateways],
               equals([0] * len(run.lab.gateways)))
    figures.accounts = expect_accounts(run, sessions, reports, lost_percent(figures.drilled))


def expect_silences(run: Run, seen: Measured, drilled: Drilled) -> None:
    """Of each fault and each client. A host that was too busy to let the client ask did not let its
    gateway answer either: the limit grows by the client's longest pause, up to FAULT_FREE_MS. A
    pause that is longer than the limit hides what the fault did."""
    for client in seen.clients:
        spans = [("before_any_fault", drilled.calm, float(BUSY_MS)),
                 *((each.name, span, limit_ms(each.step, client))
                   for each, span in drilled.spans)]
        hidden = []
        for name, span, limit in spans:
            pause = worst_pause_ms(client, span, PACE.ping_s) or 0.0
            run.expect(f"{name} {client.name}_gap_ms", worst_gap_ms(client, span),
                       at_most(limit + min(pause, FAULT_FREE_MS)))
            if pause > max(limit, BUSY_MS) * run.lab.patience:
                hidden.append(f"{name}: {pause:.0f} ms")
        run.expect(f"{client.name}_pauses", hidden, is_empty())


def needed_history(protocols: Mapping[str, str], drilled: Drilled) -> dict[str, dict[str, int]]:
    """What the captures of a slice show by vantage if they are whole: packets for each client, and
    a change of the owner for each power cut of the promoted node."""
    asked = asked_min(drilled)
    needed = {name: {"addresses": 1, "sessions": 1, **dict.fromkeys(SHOWN[protocol], asked)}
              for name, protocol in protocols.items()}
    cuts = sum(each.step.kind.name == "power cut" and each.step.target == PROMOTED
               for each in drilled.done)
    kinds = {kind for protocol in protocols.values() for kind in SHOWN[protocol]}
    return {**needed, WIRE: {**dict.fromkeys(kinds, asked), "announcements": 1, "l2tp_messages": 1,
                             "takeovers": cuts}}


def asked_min(drilled: Drilled) -> int:
    """How many pings each client has to send under the faults."""
    return int(ASKED_MIN * (drilled.until - drilled.faults_from) / PACE.ping_s)


def expect_asked(run: Run, seen: Measured, drilled: Drilled) -> None:
    """A client that does not ask has no silence."""
    for client in seen.clients:
        asked = [sent for sent, _ in client.series.pings
                 if drilled.faults_from <= sent < drilled.until]
        run.expect(f"{client.name}_asked", len(asked), at_least(max(1, asked_min(drilled))))


def limit_ms(step: Step, client: ClientResult) -> float:
    """A call of PPTP continues when its new numbers have gone round the group."""
    bound = max(bound_ms(step), BUSY_MS) if step.bound_ms <= UNNOTICED_MS else bound_ms(step)
    if client.protocol == PPTP and bound >= TAKEOVER_MS:
        return bound + PPTP_MS - TAKEOVER_MS
    return bound


def _whom(step: Step) -> str:
    return "a standby" if "standby" in step.target else step.target
