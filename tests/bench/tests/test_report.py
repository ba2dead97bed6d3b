# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables from results, without a measurement."""
from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

from vpnbench import report

NAMES = ("code_and_apply", "both_nodes", "confirm_one", "snapshot_pass", "json_into_map",
         "copy_into_map", "digest", "is_protected")
DOCUMENT = "before\n<!-- table records -->\nold\n<!-- end -->\nafter\n"


def figures(name: str, size: int) -> dict:
    return {"run_name": f"{name}/{size}", "items_per_second": 1e6, "cpu_time": 20.0}


def written(tmp_path, benchmarks: list[dict]) -> str:
    return table_of(tmp_path, "records", [{"benchmarks": benchmarks, "foreign": 0.0}])


def test_one_round_has_figures_and_no_aggregates(tmp_path):
    text = written(tmp_path, [{**figures(name, size), "run_type": "iteration"}
                              for name in NAMES for size in report.SIZES])
    assert "old" not in text and "1 000 000" in text


def test_of_several_rounds_the_median_counts(tmp_path):
    several = []
    for name in NAMES:
        for size in report.SIZES:
            for aggregate, rate in (("mean", 3e6), ("median", 2e6), ("stddev", 9.0)):
                several.append({**figures(name, size), "run_type": "aggregate",
                                "aggregate_name": aggregate, "items_per_second": rate})
    text = written(tmp_path, several)
    assert "2 000 000" in text and "3 000 000" not in text


def table_of(tmp_path, part: str, lines: list[dict]) -> str:
    results, document = tmp_path / "results.json", tmp_path / "performance.md"
    results.write_text(json.dumps({part: lines}), encoding="utf-8")
    document.write_text(DOCUMENT.replace("records", part), encoding="utf-8")
    report.write(results, document, tmp_path)
    return document.read_text(encoding="utf-8")


def test_standing_in_stands_beside_waiting(tmp_path):
    rounds = [{"fault": "power cut", "stands_in": stands_in, "silence_ms": silence, "open": 350,
               "promoted": 1300, "handed_over": stands_in, "stolen_percent": stolen}
              for stands_in, silence, stolen in ((True, 360, 0.0), (True, 420, 11.0),
                                                 (True, 380, 0.0), (False, 1400, 10.0))]
    assert ("| power cut | 3 | 1 400 (1 400–1 400) | **380 (360–420)** | 350 (350–350) "
            "| 1 300 (1 300–1 300) | 3 | 1 |") in table_of(tmp_path, "standing_in", rounds)


def test_peers_of_wireguard_have_a_line_for_each_size(tmp_path):
    rounds = [{"round_trip_ms": 40.0, "open": 256, "foreign": 0.0, "sizes": [
        {"peers": peers, "opened_ms": opened, "busy_ms": 5.0, "longest_ms": 2.5,
         "answered_ms": 360.0} for peers in (1_000, 10_000)]} for opened in (1.0, 3.0, 2.0)]
    text = table_of(tmp_path, "wireguard", rounds)
    assert "| all have answered, ms, each after 40.0 |" in text
    assert "| 1 000 | 2.0 | 2.5 | 5.0 | 360 |\n| 10 000 | 2.0 | 2.5 | 5.0 | 360 |" in text


