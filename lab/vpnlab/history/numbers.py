# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers that a gateway may use once, whichever node sends them: of ESP, GRE, MPPE, WireGuard, of
the control messages of L2TP, and of IKEv2's requests."""
from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from ..evidence.capture_decode import (PORT_PPTP, PPP_CCP, PPP_LCP, TCP_SYN, Esp, Gre, Ike, Ip,
                                       L2tp, Ppp, Tcp, Wireguard)
from .owners import Session
from .packets import Packet
from .violations import (ESP_NUMBER, GRE_NUMBER, IKE_ID, L2TP_NS, MPPE_COUNT, WIREGUARD_NUMBER,
                         Place, Violation)

L2TP_SCCRP, L2TP_STOP_CCN, L2TP_HELLO = 2, 4, 6
LCP_ECHO_REQUEST = 9
CCP_ACK = 2
IKE_SA_INIT, IKE_V2 = 34, 2
SEQ16 = 1 << 16
COUNTS = 1 << 12
# How many numbers a page of Used has, as a power of two.
PAGE_BITS = 10

Found = Callable[[Violation], None]


class Used:
    """A set of numbers most of which follow one another: a bit each."""

    def __init__(self) -> None:
        self._pages: dict[int, int] = {}

    def take(self, number: int) -> bool:
        """Whether the number was taken before."""
        page, bit = number >> PAGE_BITS, 1 << (number & ((1 << PAGE_BITS) - 1))
        bits = self._pages.get(page, 0)
        self._pages[page] = bits | bit
        return bool(bits & bit)


@dataclass(slots=True)
class _Call:
    """What a client of PPTP gets in one call. `count`: the last one of MPPE."""

    used: Used = field(default_factory=Used)
    count: int | None = None


@dataclass(slots=True)
class _Tunnel:
    """The control messages of a tunnel by their Ns, each with its place among all."""

    messages: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    sent: int = 0
    highest: int = 0


