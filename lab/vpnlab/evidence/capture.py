# SPDX-License-Identifier: GPL-2.0-or-later
"""What the client saw: probes, silence and every protocol message that should not have been.

Two kinds of capture: `outside`, at the client's tap on the outside bridge, on the host's clock;
`tunnel`, inside the client on its PPP interface, moved to the host's clock by the caller's
offset. Without encryption the outside capture alone shows everything, because it sees through
L2TP and GRE; under IPsec or MPPE the probes come from the tunnel captures. A probe that is in
both is taken from outside, request and reply alike, so that no round trip mixes two clocks.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .capture_decode import (IP_TCP, PORT_PPTP, PPP_CCP, PPP_CHAP, PPP_COMPRESSED, PPP_EAP,
                             PPP_IPCP, PPP_IPV6CP, PPP_LCP, PPP_PAP, TCP_ACK, TCP_FIN, TCP_RST,
                             TCP_SYN, Esp, Frame, Gre, Icmp, Ike, Ip, L2tp, Ppp, Tcp, read_frames)
from .capture_logs import count_ppp_log, timeline_from_logs
from .capture_vip import VipAnalysis, analyse_vip, standby_frames
from .result import ClientResult, ClientSeries, Event

__all__ = [
    "VipAnalysis", "analyse_client", "analyse_vip", "standby_frames", "timeline_from_logs",
]

L2TP_SCCRQ = 1
CODE_REQUEST = 1
CODE_RESET_REQUEST = 14
# Exchanges that set something up: IKEv1 main, aggressive, quick; IKEv2 SA_INIT, AUTH, CREATE_CHILD.
IKE_SETUP_EXCHANGES = frozenset({2, 4, 32, 34, 35, 36})

# A probe still in flight when the capture ends was not lost.
IN_FLIGHT_MAX_S = 0.1
# The gateway's last answers may arrive this long after the fault's time stamp.
FAULT_SETTLES_S = 0.25
# Of one number: a question that comes so much later than the one before is another one.
NUMBER_AGAIN_S = 60.0
# More missing probe numbers than this in one place is a new run of the prober, not a loss.
MISSING_SEQ_MAX = 30000
TCP_POINTS_MAX = 1500
SEQ16 = 1 << 16
SEQ32 = 1 << 32


@dataclass(slots=True)
class _Probe:
    sent: float | None = None
    answered: float | None = None
    outside: bool = False


@dataclass(slots=True)
class _TcpProgress:
    """Bytes the server has sent in one connection: how far its numbers have come."""

    first: int
    highest: int = 0


@dataclass(slots=True)
class _Echoed:
    """What one kind of capture saw of the streams' answers."""

    streams: dict[tuple[Any, ...], _TcpProgress] = field(default_factory=dict)
    points: list[tuple[float, int]] = field(default_factory=list)
    total: int = 0


@dataclass
class _Observed:
    """Everything counted while reading, each with the time at which it was first seen."""

    probes: dict[tuple[str, int, int], _Probe] = field(default_factory=dict)
    earlier_probes: list[tuple[tuple[str, int, int], _Probe]] = field(default_factory=list)
    first_seen: dict[tuple[Any, ...], float] = field(default_factory=dict)
    echoed_outside: _Echoed = field(default_factory=_Echoed)
    echoed_tunnel: _Echoed = field(default_factory=_Echoed)
    # Directions of TCP inside the tunnel in which all was sent.
    finished: set[tuple[str, str, int, int]] = field(default_factory=set)
    l2tp_seen: bool = False
    ppp_clear: bool = False
    ppp_encrypted: bool = False
    esp_seen: bool = False
    frames: int = 0
    last_t: float | None = None

    def once(self, t: float, *key: Any) -> None:
        if t < self.first_seen.get(key, t + 1.0):
            self.first_seen[key] = t


