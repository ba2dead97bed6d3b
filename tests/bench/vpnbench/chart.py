# SPDX-License-Identifier: GPL-2.0-or-later
"""The comparisons as a picture: for each fault and rival the silences of each protocol on an axis
of orders of magnitude, and how many sessions were lost."""
from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

WIDTH, LEFT, RIGHT, TOP = 880, 330, 790, 60
LINE, GAP, HEAD = 13, 8, 26
INK, PALE, LOST, NOTE = "#1f2933", "#c9d1d9", "#b3413b", "#52606d"
# Of each protocol as result.json has it: its name, and its colour.
PROTOCOLS = {"l2tp-ipsec": ("L2TP/IPsec", "#2e7d5b"), "ikev2": ("IKEv2", "#1f6f8b"),
             "wireguard": ("WireGuard", "#7a4f9a"), "l2tp": ("L2TP", "#b0752c"),
             "pptp": ("PPTP", "#6b6b6b")}
# The axis, in milliseconds.
TICKS = {10: "10 ms", 100: "0.1 s", 1_000: "1 s", 10_000: "10 s"}
FIRST_MS, LAST_MS = 10, 45_000


def drawing(lines: Sequence[dict]) -> str:
    """Of the lines of comparisons.measure(). A silence is a line from the shortest to the longest
    one, with a dot at the median."""
    faults = list(dict.fromkeys(line["fault"] for line in lines))
    rivals = list(dict.fromkeys(line["rival"] for line in lines))
    y, drawn = float(TOP), []
    for fault in faults:
        drawn.append(_text(20, y + 12, fault, 14, weight="bold"))
        y += HEAD
        for rival in rivals:
            rounds = [line for line in lines if (line["fault"], line["rival"]) == (fault, rival)]
            if not rounds:
                continue
            drawn.append(_text(30, y + LINE - 3, rival, 11))
            for protocol in PROTOCOLS:
                seen = [client for line in rounds for client in line["clients"]
                        if client["protocol"] == protocol]
                if seen:
                    drawn += _of_protocol(protocol, seen, y)
                    y += LINE
            y += GAP
        y += GAP
    axis = [part for ms, name in TICKS.items() for part in (
        f'<line x1="{_x(ms)}" y1="{TOP - 8}" x2="{_x(ms)}" y2="{y}" stroke="{PALE}"/>',
        _text(_x(ms), TOP - 14, name, 11, NOTE, "middle"))]
    height = round(y + 10)
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" font-family="Helvetica, Arial, sans-serif">',
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later. Drawn by tests/bench/run. -->",
        "<title>How long clients are silent after a fault of their gateway, and how many sessions "
        "are lost, with vpnha and with other stacks</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        _text(20, 20, "Silence after a fault, sessions lost", 14, weight="bold"),
        *axis, *drawn, "</svg>", ""))


def _of_protocol(protocol: str, seen: Sequence[dict], y: float) -> list[str]:
    name, colour = PROTOCOLS[protocol]
    middle = y + LINE / 2
    silences = [client["silence_ms"] for client in seen if client["silence_ms"] is not None]
    lost = sum(not client["kept"] for client in seen)
    drawn = [_text(LEFT - 8, y + LINE - 3, name, 10, colour, "end")]
    if silences:
        drawn += [f'<line x1="{_x(min(silences))}" y1="{middle}" x2="{_x(max(silences))}" '
                  f'y2="{middle}" stroke="{colour}" stroke-width="3"/>',
                  f'<circle cx="{_x(median(silences))}" cy="{middle}" r="4" fill="{colour}"/>']
    if lost:
        drawn.append(_text(RIGHT + 8, y + LINE - 3, f"{lost} of {len(seen)} lost", 10, LOST))
    return drawn


def _x(ms: float) -> float:
    part = math.log(min(max(ms, FIRST_MS), LAST_MS) / FIRST_MS) / math.log(LAST_MS / FIRST_MS)
    return round(LEFT + part * (RIGHT - LEFT), 1)


def _text(x: float, y: float, words: str, size: int, colour: str = INK, anchor: str = "start",
          weight: str = "normal") -> str:
    return (f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{words}</text>')