class Numbers:
    """Of one vantage."""

    def __init__(self, vantage: str, found: Found) -> None:
        self._vantage = vantage
        self._found = found
        self._sas: dict[tuple[str, int], Used] = {}
        self._keys: dict[tuple[str, int], Used] = {}
        self._calls: dict[str, dict[int, _Call]] = {}
        self._tunnels: dict[tuple[str, int | None, int], _Tunnel] = {}
        # The next Ns that a client expects.
        self._expected: dict[tuple[str, int | None], int] = {}
        self._requests: dict[Hashable, int] = {}
        # By what it is, the finding that further packets of the same kind belong to.
        self._open: dict[tuple[str, str], Violation] = {}
        self._seen = dict.fromkeys(("esp_packets", "gre_packets", "gre_asked_again", "mppe_packets",
                                    "l2tp_messages", "l2tp_asked_again", "ike_requests",
                                    "ike_requests_repeated", "wireguard_packets"), 0)
        self._of_calls = 0

    def take(self, packet: Packet) -> None:
        """From a gateway."""
        ip = packet.frame.ip
        upper = None if ip is None else ip.upper
        if ip is None or upper is None:
            return
        if isinstance(upper, Esp):
            self._esp(packet, ip, upper)
        elif isinstance(upper, Gre):
            if upper.seq is not None:
                self._gre(packet, ip, upper, upper.seq)
        elif isinstance(upper, L2tp):
            # Whoever has tunnel 0 has none.
            if upper.control and upper.tunnel and upper.avps and upper.ns is not None:
                self._l2tp(packet, ip, upper, upper.ns)
        elif isinstance(upper, Ike):
            if upper.major == IKE_V2 and not upper.response and upper.exchange != IKE_SA_INIT:
                self._ike(packet, upper)
        elif isinstance(upper, Wireguard):
            if upper.receiver is not None and upper.counter is not None:
                self._wireguard(packet, ip, upper.receiver, upper.counter)
        elif isinstance(upper, Tcp) and PORT_PPTP in (upper.sport, upper.dport):
            if upper.flags & TCP_SYN:
                # A new control connection may give out old call ids, which count from 0 again.
                self._calls.pop(ip.dst, None)

    def answered(self, packet: Packet) -> None:
        """A control message of L2TP by a client: what it expects next."""
        ip = packet.frame.ip
        if ip is not None and isinstance(ip.upper, L2tp) and ip.upper.nr is not None:
            self._expected[(ip.src, ip.sport)] = ip.upper.nr

    def seen(self) -> dict[str, int]:
        return {"esp_sas": len(self._sas), "gre_calls": self._of_calls,
                "l2tp_tunnels": len(self._tunnels), "wireguard_keys": len(self._keys), **self._seen}

    def _violated(self, kind: str, what: str, place: Place) -> None:
        known = self._open.get((kind, what))
        if known is None:
            known = self._open[(kind, what)] = Violation(kind, self._vantage, what)
            known.add(place)
            self._found(known)
        else:
            known.add(place)

    def _esp(self, packet: Packet, ip: Ip, esp: Esp) -> None:
        self._seen["esp_packets"] += 1
        used = self._sas.get((ip.dst, esp.spi))
        if used is None:
            used = self._sas[(ip.dst, esp.spi)] = Used()
        if used.take(esp.seq):
            self._violated(ESP_NUMBER, f"SA {esp.spi:08x} to {ip.dst}", packet.place)

    def _wireguard(self, packet: Packet, ip: Ip, receiver: int, counter: int) -> None:
        self._seen["wireguard_packets"] += 1
        used = self._keys.get((ip.dst, receiver))
        if used is None:
            used = self._keys[(ip.dst, receiver)] = Used()
        if used.take(counter):
            self._violated(WIREGUARD_NUMBER, f"keys {receiver:08x} of {ip.dst}", packet.place)

    def _gre(self, packet: Packet, ip: Ip, gre: Gre, seq: int) -> None:
        self._seen["gre_packets"] += 1
        calls = self._calls.setdefault(ip.dst, {})
        call = calls.get(gre.call)
        if call is None:
            call = calls[gre.call] = _Call()
            self._of_calls += 1
        if call.used.take(seq):
            if _asks(gre.ppp):
                # How a resumed call asks its client for what it has.
                self._seen["gre_asked_again"] += 1
            else:
                self._violated(GRE_NUMBER, f"call {gre.call} to {ip.dst}", packet.place)
        ppp = gre.ppp
        if ppp is not None and ppp.protocol == PPP_CCP and ppp.code == CCP_ACK:
            call.count = None  # New keys, counted from 0.
        elif ppp is not None and ppp.coherency is not None:
            self._mppe(packet, ip, gre.call, call, ppp.coherency)

    def _mppe(self, packet: Packet, ip: Ip, number: int, call: _Call, count: int) -> None:
        """A client takes a jump of less than half of all counts for one ahead."""
        self._seen["mppe_packets"] += 1
        if call.count is not None and not 0 < (count - call.count) % COUNTS < COUNTS // 2:
            self._violated(MPPE_COUNT, f"call {number} to {ip.dst}", packet.place)
        else:
            call.count = count

    def _l2tp(self, packet: Packet, ip: Ip, message: L2tp, ns: int) -> None:
        self._seen["l2tp_messages"] += 1
        key = (ip.dst, ip.dport, message.tunnel)
        tunnel = self._tunnels.setdefault(key, _Tunnel())
        known = tunnel.messages.get(ns)
        if ns == 0 and known is not None and known[0] != message.avps and message.message in (
                L2TP_SCCRP, L2TP_STOP_CCN):
            # The client has dialled again by the same number.
            tunnel, known = _Tunnel(), None
            self._tunnels[key] = tunnel
        if message.message == L2TP_HELLO and self._behind(ip, tunnel, ns):
            # How a resumed tunnel asks its client for the counters.
            self._seen["l2tp_asked_again"] += 1
            return
        tunnel.sent += 1
        if known is None or tunnel.sent - known[1] > SEQ16 // 2:
            tunnel.messages[ns] = (message.avps, tunnel.sent)
        elif known[0] != message.avps:
            self._violated(L2TP_NS, f"tunnel {message.tunnel} of {ip.dst}:{ip.dport}, Ns {ns}",
                           packet.place)
        if 0 < (ns - tunnel.highest) % SEQ16 < SEQ16 // 2:
            tunnel.highest = ns

    def _behind(self, ip: Ip, tunnel: _Tunnel, ns: int) -> bool:
        """The client has acknowledged the number; where nobody has seen what it sent, the gateway
        has sent a higher one."""
        expected = self._expected.get((ip.dst, ip.dport), tunnel.highest)
        return 0 < (expected - ns) % SEQ16 <= SEQ16 // 2

    def _ike(self, packet: Packet, ike: Ike) -> None:
        self._seen["ike_requests"] += 1
        key = (ike.initiator_spi, ike.responder_spi, ike.from_initiator, ike.message_id,
               ike.fragment)
        content = hash(ike.body)
        if key not in self._requests:
            self._requests[key] = content
        elif self._requests[key] == content:
            self._seen["ike_requests_repeated"] += 1
        else:
            self._violated(IKE_ID, f"IKE SA {ike.initiator_spi.hex()}, request {ike.message_id}",
                           packet.place)


def session_of(ip: Ip | None) -> Session | None:
    """Which session of a client a gateway's packet is of, by what the client knows it by."""
    if ip is None:
        return None
    upper = ip.upper
    if isinstance(upper, Esp):
        return "ESP", ip.dst, f"{upper.spi:08x}"
    if isinstance(upper, Gre):
        return "GRE", ip.dst, upper.call
    if isinstance(upper, L2tp):
        return ("L2TP", ip.dst, ip.dport, upper.tunnel) if upper.tunnel else None
    if isinstance(upper, Ike):
        return "IKE", ip.dst, upper.initiator_spi.hex()
    if isinstance(upper, Wireguard):
        return None if upper.receiver is None else ("WireGuard", ip.dst, f"{upper.receiver:08x}")
    if isinstance(upper, Tcp) and upper.sport == PORT_PPTP:
        return "PPTP", ip.dst, upper.dport
    return None


def _asks(ppp: Ppp | None) -> bool:
    return ppp is not None and ppp.protocol == PPP_LCP and ppp.code == LCP_ECHO_REQUEST
