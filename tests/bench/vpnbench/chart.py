# SPDX-License-Identifier: GPL-2.0-or-later
"""The comparisons as a picture: for each fault and rival the silences of each protocol on an axis
of orders of magnitude, and how many sessions were lost."""
from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from svg import GREEN, NOTE, PALE, RED, picture, text

WIDTH, LEFT, RIGHT, TOP = 880, 330, 790, 60
LINE, GAP, HEAD = 13, 8, 26
# Of each protocol as result.json has it: its name, and its colour.
PROTOCOLS = {"l2tp-ipsec": ("L2TP/IPsec", GREEN), "ikev2": ("IKEv2", "#1f6f8b"),
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
        drawn.append(text(20, y + 12, fault, 14, weight="bold"))
        y += HEAD
        for rival in rivals:
            rounds = [line for line in lines if (line["fault"], line["rival"]) == (fault, rival)]
            if not rounds:
                continue
            drawn.append(text(30, y + LINE - 3, rival, 11))
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
        text(_x(ms), TOP - 14, name, 11, NOTE, "middle"))]
    title = text(20, 20, "Silence after a fault, sessions lost", 14, weight="bold")
    return picture(WIDTH, round(y + 10), "tests/bench/run",
                   "How long clients are silent after a fault of their gateway, and how many "
                   "sessions are lost, with vpnha and with other stacks", [title, *axis, *drawn])


def _of_protocol(protocol: str, seen: Sequence[dict], y: float) -> list[str]:
    name, colour = PROTOCOLS[protocol]
    middle = y + LINE / 2
    silences = [client["silence_ms"] for client in seen if client["silence_ms"] is not None]
    lost = sum(not client["kept"] for client in seen)
    drawn = [text(LEFT - 8, y + LINE - 3, name, 10, colour, "end")]
    if silences:
        drawn += [f'<line x1="{_x(min(silences))}" y1="{middle}" x2="{_x(max(silences))}" '
                  f'y2="{middle}" stroke="{colour}" stroke-width="3"/>',
                  f'<circle cx="{_x(median(silences))}" cy="{middle}" r="4" fill="{colour}"/>']
    if lost:
        drawn.append(text(RIGHT + 8, y + LINE - 3, f"{lost} of {len(seen)} lost", 10, RED))
    return drawn


def _x(ms: float) -> float:
    part = math.log(min(max(ms, FIRST_MS), LAST_MS) / FIRST_MS) / math.log(LAST_MS / FIRST_MS)
    return round(LEFT + part * (RIGHT - LEFT), 1)
