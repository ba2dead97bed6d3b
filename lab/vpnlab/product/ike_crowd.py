# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of IPsec in numbers: one charon with many IKE SAs. Of IKEv2 each has a virtual IP; of
L2TP/IPsec each carries the L2TP of one line (lines.py)."""
from __future__ import annotations

import re
from collections.abc import Mapping

from ..host.errors import LabError
from ..host.lab import Lab
from ..host.node import Node
from ..host.topology import L2TP, VpnGateway
from .charon import Charon, configure
from .ipsec_client import (CONNECTION, TUNNEL, TUNNEL_ID, TransportOffer, secrets,
                           transport_connection, tunnel_connections)

START_LIMIT_S = 30.0
# Of one SA on a busy lab.
DIAL_LIMIT_S = 1.0
HANG_UP_LIMIT_S = 240
DONE = re.compile(r"(\d+) of \d+ done, ([\d.]+) s")
LOG = "/run/lab/ike_crowd.log"
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


def start(lab: Lab, node: Node, connections: str, settings: str) -> None:
    """The node's charon, with these connections loaded."""
    configure(node, connections, settings)
    charon = Charon(node)
    charon.start()
    lab.wait_for(f"charon of {node.name} is ready", charon.ready, START_LIMIT_S)
    charon.load()


def act(lab: Lab, node: Node, command: str, name: str, numbers: range) -> float:
    """Has the node's charon carry out a command of lab/node/ike_crowd.py, for each of the numbers:
    how many seconds that took. An error when one did not succeed."""
    log = f"{LOG}.{command}"
    node.start_tool("ike_crowd.py", command, name, str(numbers.start), str(len(numbers)),
                    output=log)
    found = lab.wait_for(f"{node.name}: {command} {len(numbers)} of {name}",
                         lambda: DONE.search(node.read(log) or ""),
                         START_LIMIT_S + len(numbers) * DIAL_LIMIT_S)
    if int(found[1]) != len(numbers):
        raise LabError(f"of the crowd: {found[0]}")
    return float(found[2])


class IkeCrowd:
    """The IKE SAs of one node, which stay until hang_up()."""

    def __init__(self, lab: Lab, node: Node, count: int, gateway: VpnGateway = L2TP) -> None:
        self._lab = lab
        self._node = node
        self._count = count
        self._gateway = gateway

    def dial(self) -> float:
        """Returns when all are up: how many seconds that took."""
        self._node.run("ip", "-batch", "-", stdin=(
            f"link add {TUNNEL} type xfrm dev outside if_id {TUNNEL_ID}\n"
            f"link set {TUNNEL} up\n"))
        start(self._lab, self._node, crowd_connections(self._gateway), SETTINGS)
        return act(self._lab, self._node, "initiate", CONNECTION, range(self._count))

    def hang_up(self) -> None:
        """Returns when the gateway has acknowledged the end of all of them."""
        self._node.run("swanctl", "--terminate", "--ike", CONNECTION, "--timeout",
                       str(HANG_UP_LIMIT_S), timeout=HANG_UP_LIMIT_S + 10)


class LineCarriers:
    """One IKE SA and one CHILD SA of L2TP/IPsec for each line of a node, which speaks L2TP from a
    port of its own. Each line has an identity of its own: charon gives the children of an IKE SA
    of IKEv1 to a later one with the same identity, as when a client authenticates itself anew."""

    LINE = "line{}"

    def __init__(self, lab: Lab, node: Node, lines: Mapping[range, VpnGateway],
                 first_port: int) -> None:
        """`lines`: numbers of lines, without gaps, and the gateway that they dial. `first_port`: of
        line 0, as Lines has it."""
        self._lab = lab
        self._node = node
        self._connections = line_connections(lines, first_port)
        self._numbers = range(min(each.start for each in lines), max(each.stop for each in lines))

    def dial(self) -> float:
        """Returns when all are up: how many seconds that took."""
        start(self._lab, self._node, self._connections, "")
        return act(self._lab, self._node, "initiate", self.LINE, self._numbers)

    def hang_up(self) -> None:
        """The gateway is notified of the end of each."""
        act(self._lab, self._node, "terminate", self.LINE, self._numbers)


def line_connections(lines: Mapping[range, VpnGateway], first_port: int) -> str:
    """Nobody asks whether the other side is alive, as in crowd_connections()."""
    def connection(number: int, gateway: VpnGateway) -> str:
        name = LineCarriers.LINE.format(number)
        return transport_connection(name, gateway, TransportOffer(
            selector=f"udp/{first_port + number}", dpd="0s", identity=f"{name}@example.com"))

    each = "".join(connection(number, gateway)
                   for numbers, gateway in lines.items() for number in numbers)
    return f"connections {{\n{each}}}\n{secrets()}"
