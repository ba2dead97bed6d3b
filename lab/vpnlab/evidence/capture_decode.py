# SPDX-License-Identifier: GPL-2.0-or-later
"""From a pcap file to typed packets: the lab's own small, bounds-checked decoder.

python3-dpkt reads the file format (micro- and nanosecond stamps, both byte orders); its packet
classes are not used, because they raise on the truncated or compressed packets that are normal
here, and know neither L2TP nor PPP's compressed headers. Every decoder takes bytes that anybody
may have sent: it returns None, or an IP packet without upper layers, when they are too short.
"""
from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import dpkt

DLT_EN10MB = 1
DLT_PPP = 9
DLT_RAW_BSD = 12
DLT_RAW = 101
DLT_LINUX_SLL = 113
DLT_LINUX_SLL2 = 276

ETH_IPV4 = 0x0800
ETH_ARP = 0x0806
ETH_VLAN = 0x8100
ETH_IPV6 = 0x86DD

IP_ICMP = 1
IP_TCP = 6
IP_UDP = 17
IP_GRE = 47
IP_ESP = 50
IP_ICMPV6 = 58
ICMPV6_ADVERTISEMENT = 136

# Of the header's flags, and the type of a payload.
IKE_INITIATOR, IKE_RESPONSE = 0x08, 0x20
IKE_FRAGMENT = 53

PORT_IKE = 500
PORT_IKE_NAT = 4500
PORT_L2TP = 1701
PORT_PPTP = 1723
PORT_WIREGUARD = 51820
WIREGUARD_DATA = 4

PPP_IP = 0x0021
PPP_IPV6 = 0x0057
PPP_COMPRESSED = 0x00FD
PPP_IPCP = 0x8021
PPP_IPV6CP = 0x8057
PPP_CCP = 0x80FD
PPP_LCP = 0xC021
PPP_PAP = 0xC023
PPP_CHAP = 0xC223
PPP_EAP = 0xC227

TCP_FIN = 0x01
TCP_SYN = 0x02
TCP_RST = 0x04
TCP_ACK = 0x10

# One IP packet inside a PPP frame inside another is all a tunnel makes; more is an attack.
DEPTH_MAX = 2


@dataclass(slots=True)
class Icmp:
    """An ICMP echo; `reply` distinguishes the two directions."""

    reply: bool
    ident: int
    seq: int


@dataclass(slots=True)
class Tcp:
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    payload_len: int


@dataclass(slots=True)
class Ppp:
    """A PPP frame; code, ident and body only for control protocols, the coherency count only for
    MPPE."""

    protocol: int
    code: int | None = None
    ident: int | None = None
    body: bytes = b""
    inner: Ip | None = None
    coherency: int | None = None


@dataclass(slots=True)
class L2tp:
    control: bool
    tunnel: int
    session: int
    ns: int | None = None
    nr: int | None = None  # None in data, where it is reserved.
    message: int | None = None
    avps: bytes = b""
    assigned_tunnel: int | None = None
    ppp: Ppp | None = None


@dataclass(slots=True)
class Gre:
    """GRE version 1 (PPTP)."""

    call: int
    seq: int | None
    ppp: Ppp | None = None
    acknowledges: bool = False


@dataclass(slots=True)
class Esp:
    spi: int
    seq: int


@dataclass(slots=True)
class Ike:
    """`fragment`: its number, of a message in fragments (RFC 7383); `body`: all octets."""

    initiator_spi: bytes
    responder_spi: bytes
    major: int
    exchange: int
    from_initiator: bool
    response: bool
    message_id: int
    fragment: int
    body: bytes


@dataclass(slots=True)
class Wireguard:
    """1: a handshake's initiation, 2: its response, 3: a cookie, 4: data. `receiver`, `counter`: of
    data, by which index its receiver knows the keys, and the packet's number under them."""

    kind: int
    receiver: int | None = None
    counter: int | None = None


@dataclass(slots=True)
class Ip:
    src: str
    dst: str
    protocol: int
    sport: int | None = None
    dport: int | None = None
    upper: Icmp | Tcp | L2tp | Gre | Esp | Ike | Wireguard | None = None
    # Of a neighbour advertisement: whose hardware address it has.
    advertised: str | None = None


@dataclass(slots=True)
class Arp:
    sender: str
    target: str


@dataclass(slots=True)
class Frame:
    """One captured frame; `t` is seconds since the epoch on the host's clock."""

    t: float
    src_mac: str | None = None
    arp: Arp | None = None
    ip: Ip | None = None


@dataclass(slots=True)
class Capture:
    frames: list[Frame] = field(default_factory=list)

    @property
    def last_t(self) -> float | None:
        return self.frames[-1].t if self.frames else None


@lru_cache(maxsize=4096)
def _address(packed: bytes) -> str:
    return str(ipaddress.ip_address(packed))


@lru_cache(maxsize=4096)
def _mac(packed: bytes) -> str:
    return packed.hex(":")


