# SPDX-License-Identifier: GPL-2.0-or-later
"""What must never happen, counted on the wire by an observer who only listens: numbers that the
gateway used twice, packets that it took twice, L2TP that should have been inside ESP, words that
hang a client of PPTP up."""
from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from .capture_decode import (IP_ICMP, IP_UDP, PORT_L2TP, PORT_PPTP, PPP_CCP, PPP_CHAP,
                             PPP_COMPRESSED, PPP_IP, PPP_IPCP, PPP_IPV6, PPP_LCP, TCP_FIN,
                             TCP_RST, TCP_SYN, Esp, Gre, Icmp, Ike, Ip, L2tp, Ppp, Tcp,
                             read_frames)

L2TP_SCCRQ = 1
L2TP_HELLO = 6
# Of IKEv1 and of IKEv2.
INFORMATIONAL = (5, 37)
LCP_ECHO_REQUEST, LCP_ECHO_REPLY = 9, 10
SEQ16 = 1 << 16
COHERENCY_COUNTS = 1 << 12
# Of the probes' numbers, which wrap after 16 minutes: within it the same number is the same probe.
PROBE_WRAPS_S = 600.0


@dataclass(slots=True)
class WireInvariants:
    """Numbers that were used twice; None: nothing to observe."""

    l2tp_ns_reused: int | None = None
    l2tp_ns_led: int | None = None
    esp_seq_reused: int | None = None
    gre_seq_reused: int | None = None
    mppe_index_reused: int | None = None


def sequence_invariants(outside_pcaps: Iterable[Path], vip: str,
                        client_mac: str | None = None) -> WireInvariants:
    """Looks for numbers that the gateway used twice, whichever nodes sent them.

    L2TP: one Ns, two different messages. A retransmission is the same message; an acknowledgement
    without a message (ZLB) uses no number. A HELLO with a number that the client has already
    acknowledged is not counted: it is how a resumed tunnel asks the client for its counters, and
    the client can only take it for a duplicate. Counted by itself (`l2tp_ns_led`) is a number that
    the client did not expect yet, and has not acknowledged when the other message comes: only who
    forges the client's Nr leads a gateway there. Frames of `client_mac` alone are the client's.

    GRE: an LCP Echo-Request under a number that has reached the client is not counted: it is how a
    resumed call asks what the client has.
    """
    ns = _ControlNumbers()
    esp_reused = gre_reused = mppe_reused = 0
    esp_seen = gre_seen = mppe_seen = False
    for path in outside_pcaps:
        ns.begin()
        used: set[tuple[str, int, int]] = set()
        indexes: dict[int, _MppeIndexes] = {}
        for frame in read_frames(path):
            ip = frame.ip
            if ip is None or vip not in (ip.src, ip.dst):
                continue
            upper = ip.upper
            if isinstance(upper, L2tp):
                if upper.control and ip.src == vip:
                    ns.sent(ip, upper)
                elif upper.control and client_mac in (None, frame.src_mac):
                    ns.received(ip, upper)
            elif isinstance(upper, Tcp) and PORT_PPTP in (upper.sport, upper.dport):
                if upper.flags & TCP_SYN:
                    # A new control connection may give out old call ids, counted from 0 again.
                    used = {key for key in used if key[0] != "gre"}
                    indexes = {}
            elif ip.src == vip and isinstance(upper, Esp):
                esp_seen = True
                esp_reused += ("esp", upper.spi, upper.seq) in used
                used.add(("esp", upper.spi, upper.seq))
            elif ip.src == vip and isinstance(upper, Gre) and upper.seq is not None:
                gre_seen = True
                gre_reused += (("gre", upper.call, upper.seq) in used
                               and not _is_echo_request(upper.ppp))
                used.add(("gre", upper.call, upper.seq))
                if upper.ppp is not None and upper.ppp.coherency is not None:
                    mppe_seen = True
                    mppe_reused += indexes.setdefault(upper.call, _MppeIndexes()).take(
                        upper.ppp.coherency)
    return WireInvariants(l2tp_ns_reused=ns.reused if ns.seen else None,
                          l2tp_ns_led=ns.led if ns.seen else None,
                          esp_seq_reused=esp_reused if esp_seen else None,
                          gre_seq_reused=gre_reused if gre_seen else None,
                          mppe_index_reused=mppe_reused if mppe_seen else None)


