# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha-witness on a machine that is no node of the cluster: a third vote for two gateways."""
from __future__ import annotations

import json

from ..host.lab import Lab
from ..host.node import Node
from ..host.topology import WITNESS

PROGRAM = "vpnha-witness"
PATH = f"/usr/sbin/{PROGRAM}"
STATE = "/var/lib/vpnha-witness"
KEY = "/etc/vpnha-witness.key"
LOG = "vpnha-witness.log"
PORT = 5421
NETWORKS = ("inside", "outside")
START_LIMIT_S = 10.0


class Witness:
    """One that is enrolled under a name and reached by both networks of the gateways."""

    def __init__(self, lab: Lab, name: str = WITNESS) -> None:
        self._lab = lab
        self.name = name
        self.node: Node = lab.node(WITNESS)
        self._key_line = ""

    def lease_keys(self) -> tuple[str, ...]:
        """What vpnha.toml of the gateways has of it, in its section [lease]."""
        addresses = [f"{self.node.address(network)}:{PORT}" for network in NETWORKS]
        return (f"witness = {json.dumps(addresses)}", f'witness_name = "{self.name}"')

    def enrol(self, gateway: Node) -> None:
        """Its key, as an administrator carries it from a gateway that is configured."""
        self._key_line = gateway.run("vpnha", "witness-key").stdout
        self.node.run(PATH, "enrol", "--key-file", KEY, stdin=self._key_line)

    def start(self) -> None:
        """Returns when it listens."""
        started = self._log().count("event=started")
        self.node.start(PATH, "--key-file", KEY, "--state", STATE,
                        stdout=f"/var/log/{LOG}", stderr=f"/var/log/{LOG}")
        self._lab.wait_for(f"{PROGRAM} of {self.node.name} listens",
                           lambda: self._log().count("event=started") > started, START_LIMIT_S)

    def kill(self) -> None:
        """A fault: it dies at once, and its file stays as it is."""
        self.node.kill_process(PROGRAM)

    def end(self) -> None:
        """As its unit would stop it."""
        self.node.run("pkill", "-TERM", "-x", PROGRAM)
        self._lab.wait_for(f"{PROGRAM} of {self.node.name} has ended",
                           lambda: not self.node.processes(PROGRAM), START_LIMIT_S)

    def lie(self) -> None:
        """A fault: it dies, and another one with its key answers in its place, which lies."""
        self.kill()
        key = self._key_line.split()[-1]
        self.node.start_tool("hostile/lying_witness.py", key, str(PORT), output=f"/var/log/{LOG}")

    def forget(self) -> None:
        """Its directory is empty, as that of a new machine."""
        self.node.run("rm", "-rf", STATE, KEY)

    def delay(self, ms: float, loss_percent: float = 0) -> None:
        """What it sends arrives so much later from now on: a round trip of so many ms."""
        for network in NETWORKS:
            self.node.netem(network, delay_ms=ms, loss_percent=loss_percent)

    def _log(self) -> str:
        return self.node.read_log(LOG)