def read_frames(path: Path, clock_offset_s: float = 0.0) -> Iterator[Frame]:
    """Yields the frames of one file; `clock_offset_s` is added to each stamp.

    A file whose tail is missing is normal: its node lost power. An absent or empty file is an
    error of the caller's and raises.
    """
    for stamp, link, data in read_octets(path):
        yield decode_frame(stamp + clock_offset_s, link, data)


def read_octets(path: Path) -> Iterator[tuple[float, int, bytes]]:
    """The frames of one file as they are, with their time and the kind of their link."""
    with path.open("rb") as stream:
        reader = dpkt.pcap.Reader(stream)
        link = reader.datalink()
        for stamp, data in reader:
            yield float(stamp), link, data


def read_capture(path: Path, clock_offset_s: float = 0.0) -> Capture:
    return Capture(list(read_frames(path, clock_offset_s)))


def decode_frame(t: float, link: int, data: bytes) -> Frame:
    frame = Frame(t)
    if link == DLT_EN10MB:
        if len(data) < 14:
            return frame
        frame.src_mac = _mac(data[6:12])
        kind, offset = int.from_bytes(data[12:14], "big"), 14
        if kind == ETH_VLAN and len(data) >= 18:
            kind, offset = int.from_bytes(data[16:18], "big"), 18
    elif link == DLT_LINUX_SLL:
        if len(data) < 16:
            return frame
        kind, offset = int.from_bytes(data[14:16], "big"), 16
    elif link == DLT_LINUX_SLL2:
        if len(data) < 20:
            return frame
        kind, offset = int.from_bytes(data[0:2], "big"), 20
    elif link == DLT_PPP:
        ppp = decode_ppp(data)
        frame.ip = ppp.inner if ppp else None
        return frame
    elif link in (DLT_RAW, DLT_RAW_BSD):
        kind, offset = (ETH_IPV6 if data[:1] and data[0] >> 4 == 6 else ETH_IPV4), 0
    else:
        return frame
    if kind == ETH_ARP:
        frame.arp = _decode_arp(data[offset:])
    elif kind in (ETH_IPV4, ETH_IPV6):
        frame.ip = decode_ip(data[offset:])
    return frame


def _decode_arp(data: bytes) -> Arp | None:
    # Only Ethernet and IPv4: 6-byte and 4-byte addresses.
    if len(data) < 28 or data[4:6] != b"\x06\x04":
        return None
    return Arp(sender=_address(data[14:18]), target=_address(data[24:28]))


def decode_ip(data: bytes, depth: int = 0) -> Ip | None:
    if not data:
        return None
    version = data[0] >> 4
    if version == 4:
        header = (data[0] & 0x0F) * 4
        if len(data) < 20 or header < 20 or len(data) < header:
            return None
        total = int.from_bytes(data[2:4], "big")
        # total 0 is a segment offloaded to the card, longer than 16 bits can hold.
        if header <= total <= len(data):
            end = total
        else:
            end = len(data)
        ip = Ip(_address(data[12:16]), _address(data[16:20]), data[9])
        if int.from_bytes(data[6:8], "big") & 0x1FFF:
            return ip  # A later fragment has no upper header.
        payload = data[header:end]
        declared = (total or end) - header
    elif version == 6:
        if len(data) < 40:
            return None
        ip = Ip(_address(data[8:24]), _address(data[24:40]), data[6])
        payload = data[40:]
        declared = int.from_bytes(data[4:6], "big") or len(payload)
    else:
        return None
    _decode_upper(ip, payload, max(declared, 0), depth)
    return ip


def _decode_upper(ip: Ip, data: bytes, declared: int, depth: int) -> None:
    if ip.protocol == IP_ICMPV6 and len(data) >= 24 and data[0] == ICMPV6_ADVERTISEMENT:
        ip.advertised = _address(data[8:24])
        return
    if ip.protocol == IP_TCP and len(data) >= 20:
        sport, dport, seq, ack = struct.unpack_from("!HHII", data)
        header = (data[12] >> 4) * 4
        ip.sport, ip.dport = sport, dport
        ip.upper = Tcp(sport, dport, seq, ack, data[13], max(declared - header, 0))
    elif ip.protocol == IP_UDP and len(data) >= 8:
        ip.sport, ip.dport, length = struct.unpack_from("!HHH", data)
        end = length if 8 <= length <= len(data) else len(data)
        ip.upper = _decode_udp(ip, data[8:end], depth)
    elif ip.protocol == IP_ICMP and len(data) >= 8 and data[0] in (0, 8):
        ident, seq = struct.unpack_from("!HH", data, 4)
        ip.upper = Icmp(data[0] == 0, ident, seq)
    elif ip.protocol == IP_ICMPV6 and len(data) >= 8 and data[0] in (128, 129):
        ident, seq = struct.unpack_from("!HH", data, 4)
        ip.upper = Icmp(data[0] == 129, ident, seq)
    elif ip.protocol == IP_ESP:
        ip.upper = _decode_esp(data)
    elif ip.protocol == IP_GRE:
        ip.upper = _decode_gre(data, depth)


