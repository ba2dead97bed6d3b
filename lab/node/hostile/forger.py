# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries once in an interval to send from addresses that are not this node's, until SIGTERM.

usage: forger.py DEVICE INTERVAL_S ADDRESS...

Of each IPv4 address a gratuitous ARP and a UDP datagram, of each IPv6 address a neighbour
advertisement and a UDP datagram, to everybody on the device, as whole frames: no route, no address
and no rule of the node stands in the way of them, only what looks at every frame that leaves.
"""
from __future__ import annotations

import ipaddress
import signal
import socket
import struct
import sys
import time
from pathlib import Path

ETH_IPV4, ETH_ARP, ETH_IPV6 = 0x0800, 0x0806, 0x86DD
BROADCAST = b"\xff" * 6
ALL_NODES_MAC = b"\x33\x33\x00\x00\x00\x01"
ALL_NODES = ipaddress.IPv6Address("ff02::1").packed
UDP, ICMPV6, ADVERTISEMENT = 17, 58, 136
PORT = 9
TTL = 255


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data + b"\0" * (len(data) % 2)))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def ethernet(target: bytes, mac: bytes, kind: int, payload: bytes) -> bytes:
    return target + mac + struct.pack("!H", kind) + payload


def udp() -> bytes:
    # Without a checksum.
    return struct.pack("!HHHH", PORT, PORT, 8, 0)


def frames_v4(mac: bytes, address: bytes) -> list[bytes]:
    arp = struct.pack("!HHBBH", 1, ETH_IPV4, 6, 4, 1) + mac + address + b"\0" * 6 + address
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, TTL, UDP, 0, address, b"\xff" * 4)
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return [ethernet(BROADCAST, mac, ETH_ARP, arp),
            ethernet(BROADCAST, mac, ETH_IPV4, header + udp())]


def frames_v6(mac: bytes, address: bytes) -> list[bytes]:
    def packet(protocol: int, body: bytes) -> bytes:
        header = struct.pack("!IHBB", 6 << 28, len(body), protocol, TTL)
        return ethernet(ALL_NODES_MAC, mac, ETH_IPV6, header + address + ALL_NODES + body)
    body = struct.pack("!BBHI", ADVERTISEMENT, 0, 0, 0x2000_0000) + address + b"\x02\x01" + mac
    pseudo = address + ALL_NODES + struct.pack("!II", len(body), ICMPV6)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    return [packet(ICMPV6, body), packet(UDP, udp())]


def frames(mac: bytes, address: str) -> list[bytes]:
    ip = ipaddress.ip_address(address)
    return (frames_v4 if ip.version == 4 else frames_v6)(mac, ip.packed)


def main() -> None:
    device, interval = sys.argv[1], float(sys.argv[2])
    mac = bytes.fromhex(Path(f"/sys/class/net/{device}/address").read_text("ascii")
                        .strip().replace(":", ""))
    forged = [frame for address in sys.argv[3:] for frame in frames(mac, address)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind((device, 0))
    while True:
        for frame in forged:
            try:
                sender.send(frame)
            except OSError:
                pass  # What drops it may report it.
        time.sleep(interval)


if __name__ == "__main__":
    main()
