# SPDX-License-Identifier: GPL-2.0-or-later
"""One VPN client of a scenario: it dials, makes traffic, hangs up; every step waits until it is
done. What it saw is measured by vpnlab.measure."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from .errors import LabError
from .l2tp_client import INTERFACE, Dialled, L2tpClient, Redial
from .lab import Lab
from .node import Node
from .probes import InterfaceEvent, Probes, Watch, parse_events
from .topology import L2TP, VpnGateway

START_LIMIT_S = 15.0
DIAL_LIMIT_S = 20.0
# pppd asks twice for the end of the link, 3 s each, when the other side has gone already.
HANG_UP_LIMIT_S = 20.0


@dataclasses.dataclass(frozen=True)
class Files:
    """Where the client's evidence lies, in the run's directory."""

    outside: Path
    tunnel: Path
    events: Path
    pings: Path
    stream: Path
    logs: tuple[Path, ...]


class VpnClient:
    """An L2TP client with its probes."""

    protocol = "l2tp"

    def __init__(self, lab: Lab, name: str, out: Path, redial: Redial | None = None,
                 gateway: VpnGateway = L2TP) -> None:
        self.node: Node = lab.node(name)
        self.name = name
        self.gateway = gateway
        self.traffic_from: float | None = None
        self.traffic_until: float | None = None
        self.stream: dict | None = None
        self.clock_offset_s = 0.0
        self._lab = lab
        self._l2tp = L2tpClient(self.node, redial, gateway=gateway)
        self._watch = Watch(self.node, INTERFACE)
        self._probes = Probes(self.node)
        self.files = Files(out / f"{name}-outside.pcap", out / f"{name}-{INTERFACE}.pcap",
                           out / f"{name}-{INTERFACE}.events", out / f"{name}-ping.log",
                           out / f"{name}-stream.json",
                           tuple(out / "logs" / name / f"{log}.log"
                                 for log in ("pppd", "xl2tpd")))
        self._capture = lab.capture(name, "outside", self.files.outside)
        self._watch.start()
        self._l2tp.start()
        lab.wait_for(f"daemons of {name} are ready",
                     lambda: self._watch.watching() and self._l2tp.ready(), START_LIMIT_S)

    def dial(self) -> Dialled:
        """Dials and waits for the tunnel interface."""
        before = len(self._l2tp.dialled())
        self._l2tp.dial()
        self._lab.wait_for(f"{INTERFACE} of {self.name} is up",
                           lambda: len(self._l2tp.dialled()) > before, DIAL_LIMIT_S)
        return self._l2tp.dialled()[-1]

    def dialled(self) -> list[Dialled]:
        """Every time a session came up."""
        return self._l2tp.dialled()

    def start_traffic(self) -> None:
        """Pings and a TCP stream to the server; returns when both are answered."""
        self._probes.start()
        self._lab.wait_for(f"traffic of {self.name} flows", self._probes.flowing, START_LIMIT_S)
        self.traffic_from = self._lab.now()

    def gone(self) -> bool:
        """Whether the session has ended, for whatever reason."""
        return self._l2tp.gone()

    def answered_pings(self) -> int:
        return self._probes.pings().answered

    def stop_traffic(self) -> None:
        """Ends the observation: what follows, such as hanging up, is not counted."""
        self.traffic_until = self._lab.now()
        self.stream = self._probes.stop(self.files.pings, self.files.stream)

    def hang_up(self) -> None:
        """Ends the session as a user does and waits until the interface is gone."""
        self._l2tp.hang_up()
        self._lab.wait_for(f"{INTERFACE} of {self.name} is gone", self._l2tp.gone,
                           HANG_UP_LIMIT_S)

    def collect(self) -> list[str]:
        """Brings the evidence to the host; says what could not be had. A client without power
        has no evidence but the captures outside of it."""
        problems: list[str] = []
        if not self.node.powered():
            return problems
        if self.traffic_from is not None and self.traffic_until is None:
            problems += _tried(self.stop_traffic)
        problems += _tried(lambda: self._watch.fetch(self.files.tunnel, self.files.events))
        problems += _tried(self._read_clock)
        return problems

    def _read_clock(self) -> None:
        self.clock_offset_s = self.node.clock().offset_s

    def interface_events(self) -> list[InterfaceEvent]:
        """What became of the tunnel interface, at the host's time."""
        if not self.files.events.exists():
            return []
        return [dataclasses.replace(event, t=event.t - self.clock_offset_s)
                for event in parse_events(self.files.events.read_text(encoding="ascii"))]

    def interface_changes(self, since: float) -> int | None:
        """Births, deaths and address changes of the interface until the traffic's end."""
        if not self.files.events.exists() or self.traffic_until is None:
            return None
        return sum(since <= event.t <= self.traffic_until for event in self.interface_events())


def _tried(action: Callable[[], None]) -> list[str]:
    try:
        action()
    except (LabError, OSError) as error:
        return [str(error)]
    return []
