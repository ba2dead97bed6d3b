# SPDX-License-Identifier: GPL-2.0-or-later
"""A service of the promoted node lives and answers nobody: ocf:vpnha:probe finds out, and the
gateway moves with its sessions."""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ...evidence.expectation import at_most, equals, is_empty
from ...host.node import Node
from ...product.cluster import Cluster
from ...product.dialler import MakeDialler
from ...product.vpnha_stack import VpnhaStack
from ..live import Live, begin
from ..promise import REPORTED_MS, expect_only_silence
from ..run import Run

# Of cib-templates/probe.crm: two probes of 5 s, 10 s before each of them. The rest is Pacemaker's.
DEAD_S = 30
MOVED_S = DEAD_S + 15
# What a probe needs until the next one of the node that serves begins, and twice that.
ANSWERED_S = 40
SETTLED_S = 30


def begin_probed(run: Run, probe: str, diallers: Mapping[str, MakeDialler], ipsec: bool = False,
                 pptp: bool = False) -> Live:
    """Clients under traffic on gateways that are probed; a probe was answered."""
    stack = VpnhaStack(run.lab, Cluster(run.lab), ipsec=ipsec, pptp=pptp, probe=probe)
    live = begin(run, clients=(), observe_s=0, stack=stack)
    live.dial_all(diallers)
    wait_alive(run, live, live.active)
    run.observe(2)
    return live


def set_probe(live: Live, parameters: Mapping[str, str]) -> None:
    """Parameters of ocf:vpnha:probe, for all nodes. Pacemaker has started the probes anew then, and
    none is marked by what an earlier one has found."""
    for name, value in parameters.items():
        live.active.run("crm_resource", "--resource", "probe", "--set-parameter", name,
                        "--parameter-value", value)
    live.active.run("crm_resource", "--wait", "--timeout", f"{SETTLED_S}s")


def marks(live: Live, asked: Node) -> dict[str, str]:
    """What the nodes' probes have come to, by the nodes' names."""
    return _attribute(asked, f"vpnha-probe-{live.stack.gateway.name}")


def of_radius(live: Live, asked: Node) -> dict[str, str]:
    """Whether RADIUS answers the nodes' probes, by the nodes' names."""
    return _attribute(asked, f"vpnha-radius-{live.stack.gateway.name}")


def _attribute(asked: Node, name: str) -> dict[str, str]:
    found = asked.run("attrd_updater", "--name", name, "--query", "--all", check=False).stdout
    words = [dict(word.split("=", 1) for word in line.split() if "=" in word)
             for line in found.splitlines()]
    return {each["host"].strip('"'): each["value"].strip('"') for each in words if "host" in each}


def wait_alive(run: Run, live: Live, node: Node) -> None:
    run.wait_for(f"{node.name} is known to answer",
                 lambda: marks(live, node).get(node.name) == "alive", ANSWERED_S)


def expect_marked(run: Run, live: Live, successor: Node) -> None:
    """Of the nodes that have served, the first one is dead, and the next one answers."""
    run.expect("marks", marks(live, successor),
               equals({live.active.name: "dead", successor.name: "alive"}))


def hang_service(run: Run, live: Live, what: str, act: Callable[[Node], None]) -> Node:
    """The service of the promoted node stops to answer; returns the node that serves then."""
    live.spare_promoted()
    promotions = live.stack.promotions()
    run.step(f"{what} of {live.active.name}, which is promoted")
    begun = run.lab.now()
    act(live.active)
    successor = live.stack.wait_promoted((node.name for node in live.standbys), MOVED_S)
    run.expect("moved_after_s", round(run.lab.now() - begun, 1), at_most(MOVED_S))
    for client in live.clients:
        live.wait_answered(client)
    wait_alive(run, live, successor)
    run.expect("moves", live.stack.promotions() - promotions, equals(1))
    return successor


def expect_moved_alive(run: Run, live: Live) -> None:
    """No probe has failed, and none but the hung node's is degraded; all hang up; each client saw a
    silence at most."""
    degraded = re.compile(rf"probe_monitor_\d+ on {live.active.name}: OCF_DEGRADED ")
    failed = [each for each in live.stack.cluster.status().failures if "probe" in each]
    run.expect("failed_probes", [each for each in failed if not degraded.match(each)], is_empty())
    seen = live.end()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), REPORTED_MS)
