# SPDX-License-Identifier: GPL-2.0-or-later
"""From evidence to figures: hands captures and logs of a run to the analyses, and puts what they
find together into one Result."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..host.lab import Fault, Lab
from ..host.topology import L2TP, VpnGateway
from ..product.client import VpnClient
from ..product.dialler import IKEV2, L2TP_IPSEC
from ..product.probes import SERVER_ADDRESS
from .capture import VipAnalysis, analyse_client, analyse_vip, standby_frames, timeline_from_logs
from .capture_invariants import cleartext_l2tp, replays_accepted, sequence_invariants
from .capture_vip import Ownership
from .result import ClientResult, Event, Invariants, OwnerChange, Phases, Vip, phases_ms

# Logs with lines that belong on the timeline, below a node's /var/log.
TIMELINE_LOGS = ("corosync/corosync.log", "cluster/corosync.log", "pacemaker/pacemaker.log",
                 "vpnha/vpnhad.log", "vpnhad.log")
# Done to a node on purpose, but ending a fault rather than being one.
REPAIRS = ("thaw", "link-up", "carrier-up")


@dataclasses.dataclass
class Measured:
    """All figures of a run, at the host's time in seconds."""

    clients: list[ClientResult]
    owners: list[OwnerChange]
    vip: Vip
    phases: Phases
    invariants: Invariants
    events: list[Event]
    # Frames from a gateway's addresses that left a node which did not own them.
    standby_frames: list[Event]
    # Who spoke for the addresses, and from when to when.
    ownerships: list[Ownership] = dataclasses.field(default_factory=list)

    def client(self, name: str) -> ClientResult:
        return next(client for client in self.clients if client.name == name)


def first_fault(faults: Sequence[Fault], since: float | None = None) -> float | None:
    """The first one, or for a client the first one under its traffic: what came before its session
    is no concern of it."""
    return next((fault.t for fault in faults if not fault.kind.startswith(REPAIRS)
                 and (since is None or fault.t >= since)), None)


