# SPDX-License-Identifier: GPL-2.0-or-later
"""IKEv2 sessions in numbers: one charon with many IKE SAs, each with a virtual IP."""
from __future__ import annotations

import re

from ..host.errors import LabError
from ..host.lab import Lab
from ..host.node import Node
from ..host.topology import L2TP, VpnGateway
from .charon import Charon, configure
from .ipsec_client import CONNECTION, TUNNEL, TUNNEL_ID, tunnel_connections

START_LIMIT_S = 30.0
# Of one SA on a busy lab.
DIAL_LIMIT_S = 1.0
HANG_UP_LIMIT_S = 240
UP = re.compile(r"(\d+) of \d+ up, ([\d.]+) s")
SETTINGS = f"""\
charon {{
    install_routes = no
    install_virtual_ip_on = {TUNNEL}
    reuse_ikesa = no
}}
"""


def crowd_connections(gateway: VpnGateway) -> str:
    """Nobody asks whether the other side is alive: hundreds that do leave no time for more."""
    return tunnel_connections(gateway, "aes256gcm16-prfsha256-ecp256",
                              ("dpd_delay = 0", "mobike = no", "unique = never"),
                              ("auth = psk\n            id = crowd@example.com", "auth = psk"),
                              "aes256gcm16", "8h")


class IkeCrowd:
    """The IKE SAs of one node, which stay until hang_up()."""

    def __init__(self, lab: Lab, node: Node, count: int, gateway: VpnGateway = L2TP) -> None:
        self._lab = lab
        self._node = node
        self._count = count
        self._gateway = gateway
        self._charon = Charon(node)

    def dial(self) -> float:
        """Returns when all are up: how many seconds that took."""
        self._node.run("ip", "-batch", "-", stdin=(
            f"link add {TUNNEL} type xfrm dev outside if_id {TUNNEL_ID}\n"
            f"link set {TUNNEL} up\n"))
        configure(self._node, crowd_connections(self._gateway), SETTINGS)
        self._charon.start()
        self._lab.wait_for(f"charon of {self._node.name} is ready", self._charon.ready,
                           START_LIMIT_S)
        self._charon.load()
        log = "/run/lab/ike_crowd.log"
        self._node.start_tool("ike_crowd.py", CONNECTION, str(self._count), output=log)
        found = self._lab.wait_for(
            f"{self._count} IKE SAs of {self._node.name} are up",
            lambda: UP.search(self._node.read(log) or ""),
            START_LIMIT_S + self._count * DIAL_LIMIT_S)
        if found is None or int(found[1]) != self._count:
            raise LabError(f"of the crowd: {found and found[0]}")
        return float(found[2])

    def hang_up(self) -> None:
        """Returns when the gateway has acknowledged the end of all of them."""
        self._node.run("swanctl", "--terminate", "--ike", CONNECTION, "--timeout",
                       str(HANG_UP_LIMIT_S), timeout=HANG_UP_LIMIT_S + 10)
