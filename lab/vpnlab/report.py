# SPDX-License-Identifier: GPL-2.0-or-later
"""The report of a demo: one self-contained HTML file, and the same as text for the terminal."""
from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any, TextIO

from .report_svg import DRAWN_OTHERWISE, draw_run, duration, signed
from .result import RESULT_FILE, SERIES_FILE

TEMPLATES = Path(__file__).resolve().parent.parent / "report"
TEXT_WIDTH = 80
TEXT_EVENTS_MAX = 24
DASH = "\N{EN DASH}"

# What a client that noticed nothing has none of, and the words for one and for several.
TRACES = (
    ("l2tp_setups", "new L2TP tunnel", "new L2TP tunnels"),
    ("pptp_setups", "new PPTP connection", "new PPTP connections"),
    ("ike_exchanges", "IKE exchange", "IKE exchanges"),
    ("ppp_renegotiations", "PPP negotiation packet", "PPP negotiation packets"),
    ("ccp_exchanges", "CCP exchange", "CCP exchanges"),
    ("auth_exchanges", "new login", "new logins"),
    ("tcp_resets", "TCP reset", "TCP resets"),
    ("interface_changes", "interface change", "interface changes"),
)

# (group, label, section of the result, key, how to write it)
ROWS = (
    ("What the client saw", "Longest silence after the fault", "client", "outage_ms", "time"),
    ("", "Longest silence before it", "client", "baseline_gap_ms", "time"),
    ("", "Probes lost/sent", "client", "pings_lost", "lost"),
    ("", "TCP bytes echoed", "client", "tcp_bytes_echoed", "count"),
    ("", "TCP stream intact", "client", "tcp_intact", "flag"),
    ("", "TCP resets", "client", "tcp_resets", "count"),
    ("", "New L2TP tunnels", "client", "l2tp_setups", "count"),
    ("", "New PPTP connections", "client", "pptp_setups", "count"),
    ("", "IKE exchanges", "client", "ike_exchanges", "count"),
    ("", "PPP negotiation packets", "client", "ppp_renegotiations", "count"),
    ("", "CCP exchanges", "client", "ccp_exchanges", "count"),
    ("", "Logins", "client", "auth_exchanges", "count"),
    ("", "Changes of the tunnel interface", "client", "interface_changes", "count"),
    ("What the cluster took", "Death noticed", "phases_ms", "detected", "time"),
    ("", "Fencing confirmed", "phases_ms", "fenced", "time"),
    ("", "Promoted", "phases_ms", "promoted", "time"),
    ("", "Gate open", "phases_ms", "open", "time"),
    ("", "First packet", "phases_ms", "first_packet", "time"),
    ("One gateway at a time", "Owners of the address at once", "vip", "owners_max", "count"),
    ("", "Time with more than one", "vip", "overlap_ms", "time"),
)


@dataclass(frozen=True)
class Run:
    label: str
    result: dict[str, Any]
    series: dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    kept: bool
    headline: str
    text: str


def load_run(label: str, result_dir: Path) -> Run:
    def read(name: str) -> dict[str, Any]:
        return dict(json.loads((result_dir / name).read_text(encoding="utf-8")))

    return Run(label, read(RESULT_FILE), read(SERIES_FILE))


def write_report(results: Sequence[tuple[str, Path]], out_html: Path) -> None:
    """Writes the report of labelled runs, each with its result.json and series.json."""
    runs = [load_run(label, path) for label, path in results]
    page = Template((TEMPLATES / "page.html").read_text(encoding="utf-8"))
    out_html.parent.mkdir(parents=True, exist_ok=True)
    out_html.write_text(page.substitute(
        title="A VPN gateway dies: what the client saw",
        lead=escape("Probes and a TCP stream run through a live VPN session while its gateway is "
                    "killed. All times are on one clock, counted from the fault."),
        style=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
        legend=_legend(), runs="".join(_run_section(run) for run in runs),
        table=_table(runs)), encoding="utf-8")


def verdict(run: Run) -> Verdict:
    """Says in plain words how the first client fared."""
    if not run.result["clients"]:
        return Verdict(False, "Nothing was observed.", "No client took part in this run.")
    client = run.result["clients"][0]
    name, outage = client["name"], client["outage_ms"]
    if outage is None:
        return Verdict(run.result["ok"], "There was no fault to survive.",
                       f"The longest silence {name} saw was {_time(client['baseline_gap_ms'])}.")
    traces = [f"{client[key]} {one if client[key] == 1 else many}"
              for key, one, many in TRACES if client[key]]
    stream = _stream_words(client)
    if not _answered_again(run):
        text = (f"{name} never got another answer: silent for {_time(outage)}, until the end of "
                f"the recording.{_attempts(traces)}{stream}")
        return Verdict(False, "The session died.", text)
    if traces or client["tcp_intact"] is False:
        text = f"{name} heard nothing for {_time(outage)}.{_attempts(traces)}{stream}"
        return Verdict(False, "The session did not survive unchanged.", text)
    text = (f"{name} heard nothing for {_time(outage)}; then the same session went on. No new "
            f"tunnel, no new login, no negotiation, no TCP reset.{stream}")
    return Verdict(True, "The session survived.", text)


def _attempts(traces: Sequence[str]) -> str:
    return f" Seen after the fault: {', '.join(traces)}." if traces else ""


def _stream_words(client: dict[str, Any]) -> str:
    if client["tcp_intact"] is None:
        return ""
    if client["tcp_intact"]:
        return f" The TCP stream lost nothing ({client['tcp_bytes_echoed'] or 0:,} bytes echoed)."
    return " The TCP stream was lost."


def _answered_again(run: Run) -> bool:
    """Whether the first client got any answer once the fault had taken effect."""
    return all(client["answered_again"] for client in run.series["clients"][:1])


