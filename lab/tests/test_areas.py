# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of areas: it names what exists, and covers what can change a verdict."""
from __future__ import annotations

import subprocess

import pytest

from vpnlab.host.stage import ROOT
from vpnlab.scenarios import DIRECTORY
from vpnlab.sweep.areas import (AREAS, FOLDERS, MEASURE, PLAIN_SCENARIOS, SLOW_HOST_SCENARIOS,
                                areas_changed, areas_of, checked_by, scenarios_of)

# The product and the lab; without what shows or chooses results.
SOURCES = ("CMakeLists.txt", "agents/", "ansible/", "cib-templates/", "cli/", "cmake/", "daemon/",
           "debian/", "lab/", "libvpnha/", "monitoring/", "nftables/", "pppd-plugin/", "setup/",
           "stonith/", "examples/echo/", "tests/kernel/", "tests/next/")
NO_VERDICT = ("lab/README.md", "lab/demo.py", "lab/evidence.schema.json", "lab/report/",
              "lab/tests/", "lab/vpnlab/report/", "lab/vpnlab/sweep/")
SCENARIOS = "lab/scenarios/"


@pytest.fixture(scope="module")
def files() -> list[str]:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True,
                            text=True, check=False)
    if listed.returncode == 0:
        return [name for name in listed.stdout.split("\0") if name]
    # An unpacked release has no git.
    return [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file()]


def test_every_named_scenario_exists():
    named = {name for area in AREAS.values() for name in (*area.checked, *area.also)}
    assert (named | {*PLAIN_SCENARIOS}) - set(FOLDERS) == set()


def test_a_slow_host_runs_a_part_of_the_plain_tier():
    assert set(SLOW_HOST_SCENARIOS) < set(PLAIN_SCENARIOS)


def test_every_folder_of_scenarios_is_an_area_but_that_of_the_measurements():
    assert set(FOLDERS.values()) == {*AREAS, MEASURE}


def test_no_two_scenarios_have_one_name():
    assert len(list(DIRECTORY.rglob("*.py"))) == len(FOLDERS)


def test_a_scenario_is_in_the_area_of_its_folder_and_where_it_is_named():
    assert areas_of("drain") == ["rollout"]
    assert areas_of("l2tp-power-cut") == ["standing-in", "sessions"]
    assert areas_of("radius-outage") == ["life"]
    assert areas_of("calm-hour") == []
    assert "l2tp-power-cut" in scenarios_of("standing-in")


def test_an_area_names_only_what_its_folder_does_not_show():
    for name, area in AREAS.items():
        own = scenarios_of(name)
        assert set(checked_by(name)) <= set(own), name
        assert len(set(area.checked)) == len(area.checked) != len(own), name
        assert not [other for other in area.also if FOLDERS[other] == name], name


def test_every_path_of_an_area_is_the_beginning_of_a_file(files):
    assert [(name, path) for name, area in AREAS.items() for path in area.paths
            if not any(file.startswith(path) for file in files)] == []


def test_every_source_that_can_change_a_verdict_is_in_an_area(files):
    sources = [file for file in files
               if file.startswith(SOURCES) and not file.startswith((*NO_VERDICT, SCENARIOS))
               and not file.endswith("/README.md")]
    assert len(sources) > 500
    assert [file for file in sources if not areas_changed([file])] == []


def test_a_change_of_a_file_is_one_of_its_areas():
    assert areas_changed(["libvpnha/src/protocols/pptp/mppe/sender.cpp"]) == {"pptp"}
    assert areas_changed(["lab/vpnlab/product/pptp_client.py"]) == {"pptp"}
    node = "libvpnha/src/cluster/node/node.cpp"
    assert {"lease", "standing-in", "sessions"} <= areas_changed([node])
    assert areas_changed(["docs/explain/performance.md", "README.md"]) == set()
    assert areas_changed([]) == set()