@dataclass(slots=True)
class _Sent:
    avps: bytes
    count: int  # Of the capture's messages.
    ahead: bool  # Of what the client expected.


class _ControlNumbers:
    """The Ns of L2TP's control messages to the clients of a capture."""

    def __init__(self) -> None:
        self.reused = self.led = 0
        self.seen = False
        self.begin()

    def begin(self) -> None:
        """A capture begins."""
        self._sent: dict[tuple[str, int | None, int], dict[int, _Sent]] = {}
        self._acked: dict[tuple[str, int | None], int] = {}
        self._count = 0

    def received(self, ip: Ip, packet: L2tp) -> None:
        self.seen = True
        if packet.message == L2TP_SCCRQ:
            self._acked.pop((ip.src, ip.sport), None)
        elif packet.nr is not None:
            self._acked[(ip.src, ip.sport)] = packet.nr

    def sent(self, ip: Ip, packet: L2tp) -> None:
        self.seen = True
        if not packet.avps or packet.ns is None:
            return
        self._count += 1
        expected = self._acked.get((ip.dst, ip.dport))
        # By serial numbers, as the client compares: RFC 2661 5.8.
        ahead = 0 if expected is None else (packet.ns - expected) % SEQ16
        if packet.message == L2TP_HELLO and ahead > SEQ16 // 2:
            return  # It asks for the counters.
        numbers = self._sent.setdefault((ip.dst, ip.dport, packet.tunnel), {})
        known = numbers.get(packet.ns)
        message = _Sent(packet.avps, self._count, 0 < ahead < SEQ16 // 2)
        if known is None or self._count - known.count > SEQ16 // 2:
            numbers[packet.ns] = message
        elif known.avps != packet.avps:
            if known.ahead and ahead < SEQ16 // 2:
                self.led += 1
                numbers[packet.ns] = message
            else:
                self.reused += 1


class _MppeIndexes:
    """The indexes of one call's packets, of which each packet shows 12 bits."""

    def __init__(self) -> None:
        self._next = 0
        self._used: set[int] = set()

    def take(self, coherency: int) -> bool:
        """Whether the index was used before."""
        ahead = (coherency - self._next) % COHERENCY_COUNTS
        # Half the counts ahead is behind: an old index.
        index = self._next + ahead - (COHERENCY_COUNTS if ahead >= COHERENCY_COUNTS // 2 else 0)
        known = index in self._used
        self._used.add(index)
        self._next = max(self._next, index + 1)
        return known


def _is_echo_request(ppp: Ppp | None) -> bool:
    return ppp is not None and ppp.protocol == PPP_LCP and ppp.code == LCP_ECHO_REQUEST


def pptp_hang_ups(client_pcap: Path, vip: str, span: tuple[float, float]) -> list[str]:
    """What the gateway has sent to a client of PPTP in a time that ends its call, or asks for it
    anew: an end of TCP, an ICMP error, and of PPP anything but echoes and data."""
    start, end = span
    return [f"{frame.t - start:.3f} s: {what}" for frame in read_frames(client_pcap)
            if start <= frame.t <= end and frame.ip is not None and frame.ip.src == vip
            and (what := _hang_up(frame.ip))]


def _hang_up(ip: Ip) -> str:
    upper = ip.upper
    if isinstance(upper, Tcp) and upper.sport == PORT_PPTP:
        return "RST" if upper.flags & TCP_RST else "FIN" if upper.flags & TCP_FIN else ""
    if ip.protocol == IP_ICMP and not isinstance(upper, Icmp):
        return "ICMP error"
    ppp = upper.ppp if isinstance(upper, Gre) else None
    if ppp is None or (ppp.protocol == PPP_LCP
                       and ppp.code in (LCP_ECHO_REQUEST, LCP_ECHO_REPLY)):
        return ""
    names = {PPP_LCP: "LCP", PPP_IPCP: "IPCP", PPP_CCP: "CCP", PPP_CHAP: "CHAP"}
    return f"{names[ppp.protocol]} code {ppp.code}" if ppp.protocol in names else ""


def cleartext_l2tp(client_pcap: Path, client_ip: str, sent_pcaps: Iterable[Path], public_ip: str,
                   vip: str) -> int | None:
    """Packets of L2TP outside of ESP between the gateway and a client that speaks it inside only. A
    NAT lets none pass to the client, so what gateways send to the client's public address counts
    too. None: not a packet of theirs was seen."""
    found, seen = 0, False
    for frame in read_frames(client_pcap):
        if frame.ip is not None and {frame.ip.src, frame.ip.dst} == {client_ip, vip}:
            seen = True
            found += _may_be_l2tp(frame.ip)
    if public_ip == client_ip:
        return found if seen else None
    for path in sent_pcaps:
        for frame in read_frames(path):
            if frame.ip is not None and (frame.ip.src, frame.ip.dst) == (vip, public_ip):
                seen = True
                found += _may_be_l2tp(frame.ip)
    return found if seen else None


def l2tp_sent(sent_pcaps: Iterable[Path], vip: str) -> int:
    """Packets of L2TP that gateways have sent outside of ESP, to whomever."""
    return sum(frame.ip is not None and frame.ip.src == vip and _may_be_l2tp(frame.ip)
               for path in sent_pcaps for frame in read_frames(path))


def _may_be_l2tp(ip: Ip) -> bool:
    """By its ports: what cannot be read is in the clear all the same."""
    return ip.protocol == IP_UDP and PORT_L2TP in (ip.sport, ip.dport)


def ike_answers(pcap: Path, vip: str, span: tuple[float, float]) -> int:
    """How often in a time the gateway has spoken of nothing but being alive."""
    start, end = span
    return sum(start <= frame.t <= end and frame.ip is not None and frame.ip.src == vip
               and isinstance(frame.ip.upper, Ike)
               and frame.ip.upper.exchange in INFORMATIONAL for frame in read_frames(pcap))


def replays_accepted(inside_pcaps: Iterable[Path], clients: str, server_ip: str) -> int | None:
    """Probes of clients in that network which gateways have put onto the inside more than once: the
    client sends each once, so the copy was an old packet that its SA has taken again. None: no
    probe was seen."""
    network = ipaddress.ip_network(clients)
    times: dict[tuple[str, int, int], list[float]] = {}
    for path in inside_pcaps:
        for frame in read_frames(path):
            ip = frame.ip
            if (ip is not None and isinstance(ip.upper, Icmp) and not ip.upper.reply
                    and ip.dst == server_ip and ipaddress.ip_address(ip.src) in network):
                times.setdefault((ip.src, ip.upper.ident, ip.upper.seq), []).append(frame.t)
    if not times:
        return None
    return sum(after - before < PROBE_WRAPS_S for seen in times.values()
               for before, after in pairwise(sorted(seen)))


def cleartext_pptp(client_pcap: Path, vip: str) -> int | None:
    """Users' packets in the clear within GRE, between a client with MPPE and its gateway. None: not
    one was seen, encrypted or not."""
    clear, encrypted = 0, 0
    for frame in read_frames(client_pcap):
        ip = frame.ip
        if ip is None or vip not in (ip.src, ip.dst):
            continue
        if isinstance(ip.upper, Gre) and ip.upper.ppp is not None:
            clear += ip.upper.ppp.protocol in (PPP_IP, PPP_IPV6)
            encrypted += ip.upper.ppp.protocol == PPP_COMPRESSED
    return clear if clear or encrypted else None


def pptp_acknowledgements(client_pcap: Path, vip: str) -> int | None:
    """Packets of GRE with which a client acknowledges something. None: it sent none at all."""
    sent = [frame.ip.upper for frame in read_frames(client_pcap) if frame.ip is not None and
            frame.ip.dst == vip and isinstance(frame.ip.upper, Gre)]
    return sum(packet.acknowledges for packet in sent) if sent else None
