# SPDX-License-Identifier: GPL-2.0-or-later
"""What Pacemaker's own scheduler does with a site when something happens, as golden files.

`VPNHA_WRITE_GOLDENS=1 pytest tests/cib/test_transitions.py` writes them anew: read the difference.
"""
from __future__ import annotations

import copy
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import sites

NOTHING = "  nothing\n"
DAEMONS = ("xl2tpd", "pptpd", "strongswan", "pppd", "Dummy")
# Milliseconds between monitors, where it is not 2000.
INTERVALS = {"service": 150, "pppd-link": 5000}
GOLDEN = Path(__file__).resolve().parent / "golden"


class Cluster:
    """A cluster in a file. Each event is dealt with, and what was done is shown."""

    def __init__(self, directory: Path, site: str) -> None:
        self.file = directory / "cib.xml"
        self.nodes = sites.SITES[site][0]
        cib = copy.deepcopy(sites.by_crm(site))
        nodes = cib.find("./configuration/nodes")
        assert nodes is not None
        for number, name in enumerate(self.nodes, 1):
            ElementTree.SubElement(nodes, "node", id=str(number), uname=name)
        cib.set("have-quorum", "1")
        self.gateways = [each.attrib["id"] for each in cib.iter("primitive")
                         if each.attrib["type"] == "checkpoint"]
        self.daemon = next((each.attrib["id"] for each in cib.iter("primitive")
                            if each.attrib["type"] in DAEMONS), "")
        self.address = next((each.attrib["id"] for each in cib.iter("primitive")
                             if each.attrib["type"] == "vip"), "")
        ElementTree.ElementTree(cib).write(self.file)
        self.run(*(f"--node-up={name}" for name in self.nodes))
        for gateway, node in zip(self.gateways, self.nodes):
            self.score(gateway, node)
        self.run()
        self.all_in_sync()

    def all_in_sync(self) -> None:
        """What vpnhad writes of each node, and Pacemaker does with it: nothing."""
        for gateway in self.gateways:
            self.score(gateway, *self.nodes)
        assert self.run() == NOTHING
        self.prefer_promoted()

    def prefer_promoted(self) -> None:
        """Who serves is worth more than a standby, as long as it serves."""
        serving = dict(line.split(" promoted: ") for line in self.where().split("\n")
                       if " promoted: " in line)
        cib = ElementTree.parse(self.file)
        for state in cib.iter("node_state"):
            for found in state.iter("nvpair"):
                gateway = found.attrib["name"].removeprefix("master-")
                if gateway in self.gateways:
                    served = serving.get(f"  {gateway}") == state.attrib["uname"]
                    found.set("value", "109" if served else "100")
        cib.write(self.file)
        assert self.run() == NOTHING

    def score(self, gateway: str, *nodes: str) -> None:
        cib = ElementTree.parse(self.file)
        for state in cib.iter("node_state"):
            found = _transient(state)
            named = f"master-{gateway}"
            if state.attrib["uname"] in nodes and found.find(f"nvpair[@name='{named}']") is None:
                ElementTree.SubElement(found, "nvpair", name=named, value="100",
                                       id=f"{found.attrib['id']}-{gateway}")
        cib.write(self.file)

    def run(self, *events: str) -> str:
        done = subprocess.run(
            ["crm_simulate", "--simulate", "--xml-file", self.file, "--save-output", self.file,
             *events], capture_output=True, text=True, check=True)
        actions = done.stdout.partition("Transition Summary:\n")[2].partition("Executing ")[0]
        lines = [re.sub(r"\s+", " ", line).strip() for line in actions.splitlines()]
        return "".join(f"  {line}\n" for line in sorted(lines) if line) or NOTHING

    def where(self) -> str:
        """Which node has what, once all is done."""
        shown = subprocess.run(["crm_simulate", "--xml-file", self.file, "--output-as=xml"],
                               capture_output=True, text=True, check=True).stdout
        found = sorted(
            f"{each.attrib['id']} {each.attrib['role'].lower()}: {node.attrib['name']}"
            for each in ElementTree.fromstring(shown).iter("resource")
            for node in each.findall("./node")
            if each.attrib["role"] == "Promoted"
            or each.attrib["id"].startswith(("vip", "pppd-link")))
        return "".join(f"  {line}\n" for line in found) or "  nobody serves\n"

    def holder(self) -> str:
        return self.where().split(": ")[1].split("\n")[0]

    def standby(self, node: str, value: str) -> None:
        cib = ElementTree.parse(self.file)
        for each in cib.iter("node"):
            if each.attrib["uname"] == node:
                for old in list(each):
                    each.remove(old)
                attributes = ElementTree.SubElement(each, "instance_attributes", id=f"node-{node}")
                ElementTree.SubElement(attributes, "nvpair", id=f"node-{node}-standby",
                                       name="standby", value=value)
        for state in cib.iter("node_state"):
            if state.attrib["uname"] == node:
                # A stop takes the score away.
                for old in state.findall("transient_attributes"):
                    state.remove(old)
        cib.write(self.file)

    def ban(self) -> None:
        """Off the node that serves, as `crm_resource --move` has it."""
        resource = (["--resource", f"{self.gateways[0]}-clone", "--promoted"] if self.gateways
                    else ["--resource", self.address])
        subprocess.run(["crm_resource", "--ban", *resource, "--node", self.holder()], check=True,
                       capture_output=True, env={**os.environ, "CIB_file": str(self.file)})


def _transient(state: ElementTree.Element) -> ElementTree.Element:
    """Where a node's attributes stand that its reboot forgets."""
    number = state.attrib["id"]
    found = state.find("./transient_attributes/instance_attributes")
    if found is None:
        found = ElementTree.SubElement(
            ElementTree.SubElement(state, "transient_attributes", id=number),
            "instance_attributes", id=f"status-{number}")
    return found


