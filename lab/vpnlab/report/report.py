# SPDX-License-Identifier: GPL-2.0-or-later
"""The report of a demo: one self-contained HTML file, and the same as text for the terminal."""
from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any, TextIO

from ..evidence.result import RESULT_FILE, SERIES_FILE
from .report_events import Moment, fault_words, kept, merged
from .report_svg import draw_run, duration, signed, stages, window

TEMPLATES = Path(__file__).resolve().parents[2] / "report"
TEXT_WIDTH = 80
TEXT_EVENTS_MAX = 40
LABEL_WIDTH_MIN = 16
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

# Figures of one kind of client only: left out where no client of that kind took part.
PROTOCOLS_OF = {"l2tp_setups": ("l2tp",), "pptp_setups": ("pptp",), "ccp_exchanges": ("pptp",),
                "ike_exchanges": ("ipsec", "ike")}
NONE_YET = "none yet"
SPOKEN = {"l2tp": "L2TP", "l2tp-ipsec": "L2TP/IPsec", "ikev2": "IKEv2", "pptp": "PPTP",
          "wireguard": "WireGuard"}

# (group, label, section of the result, key, how to write it)
ROWS = (
    ("What the client saw", "Longest silence after the fault", "client", "outage_ms", "time"),
    ("", "Longest silence before it", "client", "baseline_gap_ms", "time"),
    ("", "Probes lost of those sent", "client", "pings_lost", "lost"),
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
    ("", "Promoted, gate open", "phases_ms", "promoted", "time"),
    ("", "First packet from the next gateway", "phases_ms", "first_packet", "time"),
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
        verdicts="".join(map(_headline, runs)),
        style=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
        legend=_legend(), runs="".join(_run_section(run) for run in runs),
        table=_table(runs), note=escape(table_note(runs))), encoding="utf-8")


def verdict(run: Run) -> Verdict:
    """Describes in plain words how the first client fared, and how long the others were silent."""
    found = _first_client(run)
    return Verdict(found.kept, found.headline, found.text + _others(run))


def _first_client(run: Run) -> Verdict:
    if not run.result["clients"]:
        return Verdict(False, "Nothing was observed.", "No client took part in this run.")
    client = run.result["clients"][0]
    name, outage = client["name"], client["outage_ms"]
    if outage is None:
        return Verdict(run.result["ok"], "There was no fault to survive.",
                       f"The longest silence {name} saw was {_time(client['baseline_gap_ms'])}.")
    traces = _traces(client)
    stream = _stream_words(client)
    if died(run):
        minute = ", which takes about a minute" if client["protocol"] == "l2tp" else ""
        dialled = _attempts(traces) or (
            f" {name} still waits for the dead session: it dials again, with a new login, only "
            f"once it has given up{minute}.")
        return Verdict(False, f"The session died: {name} never got another answer.",
                       f"Silent for {_time(outage)}, until the end of the recording."
                       f"{_takeover_in_vain(run)}{stream}{dialled}")
    if traces or client["tcp_intact"] is False:
        return Verdict(False, f"The session did not survive unchanged: {name} received nothing "
                       f"for {_time(outage)}, and noticed.", (_attempts(traces) + stream).strip())
    return Verdict(True, f"The session survived: {name} received nothing for {_time(outage)}, "
                   "then it continued.",
                   f"No new tunnel, no new login, no negotiation, no TCP reset.{stream}"
                   f"{_stage_words(run)}")


def _others(run: Run) -> str:
    words = []
    for client, series in list(zip(run.result["clients"], run.series["clients"]))[1:]:
        if client["outage_ms"] is not None:
            ends = "" if series["answered_again"] else ", until the end of the recording"
            protocol = SPOKEN.get(client["protocol"], client["protocol"])
            words.append(f"{client['name']} ({protocol}) received nothing for "
                         f"{_time(client['outage_ms'])}{ends}")
    return "".join(f" {each}." for each in words)


