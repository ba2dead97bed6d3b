# SPDX-License-Identifier: GPL-2.0-or-later
"""Corosync and Pacemaker on the lab's gateways, as an administrator would set them up: the
project's corosync.conf, power fencing from the first moment, resources from a crm template.

There is no systemd in a node: both daemons are started directly. The start of Pacemaker keeps a
node's only CPU busy for seconds, in which corosync stalls for longer than the tuned token allows.
So clusters form, and nodes join, under a relaxed token; tune() then sets the tuned one at runtime.
"""
from __future__ import annotations

import os
import re
import secrets
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..host.errors import LabError, PackageMissing
from ..host.lab import Lab
from ..host.node import Node
from ..host.power import node_files, start_power_service
from ..host.state import StateDirectory, text_of
from ..host.topology import VIP_INSIDE, VIP_OUTSIDE

DIRECTORY = Path(__file__).resolve().parents[2]
COROSYNC_CONF = DIRECTORY / "cluster" / "corosync.conf.in"
TEMPLATES = DIRECTORY.parent / "cib-templates"
FENCE_VPNHA_FIRST = DIRECTORY.parent / "stonith" / "fence-vpnha-then-power.crm"
TWO_NODES = DIRECTORY.parent / "stonith" / "two-nodes.crm"
TWO_NODES_WITNESS = DIRECTORY.parent / "stonith" / "two-nodes-witness.crm"
# Milliseconds: token, consensus.
TUNED = (650, 780)
# Where no standby stands in: there it is most of a client's silence.
QUICK = (300, 360)
# Corosync refuses less.
CONSENSUS_PER_TOKEN = 1.2
RELAXED = (5000, 6000)
# In place of each of them on nodes that compute slowly: Corosync of an emulated one stands still
# for a second when it reads its configuration again. The ring is to be formed within the 2 s for
# which a node stands in without it.
SLOW = {TUNED: (900, 1080), QUICK: (900, 1080), RELAXED: (20_000, 24_000)}
# Of an action of a resource, in the text of a template.
ACTION_TIMEOUT = re.compile(r"(?<![-\w])timeout=(\d+)s\b")
# Pacemaker carries out one action at a time where a node's load is above 2.4 times this share of
# its processors (throttle.c): a node that is emulated always is.
UNTHROTTLED = 'property load-threshold="1000%"'
# What Corosync 3.1 makes of a corosync.conf that does not set it, for three nodes: 3000 and a
# token_coefficient of 650 for the third, consensus 1.2 times that.
DEFAULT = (3650, 4380)
COROSYNC_CONF_PATH = "/etc/corosync/corosync.conf"
KEY_FILE = "corosync.authkey"
KEY_BYTES = 256
# Neither Starting nor Stopping.
SETTLED_ROLES = ("Started", "Promoted", "Unpromoted")
PACEMAKER_LOG = "/var/log/pacemaker/console.log"
ONLINE_LIMIT_S = 60.0
START_AGAIN_S = 10.0
SETTLE_LIMIT_S = 60.0
LEAVE_LIMIT_S = 60.0
# Sections of the CIB that a template fills.
SECTIONS = ("crm_config", "rsc_defaults", "op_defaults", "resources", "constraints",
            "fencing-topology")
CIB_FILE = "/var/lib/pacemaker/cib/cib.xml"
COROSYNC_LOG = "corosync/corosync.log"
# What a fresh cluster starts with: nodes that all start at once need not wait the default of 20 s
# for a coordinator that might exist already.
SEED_CIB = """\
<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0"
     admin_epoch="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="cib-bootstrap-options-dc-deadtime" name="dc-deadtime" value="3s"/>
      </cluster_property_set>
    </crm_config>
    <nodes/>
    <resources/>
    <constraints/>
  </configuration>
  <status/>
</cib>
"""
PACEMAKER_ENVIRONMENT = {"PCMK_logfile": "/var/log/pacemaker/pacemaker.log",
                         "PCMK_logfacility": "none"}


@dataclass(frozen=True)
class Resource:
    """One instance of a resource as crm_mon sees it."""

    id: str
    role: str
    nodes: tuple[str, ...]
    active: bool
    failed: bool


@dataclass(frozen=True)
class LinkChanges:
    """How often knet called connections over one cluster link down, and up."""

    down: int
    up: int


@dataclass(frozen=True)
class Status:
    """The cluster as one node sees it."""

    quorate: bool
    dc: str
    online: frozenset[str]
    resources: tuple[Resource, ...] = field(default=())
    failures: tuple[str, ...] = field(default=())

    def on(self, resource: str, role: str = "") -> list[str]:
        """Nodes on which the resource (or an instance of it) is active in that role; without a
        role, in any that it has reached."""
        roles = (role,) if role else SETTLED_ROLES
        return sorted(node for each in self.resources
                      if each.id.partition(":")[0] == resource and each.active
                      and not each.failed and each.role in roles for node in each.nodes)