def analyse_client(
    outside_pcap: Path,
    tunnel_pcaps: Sequence[Path],
    t_fault: float | None,
    client_ip: str,
    server_ip: str,
    vip: str,
    log_files: Sequence[Path] = (),
    *,
    name: str,
    protocol: str,
    probe_interval_s: float,
    clock_offset_s: Mapping[Path, float] | float = 0.0,
    t_end: float | None = None,
    stream: Mapping[str, Any] | None = None,
    interface_changes: int | None = None,
) -> ClientResult:
    """Counts what happened to one client from `t_fault` on (without a fault: over all).

    `t_end`, where given, ends the observation (the scenario stops probing before it tears down).
    `stream` is what the TCP streamer reported: bytes_sent, bytes_echoed, intact.
    """
    seen = _Observed()
    for frame in read_frames(outside_pcap):
        if t_end is None or frame.t <= t_end:
            _take(seen, frame, server_ip, client_ip, vip, outside=True)
    for path in tunnel_pcaps:
        for frame in read_frames(path, _offset(clock_offset_s, path)):
            if t_end is None or frame.t <= t_end:
                _take(seen, frame, server_ip, client_ip, vip, outside=False)
    end = t_end if t_end is not None else seen.last_t
    result = ClientResult(name, protocol, interface_changes=interface_changes)
    if seen.frames and end is not None:
        _fill_counts(result, seen, t_fault, log_files)
        _fill_probes(result, seen, t_fault, end, probe_interval_s)
    # One of the two, never their sum: both captures show the same bytes.
    points = seen.echoed_outside.points or seen.echoed_tunnel.points
    result.series.tcp_echoed = _thin(points, TCP_POINTS_MAX)
    if stream is not None:
        result.tcp_bytes_sent = stream.get("bytes_sent")
        result.tcp_bytes_echoed = stream.get("bytes_echoed")
        result.tcp_intact = stream.get("intact")
    return result


def _offset(offsets: Mapping[Path, float] | float, path: Path) -> float:
    return offsets.get(path, 0.0) if isinstance(offsets, Mapping) else offsets


def _take(seen: _Observed, frame: Frame, server_ip: str, client_ip: str, vip: str,
          outside: bool) -> None:
    seen.frames += 1
    # A tunnel capture's clock is only nearly the host's: it does not decide when the run ended.
    if outside or seen.last_t is None:
        seen.last_t = max(seen.last_t or frame.t, frame.t)
    ip = frame.ip
    if ip is None:
        return
    if not outside:
        _take_inner(seen, frame.t, ip, server_ip, outside)
        return
    if client_ip not in (ip.src, ip.dst):
        return
    t, upper = frame.t, ip.upper
    if isinstance(upper, L2tp):
        seen.l2tp_seen = True
        if upper.message == L2TP_SCCRQ:
            seen.once(t, "l2tp", ip.src, ip.sport, upper.ns, upper.assigned_tunnel)
        if upper.ppp:
            _take_ppp(seen, t, ip, upper.ppp, server_ip)
    elif isinstance(upper, Gre):
        if upper.ppp:
            _take_ppp(seen, t, ip, upper.ppp, server_ip)
    elif isinstance(upper, Ike):
        if upper.exchange in IKE_SETUP_EXCHANGES:
            seen.once(t, "ike", upper.initiator_spi, upper.exchange, upper.message_id)
    elif isinstance(upper, Esp):
        seen.esp_seen = True
    elif isinstance(upper, Tcp) and PORT_PPTP in (upper.sport, upper.dport):
        if upper.flags & TCP_SYN and not upper.flags & TCP_ACK:
            seen.once(t, "pptp", ip.src, upper.sport, upper.seq)
        if upper.flags & TCP_RST and vip in (ip.src, ip.dst):
            seen.once(t, "reset", ip.src, ip.dst, upper.sport, upper.dport, upper.seq)


def _take_ppp(seen: _Observed, t: float, outer: Ip, ppp: Ppp, server_ip: str) -> None:
    if ppp.protocol == PPP_COMPRESSED:
        seen.ppp_encrypted = True
        return
    seen.ppp_clear = True
    if ppp.inner is not None:
        _take_inner(seen, t, ppp.inner, server_ip, outside=True)
    elif ppp.code == CODE_REQUEST and ppp.protocol in (PPP_LCP, PPP_IPCP, PPP_IPV6CP):
        seen.once(t, "ppp", seen.frames)
    elif ppp.code == CODE_REQUEST and ppp.protocol in (PPP_CHAP, PPP_PAP, PPP_EAP):
        seen.once(t, "auth", ppp.protocol, outer.src, ppp.body)
    elif ppp.protocol == PPP_CCP and ppp.code in (CODE_REQUEST, CODE_RESET_REQUEST):
        seen.once(t, "ccp", seen.frames)


