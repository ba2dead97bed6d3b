# SPDX-License-Identifier: GPL-2.0-or-later
"""The drawn timeline of one run: probes, silence, stream, owners and events on one axis."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from .report_events import Moment, fault_words, kept, merged

WIDTH = 1060
LEFT = 112
RIGHT = 16
RTT_HEIGHT = 150
TCP_HEIGHT = 80
BAND_HEIGHT = 26
ROW_HEIGHT = 16
SPACE = 34
# Wider than the mean glyph at 12 px, so that an estimate errs towards more room.
GLYPH_WIDTH = 6.9
# Faults after which a node cannot serve, whoever comes next.
SILENCING = frozenset({"power-off", "freeze"})
# From a mark to its label.
STUB = 6.0
EVENTS_PER_LANE_MAX = 12
NODE_COLOURS = 4
# (key of phases_ms at which it ends, its name): what the silence consisted of.
STAGES = (("detected", "noticing"), ("fenced", "fencing"), ("first_packet", "takeover"))


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a label stands: its row, its left end, and the end that its line leads to."""

    row: int
    x: float
    line_x: float


@dataclass(slots=True)
class Chart:
    """Collects SVG elements; `y` is how far down the drawing has come."""

    start_ms: float
    end_ms: float
    origin_ms: float
    parts: list[str] = field(default_factory=list)
    y: float = 24.0

    def x(self, t_ms: float) -> float:
        share = (t_ms - self.start_ms) / (self.end_ms - self.start_ms)
        return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    def inside(self, t_ms: float) -> bool:
        return self.start_ms <= t_ms <= self.end_ms

    def add(self, text: str) -> None:
        self.parts.append(text)

    def text(self, x: float, y: float, text: str, css: str = "", anchor: str = "start") -> None:
        self.add(f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">'
                 f"{escape(text)}</text>")

    def rect(self, x1: float, x2: float, y: float, height: float, css: str) -> None:
        self.add(f'<rect x="{x1:.1f}" y="{y:.1f}" width="{max(x2 - x1, 0.5):.1f}" '
                 f'height="{height:.1f}" class="{css}"/>')


def draw_run(result: dict[str, Any], series: dict[str, Any], title: str) -> str:
    """Draws one run; times on the axis are seconds from the first fault."""
    start, end = window(series)
    faults = series["faults"]
    chart = Chart(start, end, faults[0]["t_ms"] if faults else start)
    client = series["clients"][0] if series["clients"] else None
    panels_top = chart.y
    if client is not None:
        _rtt_panel(chart, client)
        _tcp_panel(chart, client)
    panels_bottom = chart.y - SPACE + 8
    nodes = node_names(series)
    _band(chart, series, nodes)
    _stages_bar(chart, result)
    _lanes(chart, series, nodes)
    behind = Chart(start, end, chart.origin_ms)
    if client is not None and client["outage"]:
        x1, x2 = (behind.x(t) for t in client["outage"])
        behind.rect(x1, x2, panels_top, panels_bottom - panels_top, "gap")
        # Drawn last, above grid and curves.
        _silence_label(chart, x1, x2, panels_top + 28, result["clients"][0]["outage_ms"])
    bottom = chart.y
    _axis(behind, panels_top, bottom, bool(faults))
    for fault in faults:
        if chart.inside(fault["t_ms"]):
            x = chart.x(fault["t_ms"])
            behind.add(f'<path class="fault" d="M{x:.1f} {panels_top - 4:.1f}V{bottom:.1f}"/>')
            behind.text(x, panels_top - 9, f"{fault_words(fault['kind'])}, {fault['node']}",
                        "gap-label",
                        "middle" if LEFT + 60 < x < WIDTH - 80 else "start")
    height = bottom + 40
    return (f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
            f'aria-label="{escape(title, quote=True)}">'
            + "".join(behind.parts) + "".join(chart.parts) + "</svg>")