def test_a_fresh_node_stands_beside_json_and_redis(tmp_path):
    def size(kind: str, fresh_ms: float) -> dict:
        return {"kind": kind, "count": 10_000, "records": 10_000, "octets": 2e6, "hot_ms": 12.0,
                "serving_ms": 20.0, "serving_longest_ms": 4.0, "fresh_ms": fresh_ms,
                "fresh_longest_ms": 6.0, "listed": 0,
                "json": {"octets": 5e6, "serving_ms": 70.0, "fresh_ms": 90.0}}

    devices = {"count": 1_000, "all_ms": 150.0, "p50_ms": 0.124, "p99_ms": 0.3, "max_ms": 2.0}
    lines = [{"sizes": [size("l2tp", fresh_ms), size("ike", 2 * fresh_ms)], "devices": [devices]}
             for fresh_ms in (30, 50, 40)]
    lines += [{"style": style, "kind": "ike", "count": 10_000, "join_ms": ms, "foreign": 0.0}
              for style, ms in (("vpnha", 300), ("redis", 120), ("vpnha", 400))]
    lines.append({"style": "redis", "kind": "ike", "failed": "it did not listen", "foreign": 0.0})
    text = table_of(tmp_path, "fresh", lines)
    assert ("| 10 000 L2TP sessions | **vpnha** | 10 000 | 2.0 | 20.0 | 4.0 | 40.0 | 6.0 | 12.0 |\n"
            "|  | by hand: JSON into a hash map | 10 000 | 5.0 | 70.0 | all | 90.0 | all | – |"
            ) in text
    assert "| 10 000 IKE SAs with a CHILD SA | **vpnha** | 10 000 | 2.0 | 20.0 | 4.0 | 80.0" in text
    assert "| 1 000 | 0.1 (0.1–0.1) | 0.12 | 0.30 | 2.00 |" in text
    assert ("| 10 000 IKE SAs with a CHILD SA | **vpnha** | 2 | 350 (300–400) | 0% |\n"
            "| 10 000 IKE SAs with a CHILD SA | redis, a fresh replica | 1 | 120 (120–120) | 0% |"
            ) in text


def test_leases_have_a_line_each(tmp_path):
    cuts = [{"kind": "100 ms", "silence_ms": silence, "lease_ms": 100, "worst_late_ms": 3}
            for silence in (120, 140, 110)] + [{"kind": "keepalived", "silence_ms": 350}]
    text = table_of(tmp_path, "leases", cuts)
    assert "| 100 ms | 3 | **120 (110–140)** | 100 (100–100) | 3.0 (3.0–3.0) |" in text
    assert "| keepalived | 1 | **350 (350–350)** | – | – |" in text


def test_pairs_have_a_line_by_voters_and_coordinator(tmp_path):
    text = table_of(tmp_path, "pairs", [
        {"voters": "two nodes", "dc": is_dc, "silence_ms": silence}
        for is_dc, silence in ((False, 2700), (True, 2900), (False, 2600), (False, None))])
    assert "| two nodes | no | 2 | **2 650 (2 600–2 700)** |" in text
    assert "| two nodes | yes | 1 | **2 900 (2 900–2 900)** |" in text


def test_moves_have_their_losses_each_way(tmp_path):
    text = table_of(tmp_path, "moves", [
        {"successor": "holds", "lost": [lost, 0], "overtaken": [0, 1], "added_p99_ms": added}
        for lost, added in ((0, 7.0), (2, None), (4, 9.0))])
    assert "| holds | 3 | 2.0 (0.0–4.0) | 0.0 (0.0–0.0) | 3 | 8.0 (7.0–9.0) |" in text


def test_what_a_session_carries_is_shown_as_a_ratio(tmp_path):
    def line(stock, resumed):
        return {"protocol": "ikev2", "direction": "up", "stock": stock, "resumed": resumed}
    text = table_of(tmp_path, "throughput", [line([100.0, 120.0], [90.0, 99.0]),
                                             line([110.0, 110.0], [99.0, 108.0])])
    assert ("| IKEv2 | to the server | 110 (100–120) | 99.0 (90.0–108) | **0.90** |"
            in text)