def died(run: Run) -> bool:
    """Whether the first client was still without an answer at the end."""
    return (bool(run.result["clients"]) and run.result["clients"][0]["outage_ms"] is not None
            and not _answered_again(run))


def still_waits(run: Run) -> bool:
    """Whether the first client had not even given its dead session up when the recording ended."""
    return died(run) and not _traces(run.result["clients"][0])


def _traces(client: dict[str, Any]) -> list[str]:
    return [f"{client[key]} {one if client[key] == 1 else many}"
            for key, one, many in TRACES if client[key]]


def _takeover_in_vain(run: Run) -> str:
    first_packet = run.result["phases_ms"]["first_packet"]
    if first_packet is None:
        return ""
    return (f" The next gateway had the addresses after {_time(first_packet)}, but not the "
            "session.")


def _stage_words(run: Run) -> str:
    # The stages are those of the first fault; they explain the silence if it was the only one.
    if len(run.series["faults"]) != 1:
        return ""
    parts = [f"{name} {_time(end - begin)}"
             for name, begin, end in stages(run.result["phases_ms"])]
    return f" Of the silence: {', '.join(parts)}." if len(parts) > 1 else ""


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
    if value == 0 and still_waits(run) and key in (trace for trace, _, _ in TRACES):
        return NONE_YET
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
        if any(cell != DASH for cell in cells) and _concerns(runs, key):
            rows.append((pending, label, cells))
            pending = ""
    return rows


def _concerns(runs: Sequence[Run], key: str) -> bool:
    """Whether any client could have had any of this, or has had it all the same."""
    if key not in PROTOCOLS_OF:
        return True
    clients = [client for run in runs for client in run.result["clients"]]
    return any(client[key] or any(word in client["protocol"] for word in PROTOCOLS_OF[key])
               for client in clients)


def table_note(runs: Sequence[Run]) -> str:
    """What a reader of the figures must know."""
    note = "Counted after the fault, from packet captures at the client."
    cells = [cell for _, _, row in figures(runs) for cell in row]
    if DASH in cells:
        note += " A dash: not observed, or no such step in that stack."
    if NONE_YET in cells:
        note += (f" {NONE_YET.capitalize()}: the session is dead, and the client had not given it "
                 "up when the recording ended.")
    return note


def _headline(run: Run) -> str:
    found = verdict(run)
    return (f'<li class="{"kept" if found.kept else "lost"}"><b>{escape(run.label)}</b> '
            f"{_prose(found.headline)}</li>")


def _prose(text: str) -> str:
    """A sentence for the page; no line ends between a figure and its unit."""
    return re.sub(r"(\d) (m?s)\b", "\\1\N{NO-BREAK SPACE}\\2", escape(text))


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
    start, end = window(run.series)
    return (f"<section><h2>{escape(run.label)}</h2><p>{_prose(found.text)}</p>"
            f'<figure><div class="scroll">{draw_run(run.result, run.series, run.label)}</div>'
            f"<figcaption>Scenario {escape(run.result['scenario'])}, seed {run.result['seed']}. "
            f"The axis covers {(end - start) / 1000:.0f} s.</figcaption></figure></section>")


def _legend() -> str:
    def item(shape: str, text: str) -> str:
        return f'<li><svg viewBox="0 0 26 14" aria-hidden="true">{shape}</svg>{escape(text)}</li>'

    return "".join((
        item('<path class="dots" d="M4 8h0M13 6h0M22 8h0"/>', "probe answered"),
        item('<path class="lost" d="M6 3v8M13 3v8M20 3v8"/>', "probe lost"),
        item('<rect class="gap" width="26" height="14"/>', "longest silence"),
        item('<path class="fault" d="M13 0v14"/>', "fault"),
        item('<rect class="stage0" width="9" height="14"/><rect class="stage1" x="9" width="9" '
             'height="14"/><rect class="stage2" x="18" width="8" height="14"/>',
             "noticing, fencing, takeover"),
        item('<path class="tcp" d="M1 12H9V8H17V3H25"/>', "TCP bytes echoed"),
    ))