def window(series: dict[str, Any]) -> tuple[float, float]:
    """The part of the run that is drawn: the fault, the silence and enough around to compare, but
    nothing of the time before the first probe."""
    faults, t_end = series["faults"], max(series["t_end_ms"], 1.0)
    if not faults:
        return 0.0, t_end
    first, last = faults[0]["t_ms"], faults[-1]["t_ms"]
    until = last + 2000.0
    for client in series["clients"]:
        if client["outage"]:
            until = max(until, client["outage"][1])
    margin = min(max((until - first) * 0.25, 2000.0), 10000.0)
    probes = [client["pings"][0][0] for client in series["clients"] if client["pings"]]
    start = max(first - margin, min(min(probes, default=0.0), first))
    return start, max(min(until + margin, t_end), start + 1000.0)


def node_names(series: dict[str, Any]) -> list[str]:
    """Gateways first, then whoever else has events; the order fixes the colours."""
    owners = {entry["node"] for entry in series["served_by"]}
    clients = {client["name"] for client in series["clients"]}
    others = {node for moment in kept(series) for node in moment.nodes}
    others |= {fault["node"] for fault in series["faults"]}
    return sorted((owners | others) - clients) + sorted(others & clients)


def stages(phases: dict[str, float | None]) -> list[tuple[str, float, float]]:
    """(name, begin, end) in ms after the fault, of the stages that were observed."""
    found = []
    begin = 0.0
    for key, name in STAGES:
        end = phases[key]
        if end is not None and end >= begin:
            found.append((name, begin, end))
            begin = end
    return found


def nice_step(span: float, count: int) -> float:
    """A step of 1, 2 or 5 times a power of ten that divides `span` in at most `count` parts."""
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough)


def _axis(chart: Chart, top: float, bottom: float, from_fault: bool) -> None:
    step = nice_step((chart.end_ms - chart.start_ms) / 1000.0, 12)
    first = math.ceil((chart.start_ms - chart.origin_ms) / 1000.0 / step)
    last = math.floor((chart.end_ms - chart.origin_ms) / 1000.0 / step)
    for index in range(first, last + 1):
        x = chart.x(chart.origin_ms + index * step * 1000.0)
        chart.add(f'<path class="grid" d="M{x:.1f} {top:.1f}V{bottom + 4:.1f}"/>')
        value = index * step
        sign = "+" if from_fault and value > 0 else "\N{MINUS SIGN}" if value < 0 else ""
        chart.text(x, bottom + 18, f"{sign}{abs(value):g}", "soft", "middle")
    label = "seconds from the first fault" if from_fault else "seconds from the start of the run"
    chart.text((LEFT + WIDTH - RIGHT) / 2, bottom + 35, label, "soft", "middle")


def _panel_name(chart: Chart, y: float, *lines: str) -> None:
    for index, line in enumerate(lines):
        chart.text(0, y + index * 15, line, "soft" if index else "title")


def _rtt_panel(chart: Chart, client: dict[str, Any]) -> None:
    top, bottom = chart.y, chart.y + RTT_HEIGHT
    _panel_name(chart, top + 12, "Round trip", "of probes, ms", "(log scale)")
    rtts = [rtt for t, rtt in client["pings"] if rtt is not None and chart.inside(t)]
    low = math.floor(math.log10(max(min(rtts, default=0.1), 0.01)))
    high = max(math.ceil(math.log10(max(max(rtts, default=10.0), 0.01))), low + 2)
    lost_y = bottom - 5.0
    span = RTT_HEIGHT - 24.0

    def y(rtt: float) -> float:
        share = (math.log10(max(rtt, 10.0 ** low)) - low) / (high - low)
        return bottom - 22.0 - share * (span - 6.0)

    for exponent in range(low, high + 1):
        line = y(10.0 ** exponent)
        chart.add(f'<path class="grid" d="M{LEFT} {line:.1f}H{WIDTH - RIGHT}"/>')
        chart.text(LEFT - 6, line + 4, f"{10.0 ** exponent:g}", "soft", "end")
    chart.text(LEFT - 6, lost_y + 4, "lost", "gap-label", "end")
    dots = "".join(f"M{chart.x(t):.1f} {y(rtt):.1f}h0" for t, rtt in client["pings"]
                   if rtt is not None and chart.inside(t))
    lost = "".join(f"M{chart.x(t):.1f} {lost_y - 4:.1f}v8" for t, rtt in client["pings"]
                   if rtt is None and chart.inside(t))
    chart.add(f'<path class="lost" d="{lost}"/><path class="dots" d="{dots}"/>')
    chart.y = bottom + SPACE


