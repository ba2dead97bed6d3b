# SPDX-License-Identifier: GPL-2.0-or-later
"""What Pacemaker's own scheduler does when an operator types: docs/operate/operations.md is made of
it."""
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
PAGE = conftest.ROOT / "docs" / "operate" / "operations.md"


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


# Of docs/operate/operations.md: what makes a change after a refresh a reload again.
PROBES_THAT_FOUND_IT = "//lrm_rsc_op[@operation='monitor' and contains(@id, '_last_failure_0')]"


def refresh(cluster: Cluster) -> None:
    """As Pacemaker 2.1.5 has it then: one result of a probe for each instance that runs, and the
    same once more, because none was expected, without what note_reloadable() has noted."""
    cib = ElementTree.parse(cluster.file)
    for resource in cib.iter("lrm_resource"):
        starts = [each for each in resource.iter("lrm_rsc_op")
                  if each.attrib["operation"] in ("start", "promote")]
        for number, operation in enumerate(starts):
            name = resource.attrib["id"]
            is_promoted = operation.attrib["operation"] == "promote"
            operation.set("operation", "monitor")
            operation.set("operation_key", f"{name}_monitor_0")
            operation.set("id", f"{name}_last_0")
            operation.set("rc-code", "8" if is_promoted else "0")
            unexpected = ElementTree.SubElement(resource, "lrm_rsc_op", operation.attrib)
            unexpected.set("id", f"{name}_last_failure_0")
            for noted in ("op-force-restart", "op-restart-digest"):
                unexpected.attrib.pop(noted, None)
            assert number == 0
    cib.write(cluster.file)


@pytest.mark.parametrize("forgets, action", [(False, "Restart"), (True, "Reload")])
def test_a_changed_parameter_after_a_refresh(forgets: bool, action: str, tmp_path: Path) -> None:
    assert PROBES_THAT_FOUND_IT in PAGE.read_text(encoding="utf-8")
    cluster = Cluster(tmp_path, SITE)
    note_reloadable(cluster)
    refresh(cluster)
    assert cluster.run() == NOTHING
    if forgets:
        tool(cluster, "cibadmin", "--delete-all", "--force", "--xpath", PROBES_THAT_FOUND_IT)
    set_parameter(cluster, "checkpoint", "log_file")
    assert cluster.run().count(f"* {action} checkpoint:") == len(cluster.nodes)


def meta(name: str, value: str, resource: str = "checkpoint-clone") -> tuple[str, ...]:
    return ("crm_resource", "--resource", resource, "--meta", "--set-parameter", name,
            "--parameter-value", value)


# Words of docs/operate/operations.md, what is typed, and what Pacemaker does to the gateway.
DONE = (
    ("disable", meta("target-role", "Stopped"),
     ("Stop checkpoint:0 ( Promoted gw1 )", "Stop checkpoint:1 ( Unpromoted gw2 )",
      "Stop checkpoint:2 ( Unpromoted gw3 )")),
    ("disable", meta("target-role", "Stopped", "xl2tpd-clone"),
     ("Stop xl2tpd:0 ( gw1 )", "Stop xl2tpd:1 ( gw2 )", "Stop xl2tpd:2 ( gw3 )")),
    ("unmanage", meta("is-managed", "false"), ()),
    ("ban", ("crm_resource", "--ban", "--resource", "checkpoint-clone", "--node", "gw2"),
     ("Stop checkpoint:1 ( Unpromoted gw2 )",)),
    ("ban", ("crm_resource", "--ban", "--resource", "checkpoint-clone", "--node", "gw1"),
     ("Promote checkpoint:1 ( Unpromoted -> Promoted gw2 )", "Stop checkpoint:0 ( Promoted gw1 )")),
    ("move", ("crm_resource", "--move", "--resource", "checkpoint-clone", "--node", "gw2"),
     ("Demote checkpoint:0 ( Promoted -> Unpromoted gw1 )",
      "Promote checkpoint:1 ( Unpromoted -> Promoted gw2 )")),
    ("ban --promoted", ("crm_resource", "--ban", "--promoted", "--resource", "checkpoint-clone",
                        "--node", "gw1"),
     ("Demote checkpoint:0 ( Promoted -> Unpromoted gw1 )",
      "Promote checkpoint:1 ( Unpromoted -> Promoted gw2 )")),
    ("stop-all-resources", ("crm_attribute", "--name", "stop-all-resources", "--update", "true"),
     tuple(f"Stop {name}:{number} ( {role}gw{number + 1} )"
           for name in ("checkpoint", "fencing", "strongswan", "xl2tpd") for number, role in
           enumerate(("Promoted ", "Unpromoted ", "Unpromoted ") if name == "checkpoint" else
                     ("", "", "")))),
    ("`notify`", meta("notify", "true"), ()),
    ("`failure-timeout`", meta("failure-timeout", "90s"), ()),
    ("`resource-stickiness`", meta("resource-stickiness", "50"), ()),
    ("maintenance-mode", ("crm_attribute", "--name", "maintenance-mode", "--update", "true"), ()),
    ("promoted-max", meta("promoted-max", "0"),
     ("Demote checkpoint:0 ( Promoted -> Unpromoted gw1 )",)),
    ("interval", ("cibadmin", "--modify", "--xml-text",
                  '<op id="checkpoint-monitor-2s" interval="4s"/>'), ()),
)


@pytest.mark.parametrize("verb, words, expected", DONE)
def test_the_page_shows_what_pacemaker_does(verb: str, words: tuple[str, ...],
                                            expected: tuple[str, ...], tmp_path: Path) -> None:
    assert verb in PAGE.read_text(encoding="utf-8")
    cluster = Cluster(tmp_path, SITE)
    tool(cluster, *words)
    done = cluster.run()
    actions = [line.strip().removeprefix("* ").removesuffix(" due to node availability")
               for line in done.splitlines()]
    assert actions == (list(expected) if expected else ["nothing"]), done


def test_nobody_is_promoted_where_an_unmanaged_node_dies(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, SITE)
    tool(cluster, *meta("is-managed", "false"))
    cluster.run()
    assert "Promote" not in cluster.run("--node-fail=gw1")


def test_what_was_disabled_is_started_and_promoted_at_once(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, SITE)
    tool(cluster, *meta("target-role", "Stopped"))
    cluster.run()
    tool(cluster, "crm_resource", "--resource", "checkpoint-clone", "--meta",
         "--delete-parameter", "target-role")
    done = cluster.run()
    assert done.count(" Start checkpoint:") == 2 and "Stopped -> Promoted gw1" in done, done