def _take_inner(seen: _Observed, t: float, ip: Ip, server_ip: str, outside: bool) -> None:
    upper = ip.upper
    if server_ip not in (ip.src, ip.dst):
        return
    if isinstance(upper, Icmp):
        _take_probe(seen, t, ip, upper, server_ip, outside)
    elif isinstance(upper, Tcp) and ip.protocol == IP_TCP:
        there = (ip.src, ip.dst, upper.sport, upper.dport)
        back = (ip.dst, ip.src, upper.dport, upper.sport)
        if upper.flags & TCP_SYN:
            seen.finished.discard(there)
        if upper.flags & TCP_FIN:
            seen.finished.add(there)
        # Behind both FINs it answers what was sent again.
        if upper.flags & TCP_RST and not {there, back} <= seen.finished:
            seen.once(t, "reset", ip.src, ip.dst, upper.sport, upper.dport, upper.seq)
        elif ip.src == server_ip:
            _take_stream(seen.echoed_outside if outside else seen.echoed_tunnel, t, ip, upper)


def _take_probe(seen: _Observed, t: float, ip: Ip, icmp: Icmp, server_ip: str,
                outside: bool) -> None:
    asked = not icmp.reply and ip.dst == server_ip
    if not asked and not (icmp.reply and ip.src == server_ip):
        return
    client = ip.src if asked else ip.dst
    key = (client, icmp.ident, icmp.seq)
    probe = seen.probes.get(key)
    if (asked and probe is not None and probe.sent is not None
            and t > probe.sent + NUMBER_AGAIN_S):
        # The prober's 16 bits have begun anew.
        seen.earlier_probes.append((key, probe))
        probe = None
    if probe is None:
        # A reply alone has no time of sending: without the request it shows nothing.
        if asked:
            seen.probes[key] = _Probe(sent=t, outside=outside)
        return
    if probe.outside != outside:
        return
    if not asked and probe.answered is None:
        probe.answered = t


def _take_stream(echoed: _Echoed, t: float, ip: Ip, tcp: Tcp) -> None:
    key = (ip.dst, tcp.sport, tcp.dport)
    stream = echoed.streams.get(key)
    if stream is None or tcp.flags & TCP_SYN:
        stream = echoed.streams[key] = _TcpProgress(tcp.seq + (1 if tcp.flags & TCP_SYN else 0))
    if not tcp.payload_len:
        return
    reached = (tcp.seq + tcp.payload_len - stream.first) % SEQ32
    # Half the number space ahead is "behind": an old segment sent again.
    advance = (reached - stream.highest) % SEQ32
    if 0 < advance < SEQ32 // 2:
        stream.highest = reached
        echoed.total += advance
        echoed.points.append((t, echoed.total))


def _fill_counts(result: ClientResult, seen: _Observed, t_fault: float | None,
                 log_files: Sequence[Path]) -> None:
    def count(kind: str) -> int:
        return sum(1 for key, t in seen.first_seen.items()
                   if key[0] == kind and (t_fault is None or t >= t_fault))

    result.tcp_resets = count("reset")
    result.l2tp_setups = None if seen.esp_seen and not seen.l2tp_seen else count("l2tp")
    result.pptp_setups = count("pptp")
    result.ike_exchanges = count("ike")
    hidden = seen.ppp_encrypted or seen.esp_seen
    if seen.ppp_clear or not hidden:
        result.ppp_renegotiations = count("ppp")
        result.auth_exchanges = count("auth")
        result.ccp_exchanges = count("ccp")
    if hidden:
        # The client's pppd knows what the capture cannot: the larger of the two is what happened.
        logged = count_ppp_log(log_files, t_fault)
        if logged is not None:
            result.ppp_renegotiations = max(result.ppp_renegotiations or 0, logged.configure)
            result.auth_exchanges = max(result.auth_exchanges or 0, logged.auth)
            result.ccp_exchanges = max(result.ccp_exchanges or 0, logged.ccp)
            result.l2tp_setups = max(result.l2tp_setups or 0, logged.l2tp_setups)


