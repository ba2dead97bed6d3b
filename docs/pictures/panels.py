# SPDX-License-Identifier: GPL-2.0-or-later
"""Panels of monitoring/vpnha-dashboard.json as one SVG, with the series of a run of the lab. As
Grafana draws them, as far as the panels use it: lines over time, and states over time."""
from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from svg import GREEN, INK, NOTE, PALE, RED, picture, text

# Of the dashboard, in this order: what a takeover looks like.
TITLES = ("Who serves", "Roles", "vpnhad", "Standing", "Sessions by protection", "Epoch",
          "Silence at the last takeover", "Steps of the last takeover")
# What the dashboard calls them.
COLOURS = {"text": PALE, "green": GREEN, "blue": "#3568a8", "yellow": "#b7870b",
           "orange": "#b35900", "red": RED}
LINES = (GREEN, "#b35900", "#3568a8", "#7d4fa3", RED, NOTE)
WIDTH, COLUMNS, PANEL_HEIGHT = 1000, 2, 190
GAP, TITLE, FOOT = 16, 26, 44
GLYPH = 6.2  # Of 11 px, wider than the mean one.
LABELS = 96
# Of a panel with more series: the largest ones have a name, the others a line.
NAMED_MAX = 4
# The step of the lab's Prometheus: values that are further apart have a hole between them.
STEP_S = 5
Series = dict[str, Any]


def name_of(series: Series, nodes: dict[str, str]) -> str:
    """Its legend, with the names of nodes for their addresses."""
    def value(found: re.Match[str]) -> str:
        label = str(series["metric"].get(found[1], ""))
        return nodes.get(label, label)

    return re.sub(r"{{\s*(\w+)\s*}}", value, series["legend"]).strip()


def amount(value: float, unit: str) -> str:
    if unit == "s" and 0 < value < 1:
        return f"{value * 1000:g} ms"
    if unit == "percentunit":
        return f"{value * 100:g} %"
    return f"{value:g}{' s' if unit == 's' else ''}"


def nice_step(span: float, count: int) -> float:
    """A step of 1, 2 or 5 times a power of ten that makes at most so many parts."""
    power = 10.0 ** math.floor(math.log10(span / count))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= span / count)


class Panel:
    """One panel at its place. Times are seconds since 1970."""

    def __init__(self, panel: dict[str, Any], series: Sequence[Series], nodes: dict[str, str],
                 place: tuple[float, float], span: tuple[float, float]) -> None:
        self._panel = panel
        self._series = [(name_of(each, nodes), [(at, float(value)) for at, value in each["values"]])
                        for each in series]
        self._left, self._top = place[0] + LABELS, place[1] + TITLE
        self._right = place[0] + (WIDTH - GAP) / COLUMNS - GAP
        self._bottom = place[1] + PANEL_HEIGHT - FOOT
        self._x0, self._span = place[0], span
        self._unit = panel["fieldConfig"]["defaults"].get("unit", "none")

    def drawn(self, mark: float) -> Iterator[str]:
        yield text(self._x0, self._top - 12, self._panel["title"], 13, weight="bold")
        yield from self._states() if self._panel["type"] == "state-timeline" else self._lines()
        yield (f'<path d="M{self._x(mark):.1f} {self._top}V{self._bottom}" stroke="{RED}" '
               'stroke-dasharray="4 3" fill="none"/>')
        for second in self._times(mark):
            words = f"{second:+g} s" if second else "0 s"
            yield text(self._x(mark + second), self._bottom + 16, words, 10, NOTE, "middle")

    def _x(self, at: float) -> float:
        start, end = self._span
        return self._left + (at - start) * (self._right - self._left) / (end - start)

    def _times(self, mark: float) -> list[float]:
        start, end = (each - mark for each in self._span)
        step = nice_step(end - start, 6)
        return [n * step for n in range(math.ceil(start / step), math.floor(end / step) + 1)]

    def _states(self) -> Iterator[str]:
        """A row for each series, in which equal values are one bar."""
        mapped = self._panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
        height = (self._bottom - self._top) / max(len(self._series), 1)
        for row, (name, values) in enumerate(sorted(self._series)):
            y = self._top + row * height
            yield text(self._left - 8, y + height / 2 + 4, name, anchor="end")
            for value, start, end in spans(values):
                state = mapped.get(f"{value:g}", {"text": f"{value:g}", "color": "text"})
                x, width = self._x(start), self._x(end) - self._x(start)
                yield (f'<rect x="{x:.1f}" y="{y + 3:.1f}" width="{width:.1f}" '
                       f'height="{height - 6:.1f}" fill="{COLOURS[state["color"]]}"/>')
                if width > len(state["text"]) * GLYPH:
                    yield text(x + 5, y + height / 2 + 4, state["text"],
                               colour=INK if state["color"] == "text" else "white")

    def _lines(self) -> Iterator[str]:
        peaks = [max((value for _, value in values), default=0) for _, values in self._series]
        lows = [min((value for _, value in values), default=0) for _, values in self._series]
        low = min([0.0, *lows]) if "min" in self._panel["fieldConfig"]["defaults"] else min(
            lows, default=0.0) - 1
        high = max([low + 1e-9, *peaks])
        if high - low < 1e-6:
            high = low + 1
        step = nice_step(high - low, 4)
        ticks = [n * step for n in range(math.floor(low / step), math.ceil(high / step) + 1)]

        def y(value: float) -> float:
            return self._bottom - (value - ticks[0]) * (self._bottom - self._top) / (
                ticks[-1] - ticks[0])

        for tick in ticks:
            yield (f'<path d="M{self._left} {y(tick):.1f}H{self._right}" stroke="{PALE}" '
                   'stroke-width=".7" fill="none"/>')
            yield text(self._left - 8, y(tick) + 4, amount(round(tick, 9), self._unit), 10, NOTE,
                       "end")
        order = sorted(range(len(self._series)), key=lambda n: (-peaks[n], self._series[n][0]))
        for rank, number in reversed(list(enumerate(order))):
            colour = LINES[rank] if rank < NAMED_MAX else PALE
            path = "".join(
                f"{'L' if n and at - values[n - 1][0] <= 2 * STEP_S else 'M'}"
                f"{self._x(at):.1f} {y(value):.1f}"
                for values in [self._series[number][1]] for n, (at, value) in enumerate(values))
            yield f'<path d="{path}" stroke="{colour}" stroke-width="1.5" fill="none"/>'
        yield from self._legend([self._series[number][0] for number in order])

    def _legend(self, names: Sequence[str]) -> Iterator[str]:
        """As many names as there is room for in one line; how many more there are."""
        x = self._x0
        for number, name in enumerate(names):
            left = len(names) - number - 1
            room = self._right - (70 if left else 0)
            if number == NAMED_MAX or x + 14 + len(name) * GLYPH > room:
                yield text(x, self._bottom + 34, f"and {left + 1} more", colour=NOTE)
                return
            yield f'<rect x="{x:.1f}" y="{self._bottom + 28:.1f}" width="10" height="4" ' \
                  f'fill="{LINES[number]}"/>'
            yield text(x + 14, self._bottom + 34, name)
            x += 14 + len(name) * GLYPH + 14