def corosync_conf(nodes: Iterable[Node], timing: tuple[int, int], encrypted: bool = True,
                  two_node: bool = False) -> str:
    lines = []
    for node in nodes:
        lines += ["    node {", f"        name: {node.name}", f"        nodeid: {node.spec.id}",
                  f"        ring0_addr: {node.address('cluster0')}",
                  f"        ring1_addr: {node.address('cluster1')}", "    }"]
    text = COROSYNC_CONF.read_text(encoding="utf-8")
    for name, value in (("NODES", "\n".join(lines)), ("TOKEN", str(timing[0])),
                        ("CONSENSUS", str(timing[1])),
                        # It implies wait_for_all.
                        ("TWO_NODE", str(int(two_node))),
                        ("CIPHER", "aes256" if encrypted else "none"),
                        ("HASH", "sha256" if encrypted else "none")):
        text = text.replace(f"@{name}@", value)
    return text


def parse_status(xml: str) -> Status:
    """The output of `crm_mon --output-as=xml`."""
    root = ElementTree.fromstring(xml)
    dc = root.find("./summary/current_dc")
    resources = []
    for each in root.iterfind(".//resource"):
        resources.append(Resource(
            each.attrib["id"], each.attrib["role"],
            tuple(node.attrib["name"] for node in each.iterfind("./node")),
            each.attrib.get("active") == "true", each.attrib.get("failed") == "true"))
    failures = [f"{each.attrib.get('op_key')} on {each.attrib.get('node')}: "
                f"{each.attrib.get('exitstatus')} {each.attrib.get('exitreason', '')}".strip()
                for each in root.iterfind("./failures/failure")]
    present = dc is not None and dc.attrib.get("present") == "true"
    return Status(present and dc.attrib.get("with_quorum") == "true",  # type: ignore[union-attr]
                  dc.attrib["name"] if present else "",  # type: ignore[union-attr]
                  frozenset(node.attrib["name"] for node in root.iterfind("./nodes/node")
                            if node.attrib["online"] == "true"
                            and node.attrib.get("pending") != "true"),
                  tuple(resources), tuple(failures))


def fill(text: str, variables: Mapping[str, str]) -> str:
    """Puts the values for @NAMES@ into a template and drops its comments, which crmsh would
    keep in the CIB."""
    for name, value in variables.items():
        text = text.replace(f"@{name}@", value)
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    left = [word for line in lines for word in line.split() if word.count("@") >= 2]
    if left:
        raise LabError(f"the template has variables without a value: {' '.join(left)}")
    return "\n".join(lines).strip() + "\n"


def for_slow_nodes(crm_text: str, patience: float) -> str:
    """The same with timeouts of actions that are so many times as long."""
    return ACTION_TIMEOUT.sub(lambda found: f"timeout={int(found[1]) * patience:g}s", crm_text)


def render_cib(*crm_texts: str) -> ElementTree.Element:
    """crm texts, one loaded after the other, as a CIB, made and verified on the host: crmsh takes
    seconds in a node."""
    with tempfile.TemporaryDirectory(prefix="vpnha-lab-cib-") as directory:
        cib = Path(directory) / "cib.xml"
        script = Path(directory) / "template.crm"
        environment = {**os.environ, "CIB_file": str(cib), "HOME": directory,
                       "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

        def call(*argv: str) -> str:
            try:
                done = subprocess.run(argv, capture_output=True, text=True, env=environment,
                                      check=False)
            except FileNotFoundError:
                raise PackageMissing(f"{argv[0]}: apt-get install crmsh pacemaker") from None
            if done.returncode:
                raise LabError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()}")
            return done.stdout

        cib.write_text(call("cibadmin", "--empty"), encoding="utf-8")
        for text in crm_texts:
            script.write_text(text, encoding="utf-8")
            # Of agents that only a node has, crmsh has no metadata to check against.
            call("crm", "--force", "configure", "load", "update", str(script))
        call("crm_verify", "--xml-file", str(cib), "-V")
        return ElementTree.parse(cib).getroot()


