# SPDX-License-Identifier: GPL-2.0-or-later
"""What dials: the part of a VPN client that its protocol is. Probes, watch and captures are the
same for all of them."""
from __future__ import annotations

import dataclasses
from typing import Protocol

from ..host.node import Node
from ..host.topology import VpnGateway

# Protocols, as in result.json.
L2TP, L2TP_IPSEC, IKEV2, PPTP = "l2tp", "l2tp-ipsec", "ikev2", "pptp"
PPTP_CLEAR = "pptp-nomppe"
WIREGUARD = "wireguard"


@dataclasses.dataclass(frozen=True)
class Dialled:
    """One successful dial: the interface and both ends' addresses."""

    interface: str
    local: str
    remote: str


class MakeDialler(Protocol):
    """A client's protocol, as a scenario names it."""

    def __call__(self, node: Node, *, gateway: VpnGateway) -> Dialler:
        """A dialler that has not been started."""


class Dialler(Protocol):
    """One client's daemons, which make and end its session. No extension of ours is on it."""

    protocol: str
    # By which the client's traffic enters the tunnel.
    interface: str
    node: Node
    gateway: VpnGateway

    @property
    def logs(self) -> tuple[str, ...]:
        """Files of /var/log with what encryption hides; each of their lines begins with its
        time."""

    def start(self) -> None:
        """Configures and starts the daemons, which do not dial yet."""

    def ready(self) -> bool:
        """Whether dial() may be called."""

    def dial(self) -> None:
        """Begins a session; it is up when dialled() has one more."""

    def dialled(self) -> list[Dialled]:
        """Every time a session came up, the first one first."""

    def hang_up(self) -> None:
        """Ends the session as a user does; the gateway is notified."""

    def gone(self) -> bool:
        """Whether the session has ended, for whatever reason."""

    def close(self) -> None:
        """Ends what the session was carried by; after gone()."""
