# SPDX-License-Identifier: GPL-2.0-or-later
"""PacketBuilder: small synthetic captures for the tests of vpnlab.capture."""
from __future__ import annotations

import ipaddress
import struct
from pathlib import Path

CLIENT = "192.0.2.10"
VIP = "192.0.2.100"
SERVER = "198.51.100.10"
INNER = "10.200.0.10"
CLIENT_MAC = "02:00:00:00:00:10"
GW1_MAC = "02:00:00:00:00:01"
GW2_MAC = "02:00:00:00:00:02"
T0 = 1_790_000_000.0


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def ip(src: str, dst: str, protocol: int, payload: bytes) -> bytes:
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + \
        _packed(src) + _packed(dst) + payload


def udp(src: str, dst: str, sport: int, dport: int, payload: bytes) -> bytes:
    return ip(src, dst, 17, struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload)


def tcp(src: str, dst: str, sport: int, dport: int, seq: int, flags: int,
        payload: bytes = b"") -> bytes:
    return ip(src, dst, 6, struct.pack("!HHIIBBHHH", sport, dport, seq, 0, 0x50, flags, 1000, 0, 0)
              + payload)


def echo(src: str, dst: str, seq: int, *, reply: bool = False, ident: int = 7) -> bytes:
    return ip(src, dst, 1, struct.pack("!BBHHH", 0 if reply else 8, 0, 0, ident, seq) + b"x" * 16)


def l2tp_data(payload: bytes, *, tunnel: int = 5, session: int = 6, header: str = "plain") -> bytes:
    """`header`: plain, length, sequence or offset: the optional fields of RFC 2661."""
    flags, fields = 0x0002, struct.pack("!HH", tunnel, session)
    if header == "length":
        flags |= 0x4000
        fields = struct.pack("!H", 8 + len(payload)) + fields
    elif header == "sequence":
        flags |= 0x0800
        fields += struct.pack("!HH", 1, 0)
    elif header == "offset":
        flags |= 0x0200
        fields += struct.pack("!H", 3) + b"\0\0\0"
    return struct.pack("!H", flags) + fields + payload


def avp(kind: int, value: int) -> bytes:
    return struct.pack("!HHHH", 0x8008, 0, kind, value)


def l2tp_control(tunnel: int, ns: int, nr: int, avps: bytes = b"") -> bytes:
    return struct.pack("!HHHHHH", 0xC802, 12 + len(avps), tunnel, 0, ns, nr) + avps


def ppp(protocol: int, body: bytes, *, acfc: bool = False, pfc: bool = False) -> bytes:
    head = b"" if acfc else b"\xff\x03"
    number = bytes([protocol]) if pfc else struct.pack("!H", protocol)
    return head + number + body


def conf_req(ident: int = 1) -> bytes:
    return struct.pack("!BBH", 1, ident, 4)


def ike(exchange: int, message_id: int = 0, spi: bytes = b"initiat1") -> bytes:
    return spi + b"\0" * 8 + bytes([33, 0x20, exchange, 8]) + struct.pack("!II", message_id, 28)


def gre(call: int, seq: int | None, payload: bytes = b"", ack: int | None = None) -> bytes:
    flags = 0x2001 | (0x1000 if seq is not None else 0) | (0x80 if ack is not None else 0)
    numbers = b"".join(struct.pack("!I", each) for each in (seq, ack) if each is not None)
    return struct.pack("!HHHH", flags, 0x880B, len(payload), call) + numbers + payload


class Pcap:
    """A capture under construction; times are seconds after T0."""

    def __init__(self, link: int = 1, *, nanoseconds: bool = True) -> None:
        self.link = link
        self.nanoseconds = nanoseconds
        self.records: list[tuple[float, bytes]] = []

    def raw(self, t: float, data: bytes) -> Pcap:
        self.records.append((t, data))
        return self

    def ip(self, t: float, packet: bytes, src_mac: str = CLIENT_MAC) -> Pcap:
        if self.link == 1:
            packet = b"\xff" * 6 + bytes.fromhex(src_mac.replace(":", "")) + b"\x08\x00" + packet
        elif self.link == 113:
            packet = struct.pack("!HHHQH", 4, 512, 0, 0, 0x0800) + packet
        elif self.link == 276:
            packet = struct.pack("!HHIHBBQ", 0x0800, 0, 3, 512, 4, 0, 0) + packet
        return self.raw(t, packet)

    def arp(self, t: float, sender: str, src_mac: str) -> Pcap:
        mac = bytes.fromhex(src_mac.replace(":", ""))
        return self.raw(t, b"\xff" * 6 + mac + b"\x08\x06" + b"\x00\x01\x08\x00\x06\x04\x00\x01"
                        + mac + _packed(sender) + b"\0" * 6 + _packed(sender))

    def tunnelled(self, t: float, inner: bytes, *, from_client: bool = True,
                  gateway_mac: str = GW1_MAC) -> Pcap:
        """An IP packet inside PPP inside L2TP on the outside network."""
        return self.framed(t, ppp(0x0021, inner), from_client=from_client, gateway_mac=gateway_mac)

    def framed(self, t: float, frame: bytes, *, from_client: bool = True,
               gateway_mac: str = GW1_MAC) -> Pcap:
        src, dst = (CLIENT, VIP) if from_client else (VIP, CLIENT)
        return self.ip(t, udp(src, dst, 1701, 1701, l2tp_data(frame)),
                       CLIENT_MAC if from_client else gateway_mac)

    def control(self, t: float, packet: bytes, *, from_client: bool = True) -> Pcap:
        src, dst = (CLIENT, VIP) if from_client else (VIP, CLIENT)
        return self.ip(t, udp(src, dst, 1701, 1701, packet),
                       CLIENT_MAC if from_client else GW1_MAC)

    def ping(self, t: float, seq: int, rtt: float | None = 0.001, ident: int = 7) -> Pcap:
        self.tunnelled(t, echo(INNER, SERVER, seq, ident=ident))
        if rtt is not None:
            self.tunnelled(t + rtt, echo(SERVER, INNER, seq, reply=True, ident=ident),
                           from_client=False)
        return self

    def write(self, path: Path, *, cut_bytes: int = 0) -> Path:
        magic, scale = (0xA1B23C4D, 1e9) if self.nanoseconds else (0xA1B2C3D4, 1e6)
        out = bytearray(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 262144, self.link))
        for t, data in sorted(self.records, key=lambda record: record[0]):
            stamp = T0 + t
            fraction = min(round((stamp - int(stamp)) * scale), int(scale) - 1)
            out += struct.pack("<IIII", int(stamp), fraction, len(data), len(data)) + data
        path.write_bytes(out[:len(out) - cut_bytes])
        return path
