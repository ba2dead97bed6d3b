# SPDX-License-Identifier: GPL-2.0-or-later
"""Which addresses a gateway gave to clients of PPP, as the wire has it: from IPCP."""
from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .capture_decode import PPP_IPCP, PPP_LCP, Gre, Ip, L2tp, Ppp, read_frames

CONFIGURE_ACK = 2
TERMINATE_REQUEST, TERMINATE_ACK = 5, 6
IP_ADDRESS = 3


@dataclass(slots=True)
class Given:
    """An address of a client, from the gateway's word on it to the last one that the gateway sent
    into that session before it agreed to, or asked for, its end."""

    address: str
    session: str
    since: float
    until: float


def given_addresses(client_pcaps: Iterable[Path], vip: str) -> list[Given]:
    """In the order in which they were given. Each file is of what one node sent and received."""
    found: list[Given] = []
    for path in client_pcaps:
        live: dict[tuple, Given] = {}
        for frame in read_frames(path):
            ip = frame.ip
            session = _session(ip) if ip is not None and ip.src == vip else None
            if session is None:
                continue
            key, ppp = session
            if ppp.protocol == PPP_IPCP and ppp.code == CONFIGURE_ACK:
                address = _address_option(ppp.body)
                if address is not None:
                    protocol = "l2tp" if key[0] == "l2tp" else "pptp"
                    live[key] = Given(address, f"{protocol} {path.stem} {key[1:]}", frame.t,
                                      frame.t)
                    found.append(live[key])
            elif ppp.protocol == PPP_LCP and ppp.code in (TERMINATE_REQUEST, TERMINATE_ACK):
                live.pop(key, None)
            elif key in live:
                live[key].until = frame.t
    return sorted(found, key=lambda given: given.since)


def given_twice(given: Iterable[Given]) -> list[str]:
    """Addresses that the gateway gave to one session while it spoke in another one that had it."""
    twice: list[str] = []
    last: dict[str, Given] = {}
    for each in given:
        before = last.get(each.address)
        if before is not None and before.until > each.since:
            twice.append(f"{each.address}: {before.session} until {before.until:.3f}, "
                         f"{each.session} from {each.since:.3f}")
        if before is None or each.until > before.until:
            last[each.address] = each
    return twice


def _session(ip: Ip) -> tuple[tuple, Ppp] | None:
    """By the client's own ids: of all its sessions no two have the same at a time."""
    upper = ip.upper
    if isinstance(upper, L2tp) and upper.ppp is not None:
        return ("l2tp", ip.dst, ip.dport, upper.tunnel, upper.session), upper.ppp
    if isinstance(upper, Gre) and upper.ppp is not None:
        return ("pptp", ip.dst, upper.call), upper.ppp
    return None


def _address_option(body: bytes) -> str | None:
    """`body`: the whole packet of IPCP, from its code on."""
    offset, end = 4, min(len(body), int.from_bytes(body[2:4], "big"))
    while offset + 2 <= end:
        kind, length = body[offset], body[offset + 1]
        if length < 2 or offset + length > end:
            return None
        if kind == IP_ADDRESS and length == 6:
            return str(ipaddress.ip_address(body[offset + 2:offset + 6]))
        offset += length
    return None
