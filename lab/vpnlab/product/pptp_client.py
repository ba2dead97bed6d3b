# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock pptp-linux and pppd as a client of a gateway. No extension of ours is on it."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..host.compiled import compiled
from ..host.node import Background, Node
from ..host.topology import L2TP, VpnGateway
from .dialler import PPTP, PPTP_CLEAR, Dialled
from .l2tp_client import IP_UP, IP_UP_LOG, parse_ip_up
from .l2tp_gateway import SECRETS, USER, chap_secrets

INTERFACE = "ppp0"
PPPD_LOG = "/var/log/pppd.log"
PPTP_LOG = "/var/log/pptp.log"
# What encrypts the session, as phones and Windows ask for it.
MPPE = ("require-mppe-128",)
CLEAR = ("nomppe",)
NO_ACKS_SOURCE = Path(__file__).resolve().parents[2] / "preload" / "no_acks.c"
NO_ACKS_PATH = "/usr/lib/no_acks.so"
# A pppd that dials again by itself waits so long before.
REDIAL_S = 2
OPTIONS = ("noauth", "refuse-eap", "refuse-pap", "refuse-chap", "refuse-mschap", "nobsdcomp",
           "nodeflate", "novj", "noipv6", "noipdefault", "nodefaultroute", "mtu 1400", "mru 1400",
           "lcp-echo-interval 10", "lcp-echo-failure 3", "debug")


class PptpDialler:
    """The dialler of PPTP. pptp is a child of pppd, so each dial is a pppd of its own."""

    protocol = PPTP
    interface = INTERFACE
    # MPPE hides the user's packets alone; what sets a session up is read on the wire.
    logs = ()

    def __init__(self, node: Node, gateway: VpnGateway = L2TP, ppp: Sequence[str] = ()) -> None:
        """`ppp`: further options of pppd."""
        self.node = node
        self.gateway = gateway
        self._more: Sequence[str] = (*MPPE, *ppp)
        self._pptp = "pptp"
        self._pppd: Background | None = None

    def start(self) -> None:
        self.node.put(SECRETS, chap_secrets(), mode=0o600)
        self.node.put("/etc/ppp/ip-up", IP_UP, mode=0o755)
        self.node.put("/etc/ppp/ip-down", "#!/bin/sh\n", mode=0o755)

    def ready(self) -> bool:
        return True

    def dial(self) -> None:
        self._pppd = self.node.start(
            "/usr/sbin/pppd", "pty", f"{self._pptp} {self.gateway.vip_outside} --nolaunchpppd "
            "--nohostroute --loglevel 2", "nodetach", "user", USER, "logfile", PPPD_LOG,
            *(word for option in (*OPTIONS, *self._more) for word in option.split()),
            stdout=PPTP_LOG, stderr=PPTP_LOG)

    def dialled(self) -> list[Dialled]:
        return parse_ip_up(self.node.read(IP_UP_LOG) or "")

    def hang_up(self) -> None:
        assert self._pppd is not None
        self._pppd.stop()

    def gone(self) -> bool:
        return not self.node.has_interface(INTERFACE)

    def close(self) -> None:
        """pptp clears the call and ends its connection when its pppd has ended."""


class ClearPptpDialler(PptpDialler):
    """The same without MPPE."""

    protocol = PPTP_CLEAR

    def __init__(self, node: Node, gateway: VpnGateway = L2TP) -> None:
        super().__init__(node, gateway)
        self._more = CLEAR


class UnacknowledgingDialler(PptpDialler):
    """It never acknowledges in GRE, as Android's up to 11."""

    def start(self) -> None:
        super().start()
        self.node.put(NO_ACKS_PATH, compiled(NO_ACKS_SOURCE, "-shared", "-fPIC").read_bytes(),
                      mode=0o755)
        self._pptp = f"env LD_PRELOAD={NO_ACKS_PATH} pptp"


class RedialingDialler(PptpDialler):
    """Its pppd dials again by itself when the session is over."""

    PERSIST = ("persist", f"holdoff {REDIAL_S}", "maxfail 0")

    def __init__(self, node: Node, gateway: VpnGateway = L2TP) -> None:
        super().__init__(node, gateway, self.PERSIST)

    def up(self) -> bool:
        return self.node.has_interface(INTERFACE)