def gateway_captures(lab: Lab, out: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Starts captures of what every gateway sends outside and inside."""
    paths: tuple[dict[str, Path], dict[str, Path]] = ({}, {})
    for node in lab.gateways:
        for network, found in zip(("outside", "inside"), paths):
            found[node.name] = out / f"{node.name}-{network}.pcap"
            lab.capture_sent(node.name, network, found[node.name])
    return paths


def copy_logs(lab: Lab, out: Path) -> None:
    """/var/log and the console of every node, of earlier boots under NODE/boot-N. What the lab's
    own programs log there ("lab-…") is brought to `out` by those who read it."""
    for node in lab.nodes.values():
        directories = node.log_directories()
        for number, directory in enumerate(directories, 1):
            target = out / "logs" / node.name
            if number < len(directories):
                target = target / f"boot-{number}"
            for path in directory.rglob("*"):
                if path.is_file() and path.stat().st_size and not path.name.startswith("lab-"):
                    copy = target / path.relative_to(directory)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    copy.write_bytes(path.read_bytes())
        if node.console.exists():
            (out / f"{node.name}-console.log").write_bytes(node.console.read_bytes())


def log_events(lab: Lab) -> list[Event]:
    """Cluster and daemon events of all gateways, over all their boots. Nodes' clocks were set
    after the host's at boot, so their stamps need no correction."""
    events: list[Event] = []
    for node in lab.gateways:
        for directory in node.log_directories():
            for name in TIMELINE_LOGS:
                path = directory / name
                if path.is_file():
                    text = path.read_text(encoding="utf-8", errors="replace")
                    events += timeline_from_logs(node.name, text, reference_t=lab.now())
    return events


def measure(lab: Lab, clients: Sequence[VpnClient], outside: dict[str, Path],
            inside: dict[str, Path], events: Sequence[Event]) -> Measured:
    """Analyses everything; captures must have been stopped and evidence collected."""
    t_fault = first_fault(lab.faults)
    gateways = list(dict.fromkeys(client.gateway for client in clients)) or [L2TP]
    each = [_gateway(lab, gateway, outside, inside, t_fault) for gateway in gateways]
    vip = _worst([analysis.vip for analysis, _ in each])
    stray = [frame for _, frames in each for frame in frames]
    first_frames = [frame for analysis, _ in each for frame in analysis.first_frames]
    found = [_client(client, first_fault(lab.faults, client.traffic_from)) for client in clients]
    all_events = [*events, *log_events(lab), *first_frames, *stray]
    for result in found:
        all_events += result.notes
    for client in clients:
        all_events += [Event(event.t, client.name, "interface-" + event.kind,
                             " ".join(filter(None, (event.interface, event.kind, event.address))))
                       for event in client.interface_events()]
    return Measured(
        found, each[0][0].served_by, vip,
        Phases() if t_fault is None else phases_ms(all_events, t_fault, _second_fault(lab.faults)),
        _invariants(clients, outside, inside),
        sorted(all_events, key=lambda event: event.t), stray,
        [ownership for analysis, _ in each for ownership in analysis.ownerships])


def _invariants(clients: Sequence[VpnClient], outside: dict[str, Path],
                inside: dict[str, Path]) -> Invariants:
    """Each where a client's protocol has it."""
    wire = [sequence_invariants([client.files.outside], client.gateway.vip_outside,
                                client.node.spec.mac(client.node.spec.access))
            for client in clients]
    clear = [cleartext_l2tp(client.files.outside, client.node.spec.access_address,
                            outside.values(), client.node.spec.public_address,
                            client.gateway.vip_outside)
             for client in clients if client.protocol == L2TP_IPSEC]
    replayed = [replays_accepted(inside.values(), gateway.addresses, SERVER_ADDRESS)
                for gateway in dict.fromkeys(client.gateway for client in clients
                                             if client.protocol in (L2TP_IPSEC, IKEV2))]
    return Invariants(l2tp_ns_reused=_sum(each.l2tp_ns_reused for each in wire),
                      l2tp_ns_led=_sum(each.l2tp_ns_led for each in wire),
                      esp_seq_reused=_sum(each.esp_seq_reused for each in wire),
                      gre_seq_reused=_sum(each.gre_seq_reused for each in wire),
                      mppe_index_reused=_sum(each.mppe_index_reused for each in wire),
                      replays_accepted=_sum(replayed), cleartext_l2tp=_sum(clear))


def _gateway(lab: Lab, gateway: VpnGateway, outside: dict[str, Path], inside: dict[str, Path],
             t_fault: float | None) -> tuple[VipAnalysis, list[Event]]:
    """Who owned a gateway's addresses, and what others sent from them."""
    macs = {node.name: [*node.spec.macs("outside"), *node.spec.macs("inside")]
            for node in lab.gateways}
    analysis = analyse_vip(outside, inside, gateway.vips, t_fault, macs=macs)
    return analysis, standby_frames({name: [outside[name], inside[name]] for name in outside},
                                    [*gateway.vips, gateway.addresses, gateway.net6],
                                    analysis.served_by, macs=macs)


def _worst(vips: Sequence[Vip]) -> Vip:
    """A gateway that was never seen makes the whole unobserved."""
    owners = [vip.owners_max for vip in vips if vip.owners_max is not None]
    overlaps = [vip.overlap_ms for vip in vips if vip.overlap_ms is not None]
    if len(owners) < len(vips) or len(overlaps) < len(vips):
        return Vip()
    return Vip(max(owners), max(overlaps))


def _sum(counts: Iterable[int | None]) -> int | None:
    """Of what was observed; None where nothing was."""
    seen = [count for count in counts if count is not None]
    return sum(seen) if seen else None


def _second_fault(faults: Sequence[Fault]) -> float | None:
    """Phases are those of the first fault: they must have ended before the next one."""
    real = [fault.t for fault in faults if not fault.kind.startswith(REPAIRS)]
    return real[1] if len(real) > 1 else None


def _client(client: VpnClient, t_fault: float | None) -> ClientResult:
    if t_fault is not None:
        return _analyse(client, t_fault)
    # Without a fault there is no outage, and gaps count from the first probe on; but the dial
    # that came before the traffic is no renegotiation.
    whole = _analyse(client, None)
    counted = _analyse(client, client.traffic_from)
    return dataclasses.replace(counted, outage_ms=None, baseline_gap_ms=whole.baseline_gap_ms,
                               series=whole.series, notes=whole.notes)


def _analyse(client: VpnClient, since: float | None) -> ClientResult:
    files = client.files
    return analyse_client(
        files.outside, [files.tunnel] if files.tunnel.exists() else [], since,
        client.node.spec.access_address, SERVER_ADDRESS,
        client.gateway.vip_outside,
        [path for path in files.logs if path.exists()], name=client.name,
        protocol=client.protocol, probe_interval_s=client.pace.ping_s,
        clock_offset_s=-client.clock_offset_s, t_end=client.traffic_until, stream=client.stream,
        interface_changes=None if since is None else client.interface_changes(since))
