# SPDX-License-Identifier: GPL-2.0-or-later
"""What the RADIUS server received of the sessions of a soak, each held against what its client
counted."""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ...evidence.expectation import equals, is_empty
from ...product.client import VpnClient
from ...product.dialler import IKEV2, WIREGUARD
from ...product.radius import Report
from ..accounts import expect_account, expect_growth, expect_octets, octets
from ..drill import PROMOTED
from ..run import Run
from ..soak import Drilled
from ..wireguard.live import transfer

# What a client is sent, and nobody counts, when its gateway dies: since the last checkpoint.
UNCOUNTED_S = 1.5
# Of a client of IKEv2: its interface counts the headers of segments once that leave together.
MERGED_PERCENT = 4.0


@dataclass(frozen=True)
class Session:
    """Of one client: its address in the tunnel, and the octets that it has counted itself."""

    name: str
    protocol: str
    address: str
    counted: dict[str, int]

    @classmethod
    def of(cls, client: VpnClient, address: str) -> Session:
        """As it stands now."""
        return cls(client.name, client.protocol, address, transfer(client.node)
                   if client.protocol == WIREGUARD else octets(client, client.interface))

    @property
    def reports_end(self) -> bool:
        """WireGuard has no end of a session: its Stop comes 270 s after the last handshake."""
        return self.protocol != WIREGUARD

    def own(self, reports: Sequence[Report]) -> list[Report]:
        return [each for each in reports if each.fields.get("Framed-IP-Address") == self.address]


def lost_percent(drilled: Drilled) -> float:
    """How much of the octets nobody counts, at most: what passes in the last second before a node
    dies, or gives the gateway away."""
    given_up = sum(each.step.target == PROMOTED for each in drilled.done)
    return 100 * UNCOUNTED_S * given_up / max(1.0, drilled.until - drilled.calm_from)


def expect_accounts(run: Run, sessions: Sequence[Session], reports: Sequence[Report],
                    lost: float) -> int:
    """Each session has one account, and nobody else has one. Returns how many have one."""
    run.expect("accounts", len({each.session for each in reports}), equals(len(sessions)))
    known = {session.address for session in sessions}
    run.expect("accounts_of_nobody", [each.fields for each in reports if each.fields.get(
        "Framed-IP-Address") not in known], is_empty())
    for session in sessions:
        own = session.own(reports)
        run.expect(f"{session.name}_ids", len({each.session for each in own}), equals(1))
        if not own:
            continue
        if session.reports_end:
            ikev2 = session.protocol == IKEV2
            expect_account(run, session.name, own, session.counted, lost,
                           MERGED_PERCENT if ikev2 else 0.0, has_class=not ikev2)
        else:
            _expect_open_account(run, session, own, lost)
    return sum(bool(session.own(reports)) for session in sessions)


def _expect_open_account(run: Run, session: Session, reports: list[Report], lost: float) -> None:
    run.expect(f"{session.name}_requests", [kind for kind, _ in itertools.groupby(
        each.kind for each in reports)], equals(["Start", "Interim-Update"]))
    run.expect(f"{session.name}_starts", sum(each.kind == "Start" for each in reports), equals(1))
    expect_growth(run, session.name, [[int(each.fields["Acct-Session-Time"]), each.octets("Input"),
                                       each.octets("Output")] for each in reports[1:]])
    if len(reports) > 1:
        expect_octets(run, session.name, reports[-1], session.counted, lost)
