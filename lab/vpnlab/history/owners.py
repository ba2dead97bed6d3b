# SPDX-License-Identifier: GPL-2.0-or-later
"""Who owns the addresses of a gateway, or a session, as a register that several nodes write. All
addresses of a gateway are one register: who has lost one of them has lost all.

A node writes it with an announcement to all (gratuitous ARP, an unsolicited neighbour
advertisement), and reads it with each frame that it sends. The order of the announcements is the
order of the owners. The register is linearizable if no owner sends a frame after the first one of a
newer owner. A frame of a client that a node passes on has the client's address, and is none of
these.

A first frame may come shortly before its announcement: CLAIM_S is waited for it. A node that was
never the owner may do without an announcement, if the owner before it is silent: a capture may
begin late, and another product may have other ways. A node that has been the owner may not: without
one its frame is of its former term.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .packets import GATEWAYS, Packet
from .violations import (OLDER_OWNER, OWNERS_IN_TURNS, SESSION_OWNER, UNCLAIMED_OWNER, Place,
                         Violation)

# Within so long after its first frame, an owner announces itself.
CLAIM_S = 1.2
# A node that is the owner again so soon never knew that it had lost the address.
TURN_S = 0.25
NEVER = float("-inf")

# A protocol, and what a client knows the session by.
Session = tuple[str | int | None, ...]
# When each node has last announced an address of the gateway.
Claims = Mapping[str, float]
Found = Callable[[Violation], None]


@dataclass(slots=True)
class _Stray:
    """Frames of a node that is not the owner, until it claims, and those that the owner has sent
    meanwhile."""

    first: Place
    frames: Violation
    by_owner: Violation
    judged: bool = False


@dataclass(slots=True)
class Register:
    """`name`: for people. `kinds`: what an older owner's frame is called, and a stranger's."""

    vantage: str
    name: str
    kinds: tuple[str, str] = (OLDER_OWNER, UNCLAIMED_OWNER)
    owner: str | None = None
    takeovers: int = 0
    unclaimed: int = 0
    _lost: dict[str, float] = field(default_factory=dict)
    _strays: dict[str, _Stray] = field(default_factory=dict)

    def speak(self, node: str, place: Place, claims: Claims, found: Found) -> None:
        if node == self.owner:
            if self._strays:
                for stray in self._strays.values():
                    if not stray.judged:
                        stray.by_owner.add(place)
                self.expire(place.t, found)
            return
        if self._strays:
            self.expire(place.t, found)
        if self.owner is None:
            self.owner = node
        elif node == self.owner:
            pass  # expire() made it the owner.
        elif claims.get(node, NEVER) > claims.get(self.owner, NEVER):
            self._take_over(node, place, found)
        else:
            self._stray(node, place)

    def _take_over(self, node: str, place: Place, found: Found) -> None:
        stray = self._strays.pop(node, None)
        if stray is not None and not stray.judged and stray.by_owner.count:
            found(stray.by_owner)
        lost = self._lost.get(node, NEVER)
        if place.t - lost < TURN_S:
            turns = Violation(OWNERS_IN_TURNS, self.vantage,
                              f"{node} is the owner of {self.name} again after "
                              f"{1000 * (place.t - lost):.1f} ms of {self.owner}")
            turns.add(place)
            found(turns)
        self._change(node, place.t)

    def _change(self, node: str, t: float) -> None:
        assert self.owner is not None
        self._lost[self.owner] = t
        self.owner = node
        self.takeovers += 1

    def _stray(self, node: str, place: Place) -> None:
        stray = self._strays.get(node)
        if stray is None:
            older, stranger = self.kinds
            kind = older if node in self._lost else stranger
            stray = self._strays[node] = _Stray(
                place,
                Violation(kind, self.vantage,
                          f"{node} speaks for {self.name}, whose owner is {self.owner}"),
                Violation(older, self.vantage,
                          f"{self.owner} speaks for {self.name} after the first frame of {node}"))
        stray.frames.add(place)

    def expire(self, now: float, found: Found) -> None:
        """Judges nodes that spoke and have not claimed since."""
        for node, stray in list(self._strays.items()):
            if stray.judged or now - stray.first.t <= CLAIM_S:
                continue
            if node in self._lost or stray.by_owner.count:
                stray.judged = True
                # Its further frames belong to it.
                found(stray.frames)
            else:
                del self._strays[node]
                self.unclaimed += 1
                self._change(node, stray.first.t)


class Owners:
    """The registers of one vantage: of gateways, and of their sessions."""

    def __init__(self, vantage: str, found: Found) -> None:
        self._vantage = vantage
        self._found = found
        self._claims: dict[str, dict[str, float]] = {}
        self._addresses: set[str] = set()
        self._gateways: dict[str, Register] = {}
        self._sessions: dict[tuple[str, Session], Register] = {}
        self.claimed = 0

    def take(self, packet: Packet, session: Session | None) -> None:
        """`session`: which one it is of, if of any."""
        gateway = GATEWAYS[packet.vip]
        claims = self._claims.setdefault(gateway, {})
        if packet.claims:
            self.claimed += 1
            claims[packet.node] = packet.place.t
        self._addresses.add(packet.vip)
        register = self._gateways.get(gateway)
        if register is None:
            register = self._gateways[gateway] = Register(self._vantage, f"gateway {gateway}")
        register.speak(packet.node, packet.place, claims, self._found)
        if session is None:
            return
        key = (packet.vip, session)
        register = self._sessions.get(key)
        if register is None:
            register = self._sessions[key] = Register(
                self._vantage, f"session {' '.join(map(str, session))}",
                (SESSION_OWNER, SESSION_OWNER))
        register.speak(packet.node, packet.place, claims, self._found)

    def finish(self) -> None:
        for register in (*self._gateways.values(), *self._sessions.values()):
            register.expire(float("inf"), self._found)

    def seen(self) -> dict[str, int]:
        return {"addresses": len(self._addresses), "announcements": self.claimed,
                "takeovers": sum(each.takeovers for each in self._gateways.values()),
                "takeovers_unannounced": sum(each.unclaimed for each in self._gateways.values()),
                "sessions": len(self._sessions),
                "sessions_moved": sum(each.takeovers > 0 for each in self._sessions.values())}
