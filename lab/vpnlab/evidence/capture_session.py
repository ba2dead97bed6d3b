# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a session of L2TP or PPTP lasted, as its client's capture has it."""
from __future__ import annotations

from pathlib import Path

from .capture_decode import PPP_IP, PPP_IPCP, PPP_LCP, Gre, L2tp, read_frames

CONFIGURE_ACK, TERMINATE_REQUEST = 2, 5


class SessionSpan:
    """The last session of one client: its begin, its last packet, its end by the gateway, in s of
    the lab's clock; and the L2TP messages that the gateway has sent."""

    def __init__(self, capture: Path, vip: str) -> None:
        self.begin = self.packet = self.end = 0.0
        self.sent: list[int] = []
        for frame in read_frames(capture):
            ip = frame.ip
            if ip is None or not isinstance(ip.upper, (Gre, L2tp)):
                continue
            upper = ip.upper
            if self.end and isinstance(upper, Gre):
                continue
            from_gateway = ip.src == vip
            if isinstance(upper, L2tp) and from_gateway and upper.message is not None:
                self.sent.append(upper.message)
            if upper.ppp is None or self.end:
                continue
            kind = upper.ppp.protocol, upper.ppp.code
            if kind == (PPP_IPCP, CONFIGURE_ACK):
                self.begin = frame.t
            elif kind == (PPP_LCP, TERMINATE_REQUEST) and from_gateway:
                self.end = frame.t
            elif upper.ppp.protocol == PPP_IP:
                self.packet = frame.t