def _decode_udp(ip: Ip, data: bytes, depth: int) -> L2tp | Ike | Esp | Wireguard | None:
    ports = (ip.sport, ip.dport)
    if PORT_WIREGUARD in ports:
        return _decode_wireguard(data)
    if PORT_L2TP in ports:
        return decode_l2tp(data, depth)
    if PORT_IKE_NAT in ports:
        if data[:4] == b"\0\0\0\0":
            return _decode_ike(data[4:])
        # One byte ff is a NAT keepalive.
        return _decode_esp(data) if len(data) > 8 else None
    if PORT_IKE in ports:
        return _decode_ike(data)
    return None


def _decode_ike(data: bytes) -> Ike | None:
    if len(data) < 28:
        return None
    fragmented = data[16] == IKE_FRAGMENT and len(data) >= 34
    return Ike(data[:8], data[8:16], data[17] >> 4, data[18], bool(data[19] & IKE_INITIATOR),
               bool(data[19] & IKE_RESPONSE), int.from_bytes(data[20:24], "big"),
               int.from_bytes(data[32:34], "big") if fragmented else 0, data)


def _decode_wireguard(data: bytes) -> Wireguard | None:
    # One octet of type, three of zeros, in each of its messages.
    if len(data) < 32 or data[1:4] != b"\0\0\0":
        return None
    if data[0] != WIREGUARD_DATA:
        return Wireguard(data[0])
    return Wireguard(data[0], *struct.unpack_from("<IQ", data, 4))


def _decode_esp(data: bytes) -> Esp | None:
    if len(data) < 8:
        return None
    spi, seq = struct.unpack_from("!II", data)
    return Esp(spi, seq)


def _decode_gre(data: bytes, depth: int) -> Gre | None:
    """RFC 2637, section 4.1: version 1, protocol 880b, key present."""
    if len(data) < 8:
        return None
    flags, protocol, _, call = struct.unpack_from("!HHHH", data)
    if flags & 0x0007 != 1 or protocol != 0x880B:
        return None
    offset, seq = 8, None
    if flags & 0x1000:
        if len(data) < offset + 4:
            return None
        seq = int.from_bytes(data[offset:offset + 4], "big")
        offset += 4
    if flags & 0x0080:
        offset += 4
    ppp = decode_ppp(data[offset:], depth) if len(data) > offset else None
    return Gre(call, seq, ppp, bool(flags & 0x0080))


def decode_l2tp(data: bytes, depth: int = 0) -> L2tp | None:
    """RFC 2661, section 3.1."""
    if len(data) < 6:
        return None
    flags = int.from_bytes(data[:2], "big")
    if flags & 0x000F != 2:
        return None
    offset, end = 2, len(data)
    if flags & 0x4000:
        length = int.from_bytes(data[2:4], "big")
        if length > len(data):
            return None
        end, offset = length, 4
    if end < offset + 4:
        return None
    tunnel, session = struct.unpack_from("!HH", data, offset)
    offset += 4
    packet = L2tp(bool(flags & 0x8000), tunnel, session)
    if flags & 0x0800:
        if end < offset + 4:
            return None
        packet.ns, nr = struct.unpack_from("!HH", data, offset)
        packet.nr = nr if packet.control else None
        offset += 4
    if packet.control:
        packet.avps = data[offset:end]
        _decode_avps(packet)
        return packet
    if flags & 0x0200:
        if end < offset + 2:
            return None
        offset += 2 + int.from_bytes(data[offset:offset + 2], "big")
    if offset < end:
        packet.ppp = decode_ppp(data[offset:end], depth)
    return packet


def _decode_avps(packet: L2tp) -> None:
    data, offset = packet.avps, 0
    while offset + 6 <= len(data):
        length = int.from_bytes(data[offset:offset + 2], "big") & 0x03FF
        if length < 6 or offset + length > len(data):
            return
        vendor, kind = struct.unpack_from("!HH", data, offset + 2)
        if vendor == 0 and length == 8:
            value = int.from_bytes(data[offset + 6:offset + 8], "big")
            if kind == 0:
                packet.message = value
            elif kind == 9:
                packet.assigned_tunnel = value
        offset += length


def decode_ppp(data: bytes, depth: int = 0) -> Ppp | None:
    """Takes frames with and without ff03, and one- or two-byte protocol numbers."""
    offset = 2 if data[:2] == b"\xff\x03" else 0
    if len(data) < offset + 1:
        return None
    # The low bit marks the last byte of the number (RFC 1661, section 6.5).
    if data[offset] & 1:
        protocol, offset = data[offset], offset + 1
    elif len(data) >= offset + 2:
        protocol, offset = int.from_bytes(data[offset:offset + 2], "big"), offset + 2
    else:
        return None
    ppp = Ppp(protocol)
    if protocol in (PPP_IP, PPP_IPV6):
        if depth + 1 < DEPTH_MAX:
            ppp.inner = decode_ip(data[offset:], depth + 1)
    elif protocol >= 0x8000 and len(data) >= offset + 4:
        ppp.code, ppp.ident = data[offset], data[offset + 1]
        ppp.body = data[offset:]
    elif protocol == PPP_COMPRESSED and len(data) >= offset + 2:
        ppp.coherency = int.from_bytes(data[offset:offset + 2], "big") & 0x0FFF
    return ppp