def spans(values: Sequence[tuple[float, float]]) -> list[tuple[float, float, float]]:
    """Each value with the time from its first sample to the next value's, or to its last one."""
    found: list[tuple[float, float, float]] = []
    for at, value in values:
        if found and at - found[-1][2] <= 2 * STEP_S:
            last, start, _ = found[-1]
            found[-1] = (last, start, at)
            if last == value:
                continue
        found.append((value, at, at))
    return found


def chosen(recorded: dict[str, Any]) -> dict[str, Any]:
    """Of a run's panels.json what the picture needs: small, and the same in the next drawing."""
    panels = {panel["title"]: panel for panel in recorded["panels"]}
    return {**recorded, "panels": [{"title": title, "series": [
        {**each, "metric": {name: each["metric"][name] for name in sorted(each["metric"])
                            if f"{{{{{name}}}}}" in each["legend"]}}
        for each in panels[title]["series"]]} for title in TITLES]}


def dashboard_drawing(recorded: dict[str, Any], dashboard: dict[str, Any]) -> str:
    """The SVG. `recorded`: what chosen() has left. KeyError: the dashboard has no such panel."""
    by_title = {each["title"]: each for panel in dashboard["panels"]
                for each in (panel, *panel.get("panels", ()))}
    times = [at for panel in recorded["panels"] for each in panel["series"]
             for at, _ in each["values"]]
    mark = recorded["mark"]
    rows = math.ceil(len(recorded["panels"]) / COLUMNS)
    height = 2 * GAP + 30 + rows * (PANEL_HEIGHT + GAP)
    parts = []
    for number, panel in enumerate(recorded["panels"]):
        place = (GAP + number % COLUMNS * WIDTH / COLUMNS,
                 GAP + 30 + number // COLUMNS * (PANEL_HEIGHT + GAP))
        parts += Panel(by_title[panel["title"]], panel["series"], recorded["nodes"], place,
                       (min(times), max(times))).drawn(mark["at"])
    title = text(GAP, GAP + 14, f"{mark['text']}, at 0 s", 14, RED, weight="bold")
    return picture(WIDTH, height, "docs/pictures/draw",
                   f"Panels of the dashboard: {mark['text']}", [title, *parts])
