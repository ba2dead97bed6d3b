# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as the tables of docs/explain/performance.md: medians of all rounds, with the range of
what was measured, between markers that name the table."""
from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

from . import chart

BAR_COLUMNS = 30
PICTURE = "![Silences and lost sessions, by fault](../pictures/comparisons.svg)\n\n"
SIZES = (1_000, 10_000, 100_000)
MARKER = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

FRESH = {"l2tp": "L2TP sessions", "ike": "IKE SAs with a CHILD SA"}
PROTOCOLS = {protocol: name for protocol, (name, _) in chart.PROTOCOLS.items()}
STYLES = {"vpnha": "vpnha", "plain": "CPG, a message a record", "redis": "redis, WAIT"}


def write(results: Path, document: Path, pictures: Path) -> None:
    """Replaces every table of the document for which there are results, and draws what is a picture
    as well."""
    found = json.loads(results.read_text(encoding="utf-8")) if results.exists() else {}
    text = document.read_text(encoding="utf-8")
    document.write_text(MARKER.sub(lambda match: _table(match, found), text), encoding="utf-8")
    if "comparisons" in found:
        (pictures / "comparisons.svg").write_text(chart.drawing(found["comparisons"]),
                                                  encoding="utf-8")


def _table(match: re.Match, found: dict) -> str:
    part, make = TABLES[match[2]]
    return match[1] + make(found[part]) + match[3] if part in found else match[0]


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(value: float) -> str:
    """Two significant digits are what the noise leaves; thousands with a blank."""
    if value >= 100:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits) if digits > 0 else round(value):,.0f}".replace(",", " ")
    return f"{value:.1f}"


def _span(values: Sequence[float]) -> str:
    return f"{_number(median(values))} ({_number(min(values))}–{_number(max(values))})"


# One core.

def _medians(lines: list[dict]) -> dict[str, dict]:
    """Of the last run of a Google Benchmark, by name."""
    # Of one repetition there are no aggregates, but its own figures.
    return {each["run_name"]: each for each in lines[-1]["benchmarks"]
            if each.get("aggregate_name", "median") == "median"}


def _records(lines: list[dict]) -> str:
    rates = _medians(lines)

    def rate(name: str, size: int) -> float:
        return rates[f"{name}/{size}"]["items_per_second"]

    names = {
        "code_and_apply": "**coded, parsed, applied by a standby**",
        "both_nodes": "the same with the promoted node's part, its own copy and the confirmation",
        "confirm_one": "one at a time: sent, applied, confirmed",
        "snapshot_pass": "a joiner takes over everything",
        "json_into_map": "by hand: JSON into a hash map",
        "copy_into_map": "by hand: bytes copied into a hash map (no versions, digest, kernel)",
    }
    rows = [[text, *(_number(rate(name, size)) for size in SIZES)]
            for name, text in names.items()]
    for other, text in (("json_into_map", "JSON"), ("copy_into_map", "plain copy")):
        rows.append([f"coded and applied ÷ {text}",
                     *(f"{rate('code_and_apply', size) / rate(other, size):.2g}"
                       for size in SIZES)])
    table = _rows(["records/s, records held:", *map(_number, SIZES)], rows)
    costs = [[text, *(f"{rates[f'{name}/{size}']['cpu_time']:.0f}" for size in SIZES)]
             for name, text in (("digest", "digest sent and compared, two nodes"),
                                ("is_protected", "is this session protected?"))]
    return table + "\n" + _rows(["ns each, records held:", *map(_number, SIZES)], costs)


def _pptp(lines: list[dict]) -> str:
    found = _medians(lines)
    names = {"to_client": "**from the TUN device to the client**",
             "from_client": "**from the client to the TUN device**",
             "rc4_alone": "RC4 alone, one key",
             "observed": "looked at on the promoted node: headers of a stock call",
             "handed_over/process_time": "handed over to another process, by a socket"}
    rows = [[text, _number(1e9 / found[name]["items_per_second"]),
             "–" if name in ("observed", "handed_over/process_time")
             else _number(found[name]["bytes_per_second"] * 8 / 1e6)]
            for name, text in names.items()]
    return _rows(["1 396 octets, MPPE-128", "ns a packet", "Mbit/s"], rows)


def _memory(lines: list[dict]) -> str:
    line = lines[-1]
    return _rows(
        ["octets of heap a record", line["type"], "flow (NATed TCP, IPv4)"],
        [["payload", _number(line["payload"]), _number(line["flow_payload"])],
         ["in the store, payload included", _number(line["store"]), _number(line["flow_store"])],
         ["in a standby's whole replica", _number(line["follower"]), "–"],
         ["in the promoted node's whole replica", _number(line["promoted"]), "–"],
         ["besides, where it is resumed: control channel and link",
          _number(line["resumed_tunnel"]), "–"]])


# Sessions of idle_bench.
IDLE_THOUSANDS = 10


def _idle(lines: list[dict]) -> str:
    names = {"standby": "standby", "promoted": "promoted, sessions stock",
             "resumed": "promoted, sessions resumed (echoes, HELLOs of every client)"}
    rows = [[text, _number(median(line[name]["events_per_s"] for line in lines)),
             f"{median(line[name]['core_share'] for line in lines):.2%}",
             f"{median(line[name]['share'] for line in lines):.2%}",
             f"{median(line[name]['share'] for line in lines) / IDLE_THOUSANDS:.3%}",
             _number(median(line[name]["longest_ms"] for line in lines))]
            for name, text in names.items()]
    return _rows(["10 000 sessions", "events/s", "core", "core and loop",
                  "the same of 1 000 sessions", "longest event, ms"], rows)


def _views(lines: list[dict]) -> str:
    names = {"alone": "nobody asks", "slices": "eight readers, in slices",
             "one_piece": "eight readers, each list in one piece"}
    rows = [[text, *(_number(median(line[name][key] for line in lines))
                     for key in ("asked", "p50_ms", "p99_ms", "max_ms"))]
            for name, text in names.items()]
    return _rows(["100 000 sessions", "lists asked for in 20 s", "a round is late, ms: half",
                  "99 of 100", "the latest"], rows)


def _wireguard(lines: list[dict]) -> str:
    rows = [[_number(sizes[0]["peers"]),
             *(_number(median(size[key] for size in sizes))
               for key in ("opened_ms", "longest_ms", "busy_ms", "answered_ms"))]
            for sizes in zip(*(line["sizes"] for line in lines))]
    head = lines[0]
    return _rows([f"peers, {head['open']} handshakes open", "until the first begin, ms",
                  "longest event, ms", "all events, ms",
                  f"all have answered, ms, each after {_number(head['round_trip_ms'])}"], rows)


def _fresh(lines: list[dict]) -> str:
    rows = []
    for sizes in zip(*(line["sizes"] for line in lines if "sizes" in line)):
        head = sizes[0]

        def each(*path: str, sizes: Sequence[dict] = sizes) -> str:
            return _number(median(_at(size, path) for size in sizes))

        rows += [[f"{_number(head['count'])} {FRESH[head['kind']]}", "**vpnha**",
                  _number(head["records"]), _number(head["octets"] / 1e6), each("serving_ms"),
                  each("serving_longest_ms"), each("fresh_ms"), each("fresh_longest_ms"),
                  each("hot_ms")],
                 ["", "by hand: JSON into a hash map", _number(head["records"]),
                  _number(head["json"]["octets"] / 1e6), each("json", "serving_ms"), "all",
                  each("json", "fresh_ms"), "all", "–"]]
    table = _rows(["", "", "records", "MB", "node that serves, ms", "its longest event",
                   "fresh node, ms", "its longest event", "hot after, ms, by their own clock"],
                  rows)
    made = zip(*(line["devices"] for line in lines if "devices" in line))
    table += "\n" + _rows(
        ["calls of PPTP, hot in this kernel", "all of them, s", "one, ms: half", "99 of 100",
         "the latest"],
        [[_number(found[0]["count"]), _span([each["all_ms"] / 1000 for each in found]),
          *(f"{median(each[name] for each in found):.2f}"
            for name in ("p50_ms", "p99_ms", "max_ms"))] for found in made])
    joined: dict[tuple[str, str], list[dict]] = {}
    for line in lines:
        if "join_ms" in line:
            joined.setdefault((line["kind"], line["style"]), []).append(line)
    return table + "\n" + _rows(
        ["three nodes, one joins", "", "rounds", "it has everything after ms", "others"],
        [[f"{_number(found[0]['count'])} {FRESH[kind]}",
          "**vpnha**" if style == "vpnha" else "redis, a fresh replica", str(len(found)),
          _span([each["join_ms"] for each in found]), _foreign(found)]
         for (kind, style), found in joined.items()])


def _at(found: dict, path: Sequence[str]) -> float:
    value: Any = found
    for name in path:
        value = value[name]
    return value


def _gate(lines: list[dict]) -> str:
    names = {
        "empty": "an empty program",
        "uncovered": "of another address",
        "open_out": "of a VIP, open",
        "open_in": "to a VIP, open",
        "open_client": "of a client, open",
        "open_tcp": "of a VIP, open, TCP",
        "open": "by a VIP, open",
        "shut": "to a VIP, shut",
    }
    families = {"ipv4": "IPv4", "ipv6": "IPv6", "arp": "ARP", "nd": "ND"}

    def cost(name: str) -> str:
        if name not in lines[0]:
            return "–"
        return _number(median(line[name] for line in lines))

    rows = [[text, *(cost(key if key == "empty" else f"{family}_{key}") for family in families)]
            for key, text in names.items()]
    return _rows(["ns a packet", *families.values()], rows)


def _gateways(lines: list[dict]) -> str:
    rounds: dict[int, list[dict]] = {}
    for line in lines:
        rounds.setdefault(line["gateways"], []).append(line)

    def share(name: str, found: list[dict]) -> str:
        values = [each[name] for each in found]
        return f"{median(values):.2%} ({min(values):.2%}–{max(values):.2%})"

    head = ["gateways on three nodes", "rounds", "of a core, a node", "its corosync", "others"]
    return _rows(head,
                 [[str(count), str(len(found)), share("share", found),
                   share("corosync_share", found), _foreign(found)]
                  for count, found in sorted(rounds.items())])


# Flows.

def _flow_steps(lines: list[dict]) -> str:
    rows = [[f"{side}: {step}", _span([line[side][step] for line in lines])]
            for side in ("promoted", "standby") for step in lines[0][side]
            if step != "octets on the wire"]
    octets = median(line["promoted"]["octets on the wire"] for line in lines)
    return _rows(["", "ns a flow"], rows) + f"\n{_number(octets)} octets on the wire a flow.\n"


def _flows(lines: list[dict]) -> str:
    good = [line for line in lines if "failed" not in line]
    rows = []
    for wanted, rate, style in sorted({(each["wanted"], each["rate"], each["style"])
                                       for each in good}):
        rounds = [each for each in good
                  if (each["wanted"], each["rate"], each["style"]) == (wanted, rate, style)]

        def each_flow(name: str, scale: float, rounds: list[dict] = rounds) -> str:
            return _span([line[name] / line["flows"] * scale for line in rounds
                          if name in line]) if name in rounds[0] else "–"

        rows.append([style, _number(wanted), _made(rate),
                     _span([line["flows"] / line["seconds"] for line in rounds]),
                     *(each_flow(f"cpu_{name}", 1e6) for name in (
                         "promoted", "promoted_corosync", "standby", "standby_corosync", "commit")),
                     *(each_flow(f"memory_{name}", 1) for name in ("promoted", "standby")),
                     _span([line["commit_seconds"] for line in rounds])
                     if style == "conntrackd" else "0", _foreign(rounds)])
    return _rows(["", "flows", "made a second", "arrived a second", "CPU promoted, µs",
                  "its corosync", "standby", "its corosync", "commit", "RSS promoted, octets",
                  "standby", "takeover s", "others"], rows)


def _made(rate: int) -> str:
    return {0: "all at once", -1: "beforehand"}.get(rate) or _number(rate)


def _flow_curve(lines: list[dict]) -> str:
    good = [line for line in lines if "failed" not in line]
    rows = []
    # What is held first, then the rates, of which that without a number is the highest.
    for held, wanted, rate in sorted({(each["held"], each["wanted"], each["rate"])
                                      for each in good},
                                     key=lambda key: (not key[0], key[0], key[1], key[2] <= 0,
                                                      abs(key[2]))):
        row = [_number(held) if held else "–", _number(wanted), _made(rate)]
        for style, names in (("vpnha", ("promoted", "standby", "corosync")),
                             ("conntrackd", ("promoted", "standby", "commit"))):
            rounds = [each for each in good if (each["style"], each["held"], each["wanted"],
                                                each["rate"]) == (style, held, wanted, rate)]
            if not rounds:
                row += ["–"] * 4
                continue
            row.append(_number(median(line["flows"] / line["seconds"] for line in rounds)))
            row += [_span([sum(value for name, value in line.items()
                               if name.startswith("cpu_") and name.endswith(part)
                               and (part == "corosync" or name == f"cpu_{part}"))
                           / (line["flows"] + (held if part == "commit" else 0)) * 1e6
                           for line in rounds]) for part in names]
        rows.append([*row, _foreign([each for each in good if (
            each["held"], each["wanted"], each["rate"]) == (held, wanted, rate)])])
    return _rows(["held before", "new flows", "made a second", "vpnha: arrived a second",
                  "promoted, µs", "standby", "both corosyncs", "conntrackd: arrived a second",
                  "active, µs", "backup", "its commit", "others"], rows)


# The group.

def _runs(lines: list[dict], **wanted: object) -> dict[tuple, list[dict]]:
    """The good rounds of each run that is as wanted, by style, nodes, records, crypto."""
    found: dict[tuple, list[dict]] = {}
    for line in lines:
        if "failed" not in line and all(line[name] == value for name, value in wanted.items()):
            key = (line["style"], line["nodes"], line["records"], line["crypto"])
            found.setdefault(key, []).append(line)
    order = list(STYLES)
    return dict(sorted(found.items(), key=lambda item: (item[0][2], order.index(item[0][0]),
                                                        not item[0][3], item[0][1])))


def _named(key: tuple) -> list[str]:
    style, nodes, records, crypto = key
    return [STYLES[style] + ("" if crypto else ", unencrypted"), str(nodes), _number(records)]


def _cpu(rounds: list[dict]) -> list[str]:
    def share(name: str) -> str:
        return f"{median(line.get(name, 0.0) for line in rounds):.0%}"

    if "cpu_writer_corosync" not in rounds[0]:
        return [share("cpu_writer"), "–", share("cpu_standby"), "–"]
    return [share("cpu_writer"), share("cpu_writer_corosync"), share("cpu_standby"),
            share("cpu_standby_corosync")]


CPU_HEAD = ["CPU writer", "its corosync", "a standby", "its corosync"]


def _foreign(rounds: list[dict]) -> str:
    return f"{median(line['foreign'] for line in rounds):.0%}"


def _flood(lines: list[dict]) -> str:
    runs = _runs(lines, mode="flood")
    rows = [[*_named(key), str(len(rounds)), _span([each["updates_per_s"] for each in rounds]),
             *_cpu(rounds), _foreign(rounds)] for key, rounds in runs.items()]
    table = _rows(["", "nodes", "records", "rounds", "updates/s", *CPU_HEAD, "others"], rows)
    medians = {key: median(each["updates_per_s"] for each in rounds)
               for key, rounds in runs.items()}
    for style in ("plain", "redis"):
        ours, theirs = (medians.get((each, 3, 10_000, True)) for each in ("vpnha", style))
        if ours and theirs:
            table += f"\nvpnha ÷ {STYLES[style]}, three nodes: {ours / theirs:.2g}\n"
    return table + "\n" + _bars({f"{_named(key)[0]}, {key[1]} nodes": value
                                 for key, value in medians.items() if key[2] == 10_000})


def _paced(lines: list[dict]) -> str:
    rows = []
    for key, rounds in _runs(lines, mode="paced").items():
        figures = [_span([each["latency"][name] for each in rounds])
                   for name in ("p50_ms", "p99_ms", "max_ms")]
        rows.append([*_named(key), str(len(rounds)),
                     _number(median(each["updates_per_s"] for each in rounds)), *figures,
                     *_cpu(rounds), _foreign(rounds)])
    return _rows(["", "nodes", "records", "rounds", "updates/s", "p50 ms", "p99 ms", "worst ms",
                  *CPU_HEAD, "others"], rows)


def _join(lines: list[dict]) -> str:
    rows = [[*_named(key)[1:], str(len(rounds)), _span([each["join_ms"] for each in rounds]),
             _span([each["latency_of_join"]["p99_ms"] for each in rounds]),
             _span([each["latency"]["p99_ms"] for each in rounds]), _foreign(rounds)]
            for key, rounds in _runs(lines, mode="join").items()]
    return _rows(["nodes", "records", "rounds", "complete after ms", "p99 ms meanwhile",
                  "p99 ms otherwise", "others"], rows)


# Corosync and Pacemaker in nodes on this host.

def _address(lines: list[dict]) -> str:
    silences = {agent: [line["silence_ms"] for line in lines if line["agent"] == agent]
                for agent in ("vpnha", "IPaddr2")}
    names = {"vpnha": "**`ocf:vpnha:vip`**", "IPaddr2": "`ocf:heartbeat:IPaddr2`"}
    ours = median(silences["vpnha"])
    return _rows(["agent", "kills", "ms without an answer", "ratio"],
                 [[names[agent], str(len(found)), _span(found), f"{median(found) / ours:.2f}"]
                  for agent, found in silences.items()])


def _leases(lines: list[dict]) -> str:
    kinds: dict[str, list[dict]] = {}
    for line in lines:
        kinds.setdefault(line["kind"], []).append(line)

    def row(kind: str, cuts: list[dict]) -> list[str]:
        def spread(name: str) -> str:
            values = [each[name] for each in cuts if name in each]
            return _span(values) if values else "–"
        return [kind, str(len(cuts)), f"**{spread('silence_ms')}**", spread("lease_ms"),
                spread("worst_late_ms")]
    return _rows(["lease", "power cuts", "ms without an answer", "L at the cut, ms",
                  "latest round of the dead node, ms"],
                 [row(kind, cuts) for kind, cuts in kinds.items()])


# The lab.

PHASES = {"detected": "noticed", "fenced": "fenced", "open": "gate open",
          "first_packet": "first packet", "silence_ms": "**the client's silence**"}


def _takeovers(lines: list[dict]) -> str:
    kinds: dict[tuple[str, bool], list[dict]] = {}
    for line in lines:
        kinds.setdefault((line["fencing"], line["dc"]), []).append(line)

    def row(kind: tuple[str, bool], rounds: list[dict]) -> list[str]:
        def spread(name: str) -> str:
            values = [each[name] for each in rounds if each[name] is not None]
            return _span(values) if values else "–"
        return [kind[0], "yes" if kind[1] else "no", str(len(rounds)), *map(spread, PHASES)]

    table = _rows(["fencing", "the DC died", "takeovers", *PHASES.values()],
                  [row(kind, rounds) for kind, rounds in kinds.items()])
    return table + "\n" + _histogram({
        f"{fencing}, {'DC' if is_dc else 'not the DC'}": [each["silence_ms"] for each in rounds]
        for (fencing, is_dc), rounds in kinds.items()})


# A round in which a hypervisor took more of the machine than this means little.
STOLEN_PERCENT = 10


def _standing_in(lines: list[dict]) -> str:
    kinds: dict[str, dict[bool, list[dict]]] = {}
    for line in lines:
        kinds.setdefault(line["fault"], {True: [], False: []})[line["stands_in"]].append(line)

    def row(fault: str, rounds: dict[bool, list[dict]]) -> list[str]:
        def spread(stands_in: bool, name: str) -> str:
            values = [each[name] for each in rounds[stands_in] if each[name] is not None]
            return _span(values) if values else "–"
        ours = rounds[True]
        return [fault, str(len(ours)), spread(False, "silence_ms"),
                f"**{spread(True, 'silence_ms')}**", spread(True, "open"), spread(True, "promoted"),
                str(sum(each["handed_over"] for each in ours)),
                str(sum(each["stolen_percent"] > STOLEN_PERCENT
                        for each in (*ours, *rounds[False])))]
    return _rows(["the promoted node", "rounds each", "silence, waits for Pacemaker",
                  "**silence, stands in**", "its gate open", "Pacemaker's promotion", "handed over",
                  f"rounds with > {STOLEN_PERCENT} % stolen"],
                 [row(fault, rounds) for fault, rounds in kinds.items()])


def _pairs(lines: list[dict]) -> str:
    kinds: dict[tuple[str, bool], list[float]] = {}
    for line in lines:
        if line["silence_ms"] is not None:
            kinds.setdefault((line["voters"], line["dc"]), []).append(line["silence_ms"])
    return _rows(["voters", "the DC died", "power cuts", "**the client's silence**, ms"],
                 [[voters, "yes" if is_dc else "no", str(len(silences)), f"**{_span(silences)}**"]
                  for (voters, is_dc), silences in kinds.items()])


def _moves(lines: list[dict]) -> str:
    kinds: dict[str, list[dict]] = {}
    for line in lines:
        kinds.setdefault(line["successor"], []).append(line)

    def row(successor: str, moves: list[dict]) -> list[str]:
        added = [each["added_p99_ms"] for each in moves if each["added_p99_ms"] is not None]
        return [successor, str(len(moves)), *(_span([each["lost"][way] for each in moves])
                                              for way in (0, 1)),
                str(sum(sum(each["overtaken"]) for each in moves)),
                _span(added) if added else "–"]
    return _rows(["the next node", "moves", "**lost**, to the server", "**lost**, to the client",
                  "overtaken", "added, p99, ms"],
                 [row(successor, moves) for successor, moves in kinds.items()])


WAYS = {"up": "to the server", "down": "to the client"}


def _throughput(lines: list[dict]) -> str:
    """Of all rounds of all runs."""
    kinds: dict[tuple[str, str], list[dict]] = {}
    for line in lines:
        kinds.setdefault((line["protocol"], line["direction"]), []).append(line)

    def all_of(name: str, runs: list[dict]) -> list[float]:
        return [figure for run in runs for figure in run[name]]
    return _rows(["one TCP connection", "", "stock path, Mbit/s", "after a takeover, Mbit/s",
                  "**of the stock path**"],
                 [[PROTOCOLS[protocol], WAYS[direction], _span(all_of("stock", runs)),
                   _span(all_of("resumed", runs)),
                   f"**{median(all_of('resumed', runs)) / median(all_of('stock', runs)):.2f}**"]
                  for (protocol, direction), runs in kinds.items()])


LIMITS = {"none": "no rate: `pfifo_fast`", "vpnha": "**vpnhad**: `tbf`, `fq_codel`; `police`",
          "accel-ppp": "accel-ppp's shaper: `tbf`; `police`"}


def _rates(lines: list[dict]) -> str:
    """Of the time of a packet, all its rounds; beside that of the same packets without a rate."""
    kinds: dict[tuple[str, int, str], list[dict]] = {}
    for line in lines:
        kinds.setdefault((line["direction"], line["sessions"], line["limit"]), []).append(line)

    def ns(rounds: list[dict], name: str = "seconds") -> list[float]:
        return [each[name] / each["packets"] * 1e9 for each in rounds]

    def row(direction: str, sessions: int, limit: str) -> list[str]:
        rounds = kinds[direction, sessions, limit]
        ours, base = (median(ns(kinds[direction, sessions, each])) for each in (limit, "none"))
        return [WAYS[direction], f"{sessions:,}".replace(",", " "), LIMITS[limit],
                _number(median(each["packets"] / each["seconds"] for each in rounds)),
                _span(ns(rounds)), _number(median(ns(rounds, "system_seconds"))),
                *(["–", "–"] if limit == "none" else
                  [f"{ours - base:+.0f}", f"**{ours / base:.2f}**"])]
    lost = sum(each["packets"] - each["arrived"] for each in lines)
    return _rows(["", "sessions with traffic", "limited by", "packets a second", "ns a packet",
                  "system CPU, ns", "more than without a rate, ns", "**÷ without a rate**"],
                 [row(direction, sessions, limit) for direction in ("down", "up")
                  for sessions in sorted({each["sessions"] for each in lines})
                  for limit in LIMITS]) + (f"\n{lost} packets were lost.\n" if lost else "")


SIZE_COLUMNS = {"own_share_ms": "promote asked → gate open, ms",
                "silence_ms": "the client's silence, ms",
                "fresh_s": "a standby that returns is hot, s",
                "busy_percent": "promoted, all resumed: vpnhad, % of a core"}


def _sizes(lines: list[dict]) -> str:
    """With the slope of the straight line that is nearest to all of them."""
    sizes: dict[int, list[dict]] = {}
    for line in lines:
        sizes.setdefault(line["sessions"], []).append(line)

    def column(name: str, runs: list[dict]) -> str:
        values = [run[name] for run in runs if run[name] is not None]
        return _span(values) if values else "–"

    def slope(name: str) -> str:
        points = [(line["sessions"], line[name]) for line in lines if line[name] is not None]
        if len({sessions for sessions, _ in points}) < 2:
            return "–"
        return f"{1000 * linear_regression(*zip(*points)).slope:+.3g}"
    return _rows(["sessions of L2TP", "runs", *SIZE_COLUMNS.values()],
                 [*([f"{size:,}".replace(",", " "), str(len(runs)),
                     *(column(name, runs) for name in SIZE_COLUMNS)]
                    for size, runs in sorted(sizes.items())),
                  ["**for 1 000 more**", "", *(f"**{slope(name)}**" for name in SIZE_COLUMNS)]])


def _comparisons(lines: list[dict]) -> str:
    """A session that is lost has no silence; of those that are kept the median and the range."""
    kinds: dict[tuple[str, str], list[dict]] = {}
    for line in lines:
        kinds.setdefault((line["fault"], line["rival"]), []).append(line)
    faults, rivals = (list(dict.fromkeys(line[name] for line in lines))
                      for name in ("fault", "rival"))
    protocols = [name for name in PROTOCOLS if any(
        client["protocol"] == name for line in lines for client in line["clients"])]

    def sessions(protocol: str, rounds: list[dict]) -> str:
        seen = [client for each in rounds for client in each["clients"]
                if client["protocol"] == protocol]
        if not seen:
            return "–"
        silences = [client["silence_ms"] for client in seen if client["silence_ms"] is not None]
        kept = f"{sum(client['kept'] for client in seen)} of {len(seen)}"
        return f"{kept}: **{_span(silences)}**" if silences else kept

    def row(fault: str, rival: str, rounds: list[dict]) -> list[str]:
        overlaps = [each["two_owners_ms"] for each in rounds if each["two_owners_ms"] is not None]
        return [fault, rival, str(len(rounds)),
                *(sessions(protocol, rounds) for protocol in protocols),
                _span(overlaps) if overlaps else "–"]
    head = ["the node that serves", "what", "rounds",
            *(f"{PROTOCOLS[name]}: kept, silence in ms" for name in protocols), "two owners, ms"]
    order = sorted(kinds, key=lambda kind: (faults.index(kind[0]), rivals.index(kind[1])))
    return PICTURE + _rows(head, [row(*kind, kinds[kind]) for kind in order])


def _histogram(kinds: dict[str, list[float]]) -> str:
    """How many silences lie in each tenth of a second, a line a kind."""
    tenths = {name: [int(value // 100) for value in values if value is not None]
              for name, values in kinds.items()}
    found = [tenth for values in tenths.values() for tenth in values]
    columns = range(min(found), max(found) + 1)
    width = max(map(len, tenths))
    lines = [f"{'silence, from … s':<{width}} "
             + "".join(f"{column / 10:>5.1f}" for column in columns)]
    lines += [f"{name:<{width}} " + "".join(f"{values.count(column) or '·':>5}"
                                            for column in columns)
              for name, values in tenths.items()]
    return "```\n" + "\n".join(lines) + "\n```\n"


def _bars(values: dict[str, float]) -> str:
    most, width = max(values.values()), max(map(len, values))
    lines = [f"{name:<{width}}  {'█' * max(1, round(value / most * BAR_COLUMNS))} {_number(value)}"
             for name, value in values.items()]
    return "```\n" + "\n".join(lines) + "\n```\n"


def _failures(lines: list[dict]) -> str:
    failed = [line for line in lines if "failed" in line]
    return f"{len(lines)} rounds, {len(failed)} of them without a result" + "".join(
        f"; {line['mode']} {line['style']} on {line['nodes']} nodes: {line['failed']}"
        for line in failed) + ".\n"


TABLES: dict[str, tuple[str, Callable[[list[dict]], str]]] = {
    "address": ("address", _address), "leases": ("leases", _leases),
    "records": ("records", _records), "memory": ("memory", _memory), "idle": ("idle", _idle),
    "views": ("views", _views),
    "fresh": ("fresh", _fresh), "pptp": ("pptp", _pptp), "wireguard": ("wireguard", _wireguard),
    "gate": ("gate", _gate), "gateways": ("gateways", _gateways),
    "flow_steps": ("flow_steps", _flow_steps), "flows": ("flows", _flows),
    "flow_curve": ("flow_curve", _flow_curve),
    "flood": ("group", _flood), "paced": ("group", _paced), "join": ("group", _join),
    "failures": ("group", _failures), "takeovers": ("takeovers", _takeovers),
    "standing_in": ("standing_in", _standing_in),
    "pairs": ("pairs", _pairs), "moves": ("moves", _moves),
    "comparisons": ("comparisons", _comparisons),
    "throughput": ("throughput", _throughput), "sizes": ("sizes", _sizes),
    "rates": ("rates", _rates),
}
