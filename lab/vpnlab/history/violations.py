# SPDX-License-Identifier: GPL-2.0-or-later
"""What a history may show that must not be."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# The kinds. A scenario that has to show one names it, with a reason.
OLDER_OWNER = "older-owner"
UNCLAIMED_OWNER = "unclaimed-owner"
OWNERS_IN_TURNS = "owners-in-turns"
SESSION_OWNER = "session-owner"
ESP_NUMBER = "esp-number"
GRE_NUMBER = "gre-number"
MPPE_COUNT = "mppe-count"
L2TP_NS = "l2tp-ns"
IKE_ID = "ike-id"
WIREGUARD_NUMBER = "wireguard-number"
KINDS = {
    OLDER_OWNER: "a frame from a gateway's address after the first one of a newer owner",
    UNCLAIMED_OWNER: "a frame from a gateway's address by a node that never claimed one",
    OWNERS_IN_TURNS: "two nodes claim a gateway's addresses in turns",
    SESSION_OWNER: "a packet of a session by an older owner",
    ESP_NUMBER: "a sequence number of ESP twice in one SA and direction",
    GRE_NUMBER: "a sequence number of GRE twice in one call and direction",
    MPPE_COUNT: "a coherency count of MPPE that does not grow",
    L2TP_NS: "two control messages of L2TP under one Ns",
    IKE_ID: "two requests of IKEv2 under one message id",
    WIREGUARD_NUMBER: "a counter of WireGuard twice under the same keys and direction",
}
PACKETS_NAMED = 8


@dataclass(frozen=True)
class Place:
    """A packet: its capture, its number there from 1 on, its time."""

    capture: str
    number: int
    t: float

    def __str__(self) -> str:
        return f"{self.capture}#{self.number}"


@dataclass
class Violation:
    """One finding. Further packets of the same finding make it longer. `vantage`: whose captures
    show it."""

    kind: str
    vantage: str
    what: str
    packets: list[Place] = field(default_factory=list)
    count: int = 0
    until: float = 0.0

    def add(self, place: Place) -> None:
        self.count += 1
        self.until = place.t
        if len(self.packets) < PACKETS_NAMED:
            self.packets.append(place)

    @property
    def t(self) -> float:
        return self.packets[0].t

    def text(self, t0: float) -> str:
        """For people. Times are seconds since `t0`."""
        lasted = f" to {self.until - t0:.6f}" if self.count > 1 else ""
        more = f", {self.count - len(self.packets)} more" if self.count > len(self.packets) else ""
        return (f"{self.kind} ({self.vantage}) at {self.t - t0:.6f}{lasted} s: {self.what}; "
                f"{', '.join(map(str, self.packets))}{more}")

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "vantage": self.vantage, "what": self.what, "t": self.t,
                "until": self.until, "count": self.count,
                "packets": [{"capture": each.capture, "number": each.number, "t": each.t}
                            for each in self.packets]}
