# SPDX-License-Identifier: GPL-2.0-or-later
"""The picture of the dashboard, drawn of made-up series: what is in it, and that it is XML."""
from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs/pictures"))
from panels import TITLES, chosen, dashboard_drawing, spans  # noqa: E402
DASHBOARD = json.loads((ROOT / "monitoring/vpnha-dashboard.json").read_text(encoding="utf-8"))
T0 = 1_790_000_000.0
NODES = {f"198.51.100.1{n}:9810": f"gw{n}" for n in (1, 2, 3)}


def series(legend: str, values: list[str], **metric: str) -> dict[str, Any]:
    return {"legend": legend, "metric": {"gateway": "dialin", **metric},
            "values": [[T0 + 5 * n, value] for n, value in enumerate(values)]}


def recorded() -> dict[str, Any]:
    """gw1 serves, is killed 30 s after the beginning, and gw2 serves."""
    states = {"gw1": ["1"] * 6 + ["0"] * 6, "gw2": ["0"] * 6 + ["1"] * 6, "gw3": ["0"] * 12}
    found = {title: [series("{{instance}}", ["1"] * 12, instance=address) for address in NODES]
             for title in TITLES}
    found["Who serves"] = [series("{{gateway}} {{instance}}", states[name], instance=address,
                                  job="gateways") for address, name in NODES.items()]
    found["Steps of the last takeover"] = [
        series("{{instance}} {{phase}}", ["0"] * 6 + [str(n / 100)] * 6, phase=f"phase{n}",
               instance="198.51.100.12:9810") for n in range(9)]
    return {"nodes": NODES, "mark": {"at": T0 + 30, "text": "drill daemon on gw1"},
            "panels": [{"title": "Another", "series": []},
                       *({"title": title, "series": each} for title, each in found.items())]}


@pytest.fixture(name="drawn")
def drawn_() -> str:
    return dashboard_drawing(chosen(recorded()), DASHBOARD)


def test_each_panel_is_drawn_once_with_its_states(drawn: str):
    tree = xml.etree.ElementTree.fromstring(drawn)
    words = ["".join(each.itertext()) for each in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert [words.count(title) for title in TITLES] == [1] * len(TITLES)
    assert "Another" not in words
    assert words.count("dialin gw1") == 1
    assert (words.count("serves"), words.count("silent")) == (2, 3)
    assert "9810" not in "".join(words)


def test_many_series_have_their_largest_ones_named(drawn: str):
    assert drawn.count("gw2 phase8") == 1
    assert re.search(r"and [5-8] more", drawn)
    assert "80 ms" in drawn


def test_the_picture_keeps_no_more_than_it_needs():
    kept = chosen(recorded())
    assert [panel["title"] for panel in kept["panels"]] == list(TITLES)
    assert set(kept["panels"][0]["series"][0]["metric"]) == {"gateway", "instance"}
    assert chosen(kept) == kept


def test_a_panel_that_the_dashboard_lost_is_an_error():
    without = {"panels": [panel for panel in DASHBOARD["panels"] if panel["title"] != "Roles"]}
    with pytest.raises(KeyError, match="Roles"):
        dashboard_drawing(chosen(recorded()), without)


def test_a_hole_between_samples_stays_one():
    assert spans([(0, 1), (5, 1), (10, 2), (60, 2), (65, 2)]) == [
        (1, 0, 10), (2, 10, 10), (2, 60, 65)]


def test_the_command_keeps_the_series_of_a_run_and_draws(tmp_path: Path):
    for name in ("docs/pictures/draw", "docs/pictures/panels.py", "docs/pictures/svg.py",
                 "docs/explain/performance.md",
                 "monitoring/vpnha-dashboard.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    def draw(*options: str) -> int:
        return subprocess.run([str(tmp_path / "docs/pictures/draw"), *options], check=False,
                              capture_output=True).returncode

    run = tmp_path / "run"
    run.mkdir()
    (run / "panels.json").write_text(json.dumps(recorded()), encoding="utf-8")
    assert draw("--check") == 1
    assert draw("--run", str(run)) == 0
    assert draw("--check") == 0
    picture = tmp_path / "docs/pictures/dashboard.svg"
    assert "Steps of the last takeover" in picture.read_text(encoding="utf-8")
    picture.write_text("other", encoding="utf-8")
    assert draw("--check") == 1
    assert draw("--run") == 2