def _fill_probes(result: ClientResult, seen: _Observed, t_fault: float | None, t_end: float,
                 interval_s: float) -> None:
    probes = _with_missing([*seen.earlier_probes, *seen.probes.items()])
    answers = sorted(p.answered for p in probes if p.answered is not None)
    counted = [p for p in probes if p.sent is not None
               and (t_fault is None or p.sent >= t_fault)
               and (p.answered is not None or p.sent <= t_end - IN_FLIGHT_MAX_S)]
    result.pings_sent = len(counted)
    result.pings_lost = sum(1 for p in counted if p.answered is None)
    result.series = ClientSeries(pings=sorted(
        (p.sent, None if p.answered is None else p.answered - p.sent)
        for p in probes if p.sent is not None
        and (p.answered is not None or p.sent <= t_end - IN_FLIGHT_MAX_S)))
    before = [t for t in answers if t_fault is None or t < t_fault]
    baseline = _longest_gap(before)
    if baseline is not None:
        result.baseline_gap_ms = _gap_ms(baseline, interval_s)
    if t_fault is None or not answers:
        return
    after = [t for t in answers if t >= t_fault]
    start = before[-1:] or [t_fault]
    result.series.answered_again = bool(after) and after[-1] > t_fault + FAULT_SETTLES_S
    if not result.series.answered_again:
        outage = ((before + after or start)[-1], t_end)
        result.notes.append(Event(t_end, result.name, "no-answer",
                                  "no probe was ever answered again"))
    else:
        # Probes that continue unanswered after the last answer are silence too.
        unanswered = max((p.sent for p in counted if p.answered is None and p.sent is not None),
                         default=after[-1])
        outage = _longest_gap(start + after + [max(unanswered, after[-1])]) or (t_fault, t_fault)
    result.outage_ms = _gap_ms(outage, interval_s)
    result.series.outage = outage
    result.notes.append(Event(outage[0], result.name, "last-answer",
                              "last answer before the longest silence"))
    if result.series.answered_again:
        result.notes.append(Event(outage[1], result.name, "silence-over",
                                  f"longest silence over after {result.outage_ms:.0f} ms"))


def _with_missing(probes: Iterable[tuple[tuple[str, int, int], _Probe]]) -> list[_Probe]:
    """Adds the probes that the prober numbered but could not put on the wire (no interface)."""
    # By the prober's number alone: its address may change with a new session.
    runs: dict[int, list[tuple[int, _Probe]]] = {}
    for (_, ident, seq), probe in probes:
        runs.setdefault(ident, []).append((seq, probe))
    complete: list[_Probe] = []
    for run in runs.values():
        run.sort(key=lambda item: item[1].sent or 0.0)
        complete += [probe for _, probe in run]
        for (seq, probe), (next_seq, following) in zip(run, run[1:]):
            if probe.sent is None or following.sent is None:
                continue
            missing = (next_seq - seq) % SEQ16 - 1
            if 0 < missing < MISSING_SEQ_MAX:
                step = (following.sent - probe.sent) / (missing + 1)
                complete += [_Probe(sent=probe.sent + step * (i + 1)) for i in range(missing)]
    return sorted(complete, key=lambda p: p.sent or 0.0)


def _longest_gap(times: Sequence[float]) -> tuple[float, float] | None:
    if len(times) < 2:
        return None
    return max(zip(times, times[1:]), key=lambda pair: pair[1] - pair[0])


def _gap_ms(gap: tuple[float, float], interval_s: float) -> float:
    return round(max(gap[1] - gap[0] - interval_s, 0.0) * 1000.0, 3)


def _thin(points: list[tuple[float, int]], limit: int) -> list[tuple[float, int]]:
    """Keeps the curve's shape: each kept point is the last of its slice of time."""
    if len(points) <= limit:
        return points
    start, span = points[0][0], max(points[-1][0] - points[0][0], 1e-9)
    kept: dict[int, tuple[float, int]] = {}
    for point in points:
        kept[int((point[0] - start) / span * (limit - 1))] = point
    return [points[0], *kept.values()]
