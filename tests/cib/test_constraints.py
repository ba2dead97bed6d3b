# SPDX-License-Identifier: GPL-2.0-or-later
"""`vpnha cluster check` finds what Pacemaker's own tools leave in the CIB of each site."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import sites
from conftest import BUILT
from test_transitions import Cluster

GATEWAYS = [site for site in sites.SITES if site not in ("addresses", "link")]
OK, DEGRADED = 0, 6


def tool(cluster: Cluster, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, check=False, capture_output=True, text=True,
                          env={**os.environ, "CIB_file": str(cluster.file)})


def check(cluster: Cluster) -> tuple[int, str]:
    done = tool(cluster, str(BUILT / "cli" / "vpnha"), "cluster", "check")
    assert not done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize("site", sites.SITES)
def test_a_site_of_the_templates_has_nothing_amiss(site: str, tmp_path: Path) -> None:
    code, text = check(Cluster(tmp_path, site))
    assert code == OK, text
    assert "warning" not in text
    assert ("note: constraint witness-never-serves" in text) == (site == "witness")


@pytest.mark.parametrize("site", GATEWAYS)
@pytest.mark.parametrize("words, expected", [
    (("--move", "--promoted"), "{node} is promoted whenever it is there"),
    (("--move",), "{node} is promoted whenever it is there"),
    (("--move", "--promoted", "--lifetime", "PT1H"), "{node} is promoted whenever it is there"),
    (("--ban", "--promoted"), "{node} is not promoted"),
    (("--ban",), "{node} runs no instance")])
def test_what_a_move_leaves_is_named_and_removed_as_shown(
        site: str, words: tuple[str, ...], expected: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, site)
    node = cluster.nodes[1]
    moved = tool(cluster, "crm_resource", *words, "--resource", f"{cluster.gateways[0]}-clone",
                 "--node", node)
    assert moved.returncode == 0, moved.stderr
    code, text = check(cluster)
    assert code == DEGRADED
    assert expected.format(node=node) in text
    removal = text.partition("to remove it: ")[2].partition(", or ")[0]
    name = removal.removeprefix("pcs constraint delete ")
    assert name != removal
    gone = tool(cluster, "cibadmin", "--delete", "--xml-text", f'<rsc_location id="{name}"/>')
    assert gone.returncode == 0, gone.stderr
    assert check(cluster)[0] == OK


def test_a_lifetime_that_is_over_is_not_named(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, "l2tp")
    tool(cluster, "crm_resource", "--move", "--promoted", "--lifetime", "PT1H", "--resource",
         "checkpoint-clone", "--node", cluster.nodes[1])
    text = cluster.file.read_text(encoding="utf-8")
    start = text.index(' end="', text.index("date_expression")) + len(' end="')
    cluster.file.write_text(text[:start] + "2020" + text[start + 4:], encoding="utf-8")
    assert check(cluster)[0] == OK


def test_a_cib_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run([BUILT / "cli" / "vpnha", "cluster", "check"], check=False,
                          capture_output=True, text=True,
                          env={**os.environ, "CIB_file": str(tmp_path / "none.xml")})
    assert done.returncode == 1
    assert done.stderr.startswith("vpnha: /usr/sbin/cibadmin: it ended with exit code")