def test_what_a_rate_costs_a_packet_is_beside_none():
    def line(limit, ns, direction="down"):
        return {"limit": limit, "direction": direction, "sessions": 1_000, "packets": 1_000_000,
                "arrived": 1_000_000, "seconds": ns / 1e3, "system_seconds": ns / 2e3}
    lines = [line(limit, ns) for limit, costs in (
        ("none", (1_000, 1_200, 990)), ("vpnha", (1_500, 1_400, 1_600)),
        ("accel-ppp", (1_250, 1_300, 1_200))) for ns in costs]
    rows = report.TABLES["rates"][1](
        lines + [{**each, "direction": "up", "seconds": 1.0} for each in lines]).splitlines()
    assert rows[2].startswith("| to the client | 1 000 | no rate: ")
    assert rows[2].endswith("| 1 000 000 | 1 000 (990–1 200) | 500 | – | – |")
    assert rows[3].endswith("| 667 000 | 1 500 (1 400–1 600) | 750 | +500 | **1.50** |")
    assert rows[4].endswith("| 800 000 | 1 250 (1 200–1 300) | 625 | +250 | **1.25** |")
    assert rows[6].startswith("| to the server | 1 000 | **vpnhad**")
    assert rows[6].endswith("| +0 | **1.00** |") and len(rows) == 8
    lines[0]["arrived"] -= 7
    assert "7 packets were lost." in report.TABLES["rates"][1](
        lines + [{**each, "direction": "up"} for each in lines[1:]])


def test_takeovers_against_size_have_a_slope(tmp_path):
    def line(sessions, own, silence):
        return {"sessions": sessions, "own_share_ms": own, "silence_ms": silence, "fresh_s": 5.0,
                "busy_percent": 1.0 + sessions / 1000}
    text = table_of(tmp_path, "sizes", [line(10, 100.03, 300.0), line(1_000, 102.0, None),
                                        line(1_000, 104.0, None), line(10_000, 130.0, 320.0)])
    rows = text.splitlines()
    assert rows[4].startswith("| 10 | 1 | 100 (100–100) | 300 (300–300) | 5.0 (5.0–5.0) |")
    assert rows[5].startswith("| 1 000 | 2 | 103 (102–104) | – |")
    assert rows[7] == "| **for 1 000 more** |  | **+3** | **+2** | **+0** | **+1** |"


def test_comparisons_distinguish_lost_sessions_from_silences(tmp_path):
    def line(rival, kept, silence, overlap, more=(), fault="power cut"):
        return {"rival": rival, "fault": fault, "two_owners_ms": overlap, "passed": True,
                "clients": [{"protocol": "l2tp-ipsec", "kept": False, "silence_ms": None},
                            {"protocol": "ikev2", "kept": kept, "silence_ms": silence}, *more]}
    text = table_of(tmp_path, "comparisons", [
        line("x", True, 300, 0.0),
        line("y", False, None, None, [{"protocol": "pptp", "kept": True, "silence_ms": 900}]),
        line("x", True, 320, 5.0, fault="freeze"), line("x", True, 320, 5.0)])
    # Its picture has both rivals under the one fault, and one of them under the other.
    words = [each.text for each in ElementTree.fromstring(
        (tmp_path / "comparisons.svg").read_text(encoding="utf-8")).iter() if each.text]
    assert [words.count(each) for each in ("power cut", "freeze", "x", "y", "PPTP")] == [
        1, 1, 2, 1, 1]
    assert words.count("2 of 2 lost") == 1 and words.count("1 of 1 lost") == 3
    head = "| rounds | L2TP/IPsec: kept, silence in ms | IKEv2: kept, silence in ms | PPTP: "
    assert head in text
    # The second one serves a protocol more.
    rows = [row for row in text.splitlines() if "| x |" in row or "| y |" in row]
    assert rows == [
        "| power cut | x | 2 | 0 of 2 | 2 of 2: **310 (300–320)** | – | 2.5 (0.0–5.0) |",
        "| power cut | y | 1 | 0 of 1 | 0 of 1 | 1 of 1: **900 (900–900)** | – |",
        "| freeze | x | 1 | 0 of 1 | 1 of 1: **320 (320–320)** | – | 5.0 (5.0–5.0) |"]