def lose_node(cluster: Cluster) -> str:
    return cluster.run(f"--node-fail={cluster.holder()}")


def fail_monitor(cluster: Cluster) -> str:
    """The promoted instance reports that it has failed; an address has only failed."""
    failed = (f"{cluster.gateways[0]}_monitor_2000" if cluster.gateways
              else f"{cluster.address}_monitor_1000")
    code = 9 if cluster.gateways else 1
    return cluster.run(f"--op-inject={failed}@{cluster.holder()}={code}")


def fail_daemon(cluster: Cluster) -> str:
    interval = INTERVALS.get(cluster.daemon, 2000)
    return cluster.run(f"--op-inject={cluster.daemon}_monitor_{interval}@{cluster.holder()}=7")


def fail_stop(cluster: Cluster) -> str:
    """A node is sent to standby, and does not give up what it serves."""
    holder = cluster.holder()
    failing = f"{cluster.gateways[0]}_demote_0" if cluster.gateways else f"{cluster.address}_stop_0"
    cluster.standby(holder, "on")
    return cluster.run(f"--op-fail={failing}@{holder}=1") + "then\n" + cluster.run()


def lose_quorum(cluster: Cluster) -> str:
    """The node that serves sees the others go, and is a minority."""
    holder = cluster.holder()
    return cluster.run("--quorum=false", *(f"--node-fail={name}" for name in cluster.nodes
                                           if name != holder))


def standby_and_back(cluster: Cluster) -> str:
    holder = cluster.holder()
    cluster.standby(holder, "on")
    left = cluster.run()
    cluster.standby(holder, "off")
    back = cluster.run()
    cluster.all_in_sync()
    return left + "back\n" + back


def move(cluster: Cluster) -> str:
    cluster.ban()
    return cluster.run()


EVENTS = {"the node that serves is lost": lose_node,
          "its monitor fails": fail_monitor,
          "its daemon dies": fail_daemon,
          "it goes to standby, and what serves does not stop": fail_stop,
          "quorum is lost": lose_quorum,
          "it goes to standby, and comes back": standby_and_back,
          "it is moved": move}


@pytest.mark.parametrize("site", sites.SITES)
def test_what_pacemaker_does_is_what_it_did(site: str, tmp_path: Path):
    first = Cluster(tmp_path, site)
    settled = first.file.read_bytes()
    story = f"at first\n{first.where()}"
    for name, happens in EVENTS.items():
        if happens is fail_daemon and not first.daemon:
            continue  # The kernel is the server.
        first.file.write_bytes(settled)
        story += f"\n{name}\n{happens(first)}at the end\n{first.where()}"
    golden = GOLDEN / f"{site}.txt"
    if os.environ.get("VPNHA_WRITE_GOLDENS"):
        golden.write_text(story, encoding="utf-8")
    assert story == golden.read_text(encoding="utf-8")


def mark(cluster: Cluster, node: str, value: str) -> str:
    """What ocf:vpnha:probe writes of a node."""
    cib = ElementTree.parse(cluster.file)
    for state in cib.iter("node_state"):
        if state.attrib["uname"] == node:
            found = _transient(state)
            for old in found.findall("./nvpair[@name='vpnha-probe-dialin']"):
                found.remove(old)
            ElementTree.SubElement(found, "nvpair", name="vpnha-probe-dialin", value=value,
                                   id=f"{found.attrib['id']}-probe")
    cib.write(cluster.file)
    return cluster.run()


def scores(cluster: Cluster, others: int) -> None:
    """As vpnhad writes them: the node that serves is never worth less than a standby."""
    holder = cluster.holder()
    cib = ElementTree.parse(cluster.file)
    for state in cib.iter("node_state"):
        for found in _transient(state).findall("./nvpair[@name='master-checkpoint']"):
            found.set("value", str(109 if state.attrib["uname"] == holder else others))
    cib.write(cluster.file)
    assert cluster.run() == NOTHING


def test_a_gateway_leaves_a_node_whose_service_is_dead_and_stays_where_all_are(tmp_path: Path):
    cluster = Cluster(tmp_path, "probe")
    seen = []
    for _ in cluster.nodes:
        scores(cluster, others=100)
        seen.append(cluster.holder())
        mark(cluster, seen[-1], "dead")
    assert sorted(seen) == sorted(cluster.nodes), "it has been everywhere"
    assert cluster.holder() == seen[-1]
    # One answers again: where the gateway is nothing happens, elsewhere it is a better place.
    assert mark(cluster, seen[-1], "alive") == NOTHING
    mark(cluster, seen[-1], "dead")
    mark(cluster, seen[0], "alive")
    assert cluster.holder() == seen[0]


def test_a_gateway_does_not_leave_its_sessions_because_a_service_is_dead(tmp_path: Path):
    cluster = Cluster(tmp_path, "probe")
    scores(cluster, others=10)
    assert mark(cluster, cluster.holder(), "dead") == NOTHING


def test_a_dead_service_is_no_failure_and_moves_back_by_nobody(tmp_path: Path):
    cluster = Cluster(tmp_path, "probe")
    scores(cluster, others=100)
    left = cluster.holder()
    mark(cluster, left, "dead")
    scores(cluster, others=100)
    assert mark(cluster, left, "") == NOTHING


def test_a_witness_is_never_promoted(tmp_path: Path):
    cluster = Cluster(tmp_path, "witness")
    cluster.standby("gw2", "on")
    cluster.run()
    cluster.run("--node-fail=gw1")
    assert cluster.where() == "  nobody serves\n"


def test_each_golden_belongs_to_a_site():
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(sites.SITES)
