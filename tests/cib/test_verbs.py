# SPDX-License-Identifier: GPL-2.0-or-later
"""What Pacemaker's own scheduler does when an operator types."""
from __future__ import annotations

import hashlib
import os
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.sax.saxutils import quoteattr

import conftest
import pytest
from test_transitions import NOTHING, Cluster

SITE = "l2tp-ipsec"
CLONES = ("checkpoint", "xl2tpd", "strongswan")


def tool(cluster: Cluster, *words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True,
                   env={**os.environ, "CIB_file": str(cluster.file)})


def metadata(agent: str) -> ElementTree.Element:
    done = subprocess.run([agent, "meta-data"], check=True, capture_output=True, text=True,
                          executable=conftest.BUILT / "agents" / "ocf-agents")
    return ElementTree.fromstring(done.stdout)


def parameters(agent: str, reloadable: bool) -> list[str]:
    return [each.attrib["name"] for each in metadata(agent).iter("parameter")
            if (each.get("reloadable") == "1") == reloadable]


def set_parameter(cluster: Cluster, resource: str, name: str) -> None:
    value = "100" if name == "memory_max" else "/another"
    tool(cluster, "crm_resource", "--resource", resource, "--set-parameter", name,
         "--parameter-value", value)


def note_reloadable(cluster: Cluster) -> None:
    """What Pacemaker's controller notes beside a start of an agent with reload-agent: a digest of
    the parameters that no reload can change (append_restart_list(), controld_execd.c)."""
    cib = ElementTree.parse(cluster.file)
    given = {each.attrib["id"]: {pair.attrib["name"]: pair.attrib["value"]
                                 for pair in each.findall("./instance_attributes/nvpair")}
             for each in cib.iter("primitive")}
    for resource in cib.iter("lrm_resource"):
        name = resource.attrib["id"].partition(":")[0]
        if name not in CLONES or not any(each.get("name") == "reload-agent"
                                         for each in metadata(name).iter("action")):
            continue
        fixed = parameters(name, reloadable=False)
        pairs = "".join(f" {key}={quoteattr(given[name][key])}" for key in sorted(fixed)
                        if key in given[name])
        digest = hashlib.md5(f" <parameters{pairs}/>\n".encode()).hexdigest()
        for operation in resource.iter("lrm_rsc_op"):
            if operation.attrib["operation"] in ("start", "promote"):
                operation.set("op-force-restart", f" {' '.join(fixed)} ")
                operation.set("op-restart-digest", digest)
    cib.write(cluster.file)


@pytest.mark.parametrize("resource", CLONES)
def test_a_changed_parameter_stops_nothing(resource: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, SITE)
    note_reloadable(cluster)
    assert cluster.run() == NOTHING
    settled = cluster.file.read_bytes()
    names = parameters(resource, reloadable=True)
    assert names
    for name in names:
        cluster.file.write_bytes(settled)
        set_parameter(cluster, resource, name)
        done = cluster.run()
        assert done.count(f"* Reload {resource}:") == len(cluster.nodes), (name, done)
        assert len(done.splitlines()) == len(cluster.nodes), (name, done)


@pytest.mark.parametrize("resource", CLONES)
def test_only_another_gateway_is_a_restart(resource: str, tmp_path: Path) -> None:
    assert parameters(resource, reloadable=False) == ["gateway"]
    cluster = Cluster(tmp_path, SITE)
    note_reloadable(cluster)
    set_parameter(cluster, resource, "gateway")
    assert cluster.run().count(f"* Restart {resource}:") == len(cluster.nodes)


@pytest.mark.parametrize("code, stopped", [(2, 0), (6, 2)])
def test_a_start_with_a_wrong_value_costs_its_node_alone(code: int, stopped: int,
                                                         tmp_path: Path) -> None:
    """Hence reloadable parameters are judged with 2. What 6 does is stopped everywhere."""
    cluster = Cluster(tmp_path, SITE)
    cluster.standby("gw3", "on")
    cluster.run()
    cluster.standby("gw3", "off")
    cluster.run(f"--op-fail=xl2tpd_start_0@gw3={code}")
    after = cluster.run()
    assert sum("Stop xl2tpd:" in line and "gw3" not in line for line in after.splitlines()
               ) == stopped, after