def _tcp_panel(chart: Chart, client: dict[str, Any]) -> None:
    points = client["tcp_echoed"]
    if not points:
        return
    top, bottom = chart.y, chart.y + TCP_HEIGHT
    most = max(count for _, count in points)
    factor, unit = next(((f, u) for f, u in ((1e6, "MB"), (1e3, "kB")) if most >= f), (1.0, "B"))
    _panel_name(chart, top + 12, "TCP stream", f"{unit} echoed")
    step = nice_step(max(most / factor, 1e-6), 3)
    scale = math.ceil(most / factor / step) * step
    for index in range(int(round(scale / step)) + 1):
        line = bottom - index * step / scale * TCP_HEIGHT
        chart.add(f'<path class="grid" d="M{LEFT} {line:.1f}H{WIDTH - RIGHT}"/>')
        chart.text(LEFT - 6, line + 4, f"{index * step:g}", "soft", "end")

    def y(count: float) -> float:
        return bottom - count / factor / scale * TCP_HEIGHT

    before = [count for t, count in points if t < chart.start_ms]
    level = before[-1] if before else 0
    path = [f"M{chart.x(chart.start_ms):.1f} {y(level):.1f}"]
    for t, count in points:
        if chart.inside(t):
            path.append(f"H{chart.x(t):.1f}V{y(count):.1f}")
    path.append(f"H{chart.x(chart.end_ms):.1f}")
    chart.add(f'<path class="tcp" d="{"".join(path)}"/>')
    chart.y = bottom + SPACE


def _silence_label(chart: Chart, x1: float, x2: float, y: float, outage_ms: float) -> None:
    label = f"silence {duration(outage_ms)}"
    half = len(label) * GLYPH_WIDTH / 2 + 4
    chart.text(min(max((x1 + x2) / 2, LEFT + half), WIDTH - RIGHT - half), y, label,
               "gap-label halo", "middle")


def _band(chart: Chart, series: dict[str, Any], nodes: list[str]) -> None:
    owners = series["served_by"]
    if not owners:
        return
    _panel_name(chart, chart.y + 11, "Served by", "(who spoke)")
    for index, entry in enumerate(owners):
        end = owners[index + 1]["t_ms"] if index + 1 < len(owners) else chart.end_ms
        end = min([end, *(f["t_ms"] for f in series["faults"]
                          if f["kind"] in SILENCING and f["node"] == entry["node"]
                          and entry["t_ms"] <= f["t_ms"] < end)])
        if end < chart.start_ms or entry["t_ms"] > chart.end_ms:
            continue
        x1, x2 = chart.x(entry["t_ms"]), chart.x(end)
        chart.rect(x1, x2, chart.y - 4, BAND_HEIGHT, _colour(nodes, entry["node"]))
        if x2 - x1 > len(entry["node"]) * GLYPH_WIDTH + 8:
            chart.text((x1 + x2) / 2, chart.y + 13, entry["node"], "band-label", "middle")
    chart.y += BAND_HEIGHT + SPACE - 12


def _stages_bar(chart: Chart, result: dict[str, Any]) -> None:
    found = stages(result["phases_ms"])
    if not found:
        return
    several = len(result["faults"]) > 1
    _panel_name(chart, chart.y + 11, "What it took", *(["(first fault)"] if several else []))
    for index, (_, begin, end) in enumerate(found):
        x1, x2 = (chart.x(chart.origin_ms + t) for t in (begin, end))
        chart.rect(x1, x2, chart.y, 14, f"stage{index}")
    words = ", ".join(f"{name} {duration(end - begin)}" for name, begin, end in found)
    right = chart.x(chart.origin_ms + found[-1][2]) + STUB
    if right + len(words) * GLYPH_WIDTH <= WIDTH - RIGHT:
        chart.text(right, chart.y + 11, words, "halo")
    else:
        chart.text(chart.x(chart.origin_ms) - STUB, chart.y + 11, words, "halo", "end")
    chart.y += 14 + SPACE - 8