def merge_section(current: ElementTree.Element, cib: ElementTree.Element, section: str) -> None:
    """Puts a section of `cib` in the place of the same one in `current`. Options that only the
    old one has stay: Pacemaker's own are among them, and a new coordinator would have to write
    each of them again in the middle of a takeover."""
    new = cib.find(f"./configuration/{section}")
    for old in current.findall(section):
        if section == "crm_config" and new is not None:
            options = {each.attrib["name"] for each in new.iter("nvpair")}
            new[0].extend([each for each in old.iter("nvpair")
                           if each.attrib["name"] not in options])
        current.remove(old)
    if new is not None:
        current.append(new)


class Cluster:
    """The cluster of a lab's gateways: of all of them, or of those that are named."""

    def __init__(self, lab: Lab, encrypted: bool = True, members: Sequence[str] = ()) -> None:
        self._lab = lab
        self._encrypted = encrypted
        self._key = StateDirectory(lab.name).path / KEY_FILE
        self._members = tuple(members) or tuple(node.name for node in lab.gateways)
        self._two_node = len(self._members) == 2
        # Of all nodes. A node with a longer token than the others holds an idle ring's token
        # longer than they wait for it: they lose it again and again.
        self._timing = self._patient(RELAXED)
        self._tuned = self._patient(QUICK)

    @property
    def nodes(self) -> list[Node]:
        """Those that corosync.conf lists."""
        return [self._lab.gateway(name) for name in self._members]

    def spare_successors(self, holder: Node) -> None:
        """What is measured next is how the others take over from a node: no two of them share a
        core of the host. In life no two machines do, and they all do the same at the same moment:
        an election, a join. The lowest of them, which speaks for all, has a core of its own."""
        others = [node for node in self.nodes if node is not holder]
        self._lab.share_cores([holder, *others[-1:]], *([node] for node in others[:-1]))

    def set_members(self, names: Sequence[str], by: Node) -> None:
        """What an administrator does on a node to add others, or to take them out for good:
        corosync.conf on all nodes, then one reload."""
        self._members = tuple(names)
        for node in self.nodes:
            if node.powered():
                node.put(COROSYNC_CONF_PATH, self._corosync_conf(self._timing))
        by.run("corosync-cfgtool", "-R")

    def set_power_sockets(self, names: Sequence[str], by: Node) -> None:
        """Which nodes the power switch has a socket for, as Pacemaker knows them; returns when all
        nodes that have power have it on their disks, too."""
        value = " ".join(names)
        by.run("crm_resource", "--resource", "fencing", "--set-parameter", "pcmk_host_list",
               "--parameter-value", value)
        for node in self.nodes:
            if node.powered():
                self._lab.wait_for(f"{node.name} has written it", lambda: (
                    f'name="pcmk_host_list" value="{value}"' in (node.read(CIB_FILE) or "")),
                    SETTLE_LIMIT_S, interval_s=0.1)

    def _corosync_conf(self, timing: tuple[int, int]) -> str:
        return corosync_conf(self.nodes, timing, self._encrypted, self._two_node)

    def up(self) -> None:
        """Power service, corosync and pacemaker on all gateways, unless they run; returns when
        all are online and quorate."""
        self.prepare()
        fresh = [node for node in self.nodes if not self._runs(node)]
        for node in fresh:
            node.put(CIB_FILE, SEED_CIB)
        self.start_together(fresh)
        self.wait_online(node.name for node in self.nodes)

    def start_together(self, nodes: Sequence[Node]) -> None:
        """Starts nodes that have a CIB on their disks; returns when they are online and
        quorate, with the relaxed token."""
        self._timing = self._patient(RELAXED)
        for node in nodes:
            node.run("chmod", "600", CIB_FILE)
            node.run("chown", "hacluster:haclient", CIB_FILE)
        with ThreadPoolExecutor(max_workers=len(self.nodes)) as pool:
            list(pool.map(self.start_corosync, nodes))
            list(pool.map(self.start_pacemaker, nodes))
        if nodes:
            self.wait_online([node.name for node in nodes], nodes[0].name)

    def prepare(self) -> None:
        """Key and power service of the lab's cluster."""
        if not self._key.exists():
            self._key.touch(mode=0o600)
            self._key.write_bytes(secrets.token_bytes(KEY_BYTES))
        start_power_service(self._lab)

    def _runs(self, node: Node, daemon: str = "pacemakerd") -> bool:
        return bool(node.processes(daemon))

    def start(self, node: Node) -> None:
        """Configures and starts a node that is up, without waiting for the cluster."""
        self.start_corosync(node)
        self.start_pacemaker(node)

    def start_pacemaker(self, node: Node) -> None:
        """On a node whose corosync runs, without waiting for it."""
        node.start("/usr/sbin/pacemakerd", stdout=PACEMAKER_LOG, stderr=PACEMAKER_LOG,
                   env=PACEMAKER_ENVIRONMENT)

    def put_files(self, node: Node) -> None:
        """What corosync and the fence agent of a node read."""
        files = {COROSYNC_CONF_PATH: (self._corosync_conf(self._timing).encode(), 0o644),
                 "/etc/corosync/authkey": (self._key.read_bytes(), 0o400),
                 **node_files(self._lab)}
        for path, (content, mode) in files.items():
            node.put(path, content, mode=mode)

    def start_corosync(self, node: Node) -> None:
        """Files of the cluster, and corosync without Pacemaker; returns when it answers."""
        self.put_files(node)
        node.start("/usr/sbin/corosync", "-f", stdout="/var/log/corosync/console.log",
                   stderr="/var/log/corosync/console.log")
        self._lab.wait_for(f"corosync of {node.name} answers",
                           lambda: node.run("corosync-quorumtool", "-p",
                                            check=False).code in (0, 2),
                           ONLINE_LIMIT_S, interval_s=0.1)

    def relax(self) -> None:
        """The token under which nodes join, on all nodes that have power."""
        self._set_timing(self._patient(RELAXED))

    @property
    def is_pair(self) -> bool:
        return self._two_node

    def standbys_stand_in(self) -> None:
        """tune() sets the profile for that."""
        self._tuned = self._patient(TUNED)

    def tune(self) -> None:
        """The tuned profile from now on, on all nodes that have power."""
        self._set_timing(self._tuned)

    @property
    def tuned_token_ms(self) -> int:
        """What tune() sets."""
        return self._tuned[0]

    def set_tuned(self, token_ms: int) -> None:
        """Tunes to another token, from now on: what tune() does then as well."""
        self._tuned = token_ms, round(token_ms * CONSENSUS_PER_TOKEN)
        self.tune()

    def _patient(self, timing: tuple[int, int]) -> tuple[int, int]:
        return timing if self._lab.patience == 1 else SLOW[timing]

    def default_token(self) -> None:
        """Corosync's own timing from now on, on all nodes that have power."""
        self._set_timing(DEFAULT)

    def _set_timing(self, timing: tuple[int, int]) -> None:
        self._timing = timing
        nodes = [node for node in self.nodes if node.powered()]
        for node in nodes:
            node.put(COROSYNC_CONF_PATH, self._corosync_conf(timing))
        nodes[0].run("corosync-cfgtool", "-R")
        for node in nodes:
            self._lab.wait_for(f"{node.name} has a token of {timing[0]} ms",
                               lambda: node.run(
                                   "corosync-cmapctl", "-g", "runtime.config.totem.token"
                               ).stdout.split()[-1] == str(timing[0]), 10, interval_s=0.1)

    def power_on(self, name: str) -> None:
        """Switches a node's power on again, with its root as fresh as a newly installed one."""
        self.relax()
        self._lab.power_on(name)

    def join(self, name: str) -> None:
        """Brings a node that power_on() booted back into the cluster, which keeps the relaxed
        token until tune() is called."""
        self.start(self._lab.gateway(name))
        # The joiner is asked: the others serve.
        self.wait_online([node.name for node in self.nodes if node.powered()], name)

    def leave(self, node: Node) -> None:
        """Ends Pacemaker and then Corosync of a node, as its shutdown would."""
        self.stop_pacemaker(node)
        self._stop(node, "corosync")

    def stop_pacemaker(self, node: Node) -> None:
        """In good order; returns when it has ended."""
        self._stop(node, "pacemakerd")

    def _stop(self, node: Node, daemon: str) -> None:
        node.run("pkill", "-TERM", "-x", daemon)
        self._lab.wait_for(f"{daemon} of {node.name} has ended",
                           lambda: not node.processes(daemon),
                           LEAVE_LIMIT_S, interval_s=0.1)

    def set_maintenance(self, on: bool) -> None:
        """Pacemaker leaves all resources as they are, or manages them again."""
        self._alive().run("crm_attribute", "--name", "maintenance-mode", "--update",
                          "true" if on else "false")

    def set_fencing_timeout(self, seconds: int) -> None:
        """How long Pacemaker waits for one device of the power switch, in place of 60 s."""
        self._alive().run("crm_attribute", "--name", "stonith-timeout", "--update", f"{seconds}s")

    def status(self, seen_from: str = "") -> Status:
        """As seen from that node, or from the first that has power."""
        node = self._lab.gateway(seen_from) if seen_from else self._alive()
        return parse_status(node.run("crm_mon", "-1", "--output-as=xml").stdout)

    def _alive(self) -> Node:
        for node in self.nodes:
            if node.powered():
                return node
        raise LabError("no gateway has power")

    def wait_status(self, what: str, condition: Callable[[Status], bool],
                    deadline_s: float = SETTLE_LIMIT_S, seen_from: str = "",
                    before: Callable[[], None] = lambda: None) -> Status:
        """Waits until the cluster, asked anew each time, is as wanted. `before` each look."""
        def ask() -> Status | None:
            before()
            status = self.status(seen_from)
            return status if condition(status) else None
        return self._lab.wait_for(what, ask, deadline_s, interval_s=0.1)

    def wait_online(self, names: Iterable[str], seen_from: str = "") -> Status:
        """Of nodes whose Pacemaker has been started. One that has ended meanwhile is started
        again: on a busy host Pacemaker 2.1.5's controller may join before the attribute manager
        listens, takes that for fatal, and pacemakerd stays down, with corosync."""
        wanted = set(names)
        look_at = time.monotonic() + START_AGAIN_S

        def start_ended() -> None:
            nonlocal look_at
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + START_AGAIN_S
                self._start_ended(wanted)
        return self.wait_status(f"{', '.join(sorted(wanted))} are online and quorate",
                                lambda status: status.quorate and wanted <= status.online,
                                ONLINE_LIMIT_S, seen_from, start_ended)

    def _start_ended(self, names: set[str]) -> None:
        for node in self.nodes:
            if node.name in names and node.powered() and not self._runs(node):
                node.run("sh", "-c", f"echo lab: pacemakerd had ended >> {PACEMAKER_LOG}")
                if not self._runs(node, "corosync"):
                    self.start_corosync(node)
                self.start_pacemaker(node)

    def configure(self, template: Path, *instances: Mapping[str, str],
                  fencing: Path | None = None, also: Sequence[Path] = ()) -> None:
        """Replaces the cluster's configuration by the template, filled once for each set of
        variables, and the fencing topology of stonith/, if one is named. `also`: more templates,
        which are loaded after it."""
        # Those that the power switch has a socket for.
        names = " ".join(node.name for node in self._lab.gateways)
        common = {"NODES": names, "VIP_OUTSIDE": VIP_OUTSIDE, "VIP_INSIDE": VIP_INSIDE,
                  "FENCE_AGENT": "fence_lab", "FENCE_PARAMETERS": ""}
        texts = [fill(each.read_text(encoding="utf-8"), {**common, **values})
                 for each in (template, *also) for values in instances]
        if fencing is not None:
            texts.append(fill(fencing.read_text(encoding="utf-8"), common))
        if self._lab.patience > 1:
            texts = [*(for_slow_nodes(text, self._lab.patience) for text in texts), UNTHROTTLED]
        cib = render_cib(*texts)
        node = self._alive()
        current = ElementTree.fromstring(
            node.run("cibadmin", "--query", "--scope=configuration").stdout)
        for section in SECTIONS:
            merge_section(current, cib, section)
        node.run("cibadmin", "--replace", "--scope=configuration", "--xml-pipe",
                 stdin=ElementTree.tostring(current))

    def memberships(self) -> int:
        """How many memberships Corosync of all nodes' present boots has formed so far: each node
        counts its own. Read on the host."""
        return sum(text.count("A new membership (") for text in self._corosync_logs())

    def link_changes(self, link: int) -> LinkChanges:
        """Of a link by its number in corosync.conf, so far; each end of a connection counts. Read
        on the host."""
        logs = "".join(self._corosync_logs())
        return LinkChanges(*(len(re.findall(rf"host: \d+ link: {link} is {state}\b", logs))
                             for state in ("down", "up")))

    def _corosync_logs(self) -> list[str]:
        return [node.read_log(COROSYNC_LOG) for node in self.nodes if node.powered()]

    def operations_done(self, operation: str, resource: str) -> list[str]:
        """The nodes that did the operation with success, in no particular order, one entry for
        each time. Read from the logs on the host: asking a node costs its only CPU a process,
        which is felt in the middle of a takeover."""
        pattern = re.compile(rf"Result of {operation} operation for {resource} on (\S+): ok")
        return [match[1] for node in self.nodes for directory in node.log_directories()
                for match in pattern.finditer(text_of(directory / "pacemaker" / "pacemaker.log"))]

    def wait_operation(self, operation: str, resource: str, before: list[str],
                       deadline_s: float = SETTLE_LIMIT_S) -> str:
        """Waits for one more success than in `before`, and returns the node that had it."""
        def ask() -> list[str]:
            new = self.operations_done(operation, resource)
            for node in before:
                if node in new:
                    new.remove(node)
            return new
        return self._lab.wait_for(f"{operation} of {resource} is done", ask, deadline_s)[0]
