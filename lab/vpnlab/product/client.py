# SPDX-License-Identifier: GPL-2.0-or-later
"""One VPN client of a scenario, a dialler and its probes: it dials, makes traffic, hangs up; every
step waits until it is done. What it saw is measured by vpnlab.measure."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from ..host.errors import LabError
from ..host.lab import Lab
from ..host.node import Node
from ..host.topology import VpnGateway
from .dialler import Dialled, Dialler
from .probes import InterfaceEvent, Pace, Probes, Watch, parse_events

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
    def __init__(self, lab: Lab, dialler: Dialler, out: Path, pace: Pace) -> None:
        """Returns when it may dial, watched and captured from now on."""
        self.node: Node = dialler.node
        self.name = name = self.node.name
        self.traffic_from: float | None = None
        self.traffic_until: float | None = None
        self.stream: dict | None = None
        self.clock_offset_s = 0.0
        self._lab = lab
        self._dialler = dialler
        self._watch = Watch(self.node, dialler.interface)
        self.pace = pace
        self._probes = Probes(self.node, pace)
        access, interface = self.node.spec.access, dialler.interface
        self.files = Files(out / f"{name}-{access}.pcap", out / f"{name}-{interface}.pcap",
                           out / f"{name}-{interface}.events", out / f"{name}-ping.log",
                           out / f"{name}-stream.json",
                           tuple(out / "logs" / name / log for log in dialler.logs))
        lab.capture(name, access, self.files.outside)
        self._watch.start()
        dialler.start()
        lab.wait_for(f"daemons of {name} are ready",
                     lambda: self._watch.watching() and dialler.ready(), START_LIMIT_S)

    @property
    def protocol(self) -> str:
        return self._dialler.protocol

    @property
    def interface(self) -> str:
        """By which its traffic enters the tunnel."""
        return self._dialler.interface

    @property
    def gateway(self) -> VpnGateway:
        return self._dialler.gateway

    def dial(self) -> Dialled:
        """Dials and waits for the session."""
        before = len(self._dialler.dialled())
        self._dialler.dial()
        self._lab.wait_for(f"{self._dialler.interface} of {self.name} is up",
                           lambda: len(self._dialler.dialled()) > before, DIAL_LIMIT_S)
        return self._dialler.dialled()[-1]

    def dialled(self) -> list[Dialled]:
        """Every time a session came up."""
        return self._dialler.dialled()

    def start_traffic(self) -> None:
        """Pings and a TCP stream to the server; returns when both are answered."""
        self._probes.start()
        self._lab.wait_for(f"traffic of {self.name} flows", self._probes.flowing, START_LIMIT_S)
        self.traffic_from = self._lab.now()

    def gone(self) -> bool:
        """Whether the session has ended, for whatever reason."""
        return self._dialler.gone()

    def answered_pings(self) -> int:
        return self._probes.pings().answered

    def stop_traffic(self) -> None:
        """Ends the observation: what follows, such as hanging up, is not counted."""
        self.traffic_until = self._lab.now()
        self.stream = self._probes.stop(self.files.pings, self.files.stream)

    def hang_up(self) -> None:
        """Ends the session as a user does and waits until it is gone."""
        self._dialler.hang_up()
        self._lab.wait_for(f"{self._dialler.interface} of {self.name} is gone",
                           self._dialler.gone, HANG_UP_LIMIT_S)
        self._dialler.close()

    def collect(self) -> list[str]:
        """Brings the evidence to the host; returns what could not be had. A client without power
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