def _lanes(chart: Chart, series: dict[str, Any], nodes: list[str]) -> None:
    struck = [Moment(fault["t_ms"], (fault["node"],), "fault", fault_words(fault["kind"]))
              for fault in series["faults"]]
    clients = {client["name"] for client in series["clients"]}
    moments = sorted([*struck, *kept(series)], key=lambda moment: moment.t_ms)
    for node in nodes:
        own = merged(moment for moment in moments
                     if node in moment.nodes and chart.inside(moment.t_ms))
        # A gateway's lane stands even when it is empty: nothing happened there.
        if own or node not in clients:
            _lane(chart, node, own, "other" if node in clients else _colour(nodes, node))


def _lane(chart: Chart, node: str, moments: Sequence[Moment], colour: str) -> None:
    top = chart.y
    chart.text(0, top + 4, node, "title")
    chart.add(f'<path class="grid" d="M{LEFT} {top:.1f}H{WIDTH - RIGHT}"/>')
    shown = moments[:EVENTS_PER_LANE_MAX]
    labels = [f"{signed(moment.t_ms - chart.origin_ms)} {moment.text}" for moment in shown]
    if len(moments) > len(shown):
        labels[-1] += f" (and {len(moments) - len(shown)} more)"
    marks = [chart.x(moment.t_ms) for moment in shown]
    placed = place_labels(marks, labels, LEFT, WIDTH - RIGHT)
    # Lines first, labels after: where a line must cross a label, it passes behind it.
    for x, at in zip(marks, placed):
        y = top + 14 + at.row * ROW_HEIGHT
        chart.add(f'<path class="lead-line" d="M{x:.1f} {top:.1f}V{y:.1f}H{at.line_x:.1f}"/>')
    for x, at, label in zip(marks, placed, labels):
        y = top + 18 + at.row * ROW_HEIGHT
        if at.line_x > at.x:
            chart.text(at.line_x - 3, y, label, "halo", "end")
        else:
            chart.text(at.x + 3, y, label, "halo")
        chart.add(f'<circle cx="{x:.1f}" cy="{top:.1f}" r="4" class="{colour}"/>')
    rows = max((at.row for at in placed), default=-1) + 1
    chart.y = top + rows * ROW_HEIGHT + 26


def place_labels(marks: Sequence[float], labels: Sequence[str], left: float,
                 right: float) -> list[Placed]:
    """Gives each label, in the order of time, a row and a side of its mark; no two overlap.

    Labels stand right of their marks, placed from the last to the first: an earlier mark's line
    thus runs left of all later labels. Those that would pass the right edge stand left of their
    marks, in rows below, placed from the first to the last for the same reason.
    """
    widths = [len(label) * GLYPH_WIDTH + 10.0 for label in labels]
    fits = [mark + STUB + width <= right for mark, width in zip(marks, widths)]
    placed: dict[int, Placed] = {}
    limits: list[float] = []
    for index in (i for i in reversed(range(len(marks))) if fits[i]):
        end = marks[index] + STUB + widths[index]
        row = next((r for r, limit in enumerate(limits) if end <= limit), len(limits))
        limits[row:row + 1] = [marks[index]]
        placed[index] = Placed(row, marks[index] + STUB, marks[index] + STUB)
    above, limits = len(limits), []
    for index in (i for i in range(len(marks)) if not fits[i]):
        x = max(marks[index] - STUB - widths[index], left)
        row = next((r for r, limit in enumerate(limits) if x >= limit), len(limits))
        limits[row:row + 1] = [marks[index]]
        placed[index] = Placed(above + row, x, x + widths[index])
    return [placed[index] for index in range(len(marks))]


def _colour(nodes: Sequence[str], node: str) -> str:
    return f"node{nodes.index(node) % NODE_COLOURS}"


def duration(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.2f} s" if ms < 10000 else \
        f"{ms / 1000:.1f} s"


def signed(ms: float) -> str:
    sign = "+" if ms >= 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(ms) / 1000:.2f} s"
