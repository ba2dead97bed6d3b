# SPDX-License-Identifier: GPL-2.0-or-later
"""How a session of L2TP ends on the wire: what each side sends, and whether the other one answers:
PPP's Terminate-Request with a Terminate-Ack, control messages with their Nr."""
from __future__ import annotations

import dataclasses
from pathlib import Path

from .capture_decode import PPP_LCP, L2tp, read_frames

TERMINATE_REQUEST, TERMINATE_ACK = 5, 6
STOP_CCN, CDN = 4, 14
NAMES = {STOP_CCN: "StopCCN", CDN: "CDN"}
TERM_REQ = "TermReq"
SEQ16 = 1 << 16


@dataclasses.dataclass
class Goodbye:
    """What one side has sent to end a session. A word that is sent again is in `sent` once."""

    sent: list[str] = dataclasses.field(default_factory=list)
    repeated: list[str] = dataclasses.field(default_factory=list)
    unanswered: list[str] = dataclasses.field(default_factory=list)
    # The longest time from a word to its answer.
    answered_ms: float | None = None


@dataclasses.dataclass
class _Word:
    name: str
    number: int
    t: float
    answered: bool = False


def goodbyes(client_pcap: Path, vip: str, span: tuple[float, float]) -> tuple[Goodbye, Goodbye]:
    """Of the client, and of the gateway, in a time in which the client had one tunnel. The answer
    to a word may come later than that. Behind a side's own StopCCN its PPP speaks to nobody: that
    does not count."""
    start, end = span
    words: tuple[list[_Word], list[_Word]] = [], []
    found = Goodbye(), Goodbye()
    for frame in read_frames(client_pcap):
        ip = frame.ip
        if ip is None or not isinstance(ip.upper, L2tp):
            continue
        packet = ip.upper
        if frame.t < start or vip not in (ip.src, ip.dst):
            continue
        side = int(ip.src == vip)
        for word in words[1 - side]:
            if not word.answered and _answers(packet, word):
                word.answered = True
                took = round((frame.t - word.t) * 1000.0, 3)
                found[1 - side].answered_ms = max(found[1 - side].answered_ms or 0.0, took)
        sent = _word(packet, frame.t) if frame.t <= end else None
        if sent is None or (sent.name == TERM_REQ
                            and NAMES[STOP_CCN] in found[side].sent):
            continue
        if any((each.name, each.number) == (sent.name, sent.number) for each in words[side]):
            found[side].repeated.append(sent.name)
        else:
            found[side].sent.append(sent.name)
            words[side].append(sent)
    for side, goodbye in enumerate(found):
        goodbye.unanswered = [each.name for each in words[side] if not each.answered]
    return found


def _word(packet: L2tp, t: float) -> _Word | None:
    if packet.control:
        name = NAMES.get(packet.message or 0)
        return _Word(name, packet.ns, t) if name is not None and packet.ns is not None else None
    ppp = packet.ppp
    if ppp is None or (ppp.protocol, ppp.code) != (PPP_LCP, TERMINATE_REQUEST):
        return None
    return _Word(TERM_REQ, ppp.ident or 0, t)


def _answers(packet: L2tp, word: _Word) -> bool:
    if word.name == TERM_REQ:
        ppp = packet.ppp
        return (ppp is not None and (ppp.protocol, ppp.code) == (PPP_LCP, TERMINATE_ACK)
                and ppp.ident == word.number)
    return packet.nr is not None and (packet.nr - word.number - 1) % SEQ16 < SEQ16 // 2