def print_summary(results: Sequence[tuple[str, Path]], stream: TextIO) -> None:
    """Prints timeline and figures as text; colour only on a terminal without NO_COLOR."""
    runs = [load_run(label, path) for label, path in results]
    colour = stream.isatty() and not os.environ.get("NO_COLOR")

    def paint(code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if colour else text

    def line(text: str = "") -> None:
        stream.write(text + "\n")

    for run in runs:
        found = verdict(run)
        line(paint("1", run.label))
        for row in textwrap.wrap(found.headline, TEXT_WIDTH - 4):
            line("  " + paint("32" if found.kept else "31", row))
        for row in textwrap.wrap(found.text, TEXT_WIDTH - 4):
            line("  " + row)
        timeline = _text_timeline(run)
        place = max([len(where) for _, where, _ in timeline], default=0)
        for t, where, what in timeline:
            prefix = f"  {t:>9}  {where:<{place}}  "
            rows = textwrap.wrap(what, TEXT_WIDTH - len(prefix)) or [""]
            line(prefix + rows[0])
            for row in rows[1:]:
                line(" " * len(prefix) + row)
        line()
    _print_figures(runs, line, paint)
    for row in textwrap.wrap(table_note(runs), TEXT_WIDTH - 4):
        line("  " + row)


def _text_timeline(run: Run) -> list[tuple[str, str, str]]:
    series = run.series
    origin = series["faults"][0]["t_ms"] if series["faults"] else 0.0
    moments = [Moment(fault["t_ms"], (fault["node"],), "fault", fault_words(fault["kind"]))
               for fault in series["faults"]]
    moments += [moment for moment in kept(series) if moment.t_ms >= origin]
    for client in series["clients"]:
        if client["outage"]:
            moments.append(Moment(client["outage"][0], (client["name"],), "last-answer",
                                  "last answer before the longest silence"))
            ends = "silence ends" if client["answered_again"] else "recording ends, still silent"
            moments.append(Moment(client["outage"][1], (client["name"],), "silence-over", ends))
    moments = merged(sorted(moments, key=lambda moment: moment.t_ms))
    shown = moments[:TEXT_EVENTS_MAX]
    rows = [(signed(moment.t_ms - origin), ", ".join(moment.nodes), moment.text)
            for moment in shown]
    if len(moments) > len(shown):
        rows.append(("", "", f"and {len(moments) - len(shown)} more, see {RESULT_FILE}"))
    return rows


def _print_figures(runs: Sequence[Run], line: Any, paint: Any) -> None:
    rows = figures(runs)
    # Cells and the words of their heads stay whole; labels take more lines for it.
    needed = max([8, *(len(cell) for _, _, cells in rows for cell in cells),
                  *(len(word) for run in runs for word in run.label.split())])
    label_width = min(max([len(label) for _, label, _ in rows], default=0) + 2,
                      max(TEXT_WIDTH - 2 - len(runs) * (needed + 2), LABEL_WIDTH_MIN))
    width = max((TEXT_WIDTH - 2 - label_width) // max(len(runs), 1) - 2, needed)
    heads = [textwrap.wrap(run.label, width) for run in runs]
    for index in range(max((len(head) for head in heads), default=0)):
        titles = (head[index] if index < len(head) else "" for head in heads)
        row = " " * (2 + label_width) + "".join(f"  {title:>{width}}" for title in titles)
        line(paint("1", row.rstrip()))
    for group, label, cells in rows:
        if group:
            line("  " + paint("1", group))
        *above, last = textwrap.wrap(label, label_width)
        for part in above:
            line(f"  {part}")
        line(f"  {last:<{label_width}}" + "".join(f"  {cell:>{width}}" for cell in cells))
