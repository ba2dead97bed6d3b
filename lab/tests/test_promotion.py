# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom Pacemaker promotes with the template of cib-templates: its own scheduler, asked offline."""
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from vpnlab.product import cluster

VARIABLES = {"NODES": "gw1 gw2 gw3", "GATEWAY": "l2tp", "SUFFIX": "",
             "XL2TPD_CONFIG": "/etc/x.conf", "FENCE_AGENT": "fence_dummy",
             "FENCE_PARAMETERS": "mode=pass"}
NODES = {"gw1": "1", "gw2": "2", "gw3": "3"}
SCORE = "master-checkpoint"


class Scheduler:
    """A cluster in a file, in which crm_simulate carries out what Pacemaker would do."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "cib.xml"
        text = cluster.fill((cluster.TEMPLATES / "l2tp-gateway.crm").read_text("utf-8"), VARIABLES)
        cib = cluster.render_cib(text)
        nodes = cib.find("./configuration/nodes")
        for name, number in NODES.items():
            ElementTree.SubElement(nodes, "node", id=number, uname=name)
        cib.set("have-quorum", "1")
        ElementTree.ElementTree(cib).write(self.file)
        self.run(*(f"--node-up={name}" for name in NODES))

    def run(self, *events: str) -> str:
        """What is promoted when the events have been dealt with; empty: nothing."""
        done = subprocess.run(
            ["crm_simulate", "--simulate", "--xml-file", self.file, "--save-output", self.file,
             "--output-as=xml", *events], capture_output=True, text=True, check=True)
        self.status = ElementTree.fromstring(done.stdout).find("./revised_cluster_status")
        return "".join(self.on("checkpoint", "Promoted"))

    def on(self, resource: str, role: str) -> list[str]:
        return sorted(each.find("./node").attrib["name"] for each in self.status.iter("resource")
                      if each.attrib["id"] == resource and each.attrib["role"] == role)

    def score(self, **scores: int) -> str:
        cib = ElementTree.parse(self.file)
        for state in cib.iter("node_state"):
            name = state.attrib["uname"]
            if name not in scores:
                continue
            for old in state.findall("transient_attributes"):
                state.remove(old)
            transient = ElementTree.SubElement(state, "transient_attributes", id=NODES[name])
            each = ElementTree.SubElement(transient, "instance_attributes", id=f"s-{name}")
            ElementTree.SubElement(each, "nvpair", id=f"s-{name}-score", name=SCORE,
                                   value=str(scores[name]))
        cib.write(self.file)
        return self.run()


@pytest.fixture
def scheduler(tmp_path):
    assert shutil.which("crm_simulate")
    return Scheduler(tmp_path)


@pytest.mark.parametrize(("complete", "empty"), [("gw2", "gw3"), ("gw3", "gw2")])
def test_the_node_with_the_better_replica_succeeds(scheduler, complete, empty):
    assert scheduler.score(gw1=100) == "gw1"
    assert scheduler.score(**{complete: 100, empty: 1}) == "gw1"
    assert scheduler.run("--node-fail=gw1") == complete


def test_nobody_moves_because_another_has_as_much(scheduler):
    assert scheduler.score(gw2=100) == "gw2"
    assert scheduler.score(gw1=100, gw3=100) == "gw2"


def test_an_empty_replica_is_promoted_when_nobody_has_more(scheduler):
    assert scheduler.score(gw1=100) == "gw1"
    scheduler.score(gw3=1)
    assert scheduler.run("--node-fail=gw1") == "gw3"


def test_a_gateway_whose_xl2tpd_died_moves_and_its_node_continues_as_a_standby(scheduler):
    assert scheduler.score(gw1=100) == "gw1"
    scheduler.score(gw2=1, gw3=100)
    assert scheduler.run("--op-inject=xl2tpd_monitor_2000@gw1=7") == "gw3"
    assert scheduler.on("checkpoint", "Unpromoted") == ["gw1", "gw2"]
    assert scheduler.on("xl2tpd", "Started") == ["gw2", "gw3"]


def test_xl2tpd_dead_everywhere_moves_nobody(scheduler):
    assert scheduler.score(gw1=100) == "gw1"
    scheduler.score(gw2=100, gw3=100)
    assert scheduler.run(*(f"--op-inject=xl2tpd_monitor_2000@{name}=7" for name in NODES)) == "gw1"