def _time(ms: float | None) -> str:
    return DASH if ms is None else duration(ms)


def _cell(run: Run, section: str, key: str, form: str) -> str:
    if section == "client":
        values = run.result["clients"][0] if run.result["clients"] else {}
    else:
        values = run.result[section]
    value = values.get(key)
    if value is None:
        return DASH
    if form == "time":
        return ("" if section != "phases_ms" else "+") + _time(value)
    if form == "lost":
        return f"{value:,}/{values['pings_sent']:,}"
    if form == "flag":
        return "yes" if value else "no"
    return f"{value:,}"


def figures(runs: Sequence[Run]) -> list[tuple[str, str, list[str]]]:
    """Rows of the comparison: (group's title or "", label, a cell per run); unobserved left out."""
    rows: list[tuple[str, str, list[str]]] = []
    pending = ""
    for group, label, section, key, form in ROWS:
        pending = group or pending
        cells = [_cell(run, section, key, form) for run in runs]
        if any(cell != DASH for cell in cells):
            rows.append((pending, label, cells))
            pending = ""
    return rows


def _table(runs: Sequence[Run]) -> str:
    head = "".join(f'<th scope="col">{escape(run.label)}</th>' for run in runs)
    body = []
    for group, label, cells in figures(runs):
        if group:
            body.append(f'<tr class="group"><th scope="rowgroup" colspan="{len(runs) + 1}">'
                        f"{escape(group)}</th></tr>")
        body.append(f'<tr><th scope="row">{escape(label)}</th>'
                    + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return (f'<table><thead><tr><th scope="col">Figure</th>{head}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table>")


def _run_section(run: Run) -> str:
    found = verdict(run)
    kind = "kept" if found.kept else "lost"
    return (f"<section><h2>{escape(run.label)}</h2>"
            f'<div class="verdict {kind}"><b>{escape(found.headline)}</b>'
            f"<p>{escape(found.text)}</p></div>"
            f'<figure><div class="scroll">{draw_run(run.result, run.series, run.label)}</div>'
            f"<figcaption>Scenario {escape(run.result['scenario'])}, "
            f"seed {run.result['seed']}.</figcaption></figure></section>")


def _legend() -> str:
    def item(shape: str, text: str) -> str:
        return f'<li><svg viewBox="0 0 26 14" aria-hidden="true">{shape}</svg>{escape(text)}</li>'

    return "".join((
        item('<path class="dots" d="M4 8h0M13 6h0M22 8h0"/>', "probe answered"),
        item('<path class="lost" d="M6 3v8M13 3v8M20 3v8"/>', "probe lost"),
        item('<rect class="gap" width="26" height="14"/>', "longest silence"),
        item('<path class="fault" d="M13 0v14"/>', "fault"),
        item('<path class="tcp" d="M1 12H9V8H17V3H25"/>', "TCP bytes echoed"),
    ))


def print_summary(results: Sequence[tuple[str, Path]], stream: TextIO) -> None:
    """Prints timeline and figures as text; colour only on a terminal that was not told NO_COLOR."""
    runs = [load_run(label, path) for label, path in results]
    colour = stream.isatty() and not os.environ.get("NO_COLOR")

    def paint(code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if colour else text

    def line(text: str = "") -> None:
        stream.write(text + "\n")

    for run in runs:
        found = verdict(run)
        line(paint("1", run.label))
        line("  " + paint("32" if found.kept else "31", found.headline))
        for row in textwrap.wrap(found.text, TEXT_WIDTH - 4):
            line("  " + row)
        for t, where, what in _text_timeline(run):
            prefix = f"  {t:>11}  {where:<8} "
            rows = textwrap.wrap(what, TEXT_WIDTH - len(prefix)) or [""]
            line(prefix + rows[0])
            for row in rows[1:]:
                line(" " * len(prefix) + row)
        line()
    _print_figures(runs, line, paint)


def _text_timeline(run: Run) -> list[tuple[str, str, str]]:
    series = run.series
    origin = series["faults"][0]["t_ms"] if series["faults"] else 0.0
    entries = [(fault["t_ms"], fault["node"], f"fault: {fault['kind']}")
               for fault in series["faults"]]
    entries += [(event["t_ms"], event["node"], event["text"]) for event in series["events"]
                if event["t_ms"] >= origin and event["kind"] not in DRAWN_OTHERWISE]
    for client in series["clients"]:
        if client["outage"]:
            entries.append((client["outage"][0], client["name"],
                            "last answer before the longest silence"))
            entries.append((client["outage"][1], client["name"],
                            "silence ends" if _answered_again(run) else "end, still silent"))
    entries.sort(key=lambda entry: entry[0])
    shown = entries[:TEXT_EVENTS_MAX]
    rows = [(signed(t - origin), where, what) for t, where, what in shown]
    if len(entries) > len(shown):
        rows.append(("", "", f"and {len(entries) - len(shown)} more, see {RESULT_FILE}"))
    return rows


def _print_figures(runs: Sequence[Run], line: Any, paint: Any) -> None:
    rows = figures(runs)
    label_width = max([len(label) for _, label, _ in rows], default=0) + 2
    width = max((TEXT_WIDTH - 2 - label_width) // max(len(runs), 1) - 2, 8)
    heads = [textwrap.wrap(run.label, width) for run in runs]
    for index in range(max((len(head) for head in heads), default=0)):
        titles = (head[index] if index < len(head) else "" for head in heads)
        row = " " * (2 + label_width) + "".join(f"  {title:>{width}}" for title in titles)
        line(paint("1", row.rstrip()))
    for group, label, cells in rows:
        if group:
            line("  " + paint("1", group))
        line(f"  {label:<{label_width}}" + "".join(f"  {cell:>{width}}" for cell in cells))
