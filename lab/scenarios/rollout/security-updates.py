# SPDX-License-Identifier: GPL-2.0-or-later
"""The security play brings newer daemons to all gateways under live sessions.

Purpose: what the play vpnha.gateway.security promises: node by node, those that serve last, with
Corosync and Pacemaker stopped on one node at a time, and no session notices more than a planned
move.

Topology: gw1, gw2, gw3, each a newly installed Debian that the site play has set up; client1,
client2 and server. An archive has Debian's xl2tpd and Corosync under higher versions, as the
security archive would.

Steps: gw1, the inventory's first, is promoted. client1 dials in by L2TP/IPsec, client2 by PPTP;
the play runs under their traffic, and runs again. No fault.

Expected: who serves is updated last; the gateway has left it before. Each node has the newer
versions in the end, and runs no program of an older one. Both sessions are the same, with a silence
of at most 1 s; the second play changes nothing.
"""
import re

from vpnlab.evidence.expectation import equals, is_empty, is_true
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.rollout import packages
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.rollout import FRESH, begin, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), fresh=FRESH, faults=0)
FIRST = FRESH[0]
NEWER = {"xl2tpd": "1.3.18-1+deb12u9", "corosync": "3.1.7-1+deb12u9"}
SOURCE_FILE = "/etc/apt/sources.list.d/security.list"
UPDATED = re.compile(r"Packages are upgraded\] \**\nchanged: \[(\w+)\]")
MOVED = re.compile(r"Its gateways are moved\] \**\nchanged: \[(\w+)\]")
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    ansible = prepare(run)
    packages.put_security(run.lab, NEWER)
    live = begin(run, ansible, lambda name, _dc: name == FIRST)
    live.dial("client1", dialler=L2tpIpsecClient)
    live.dial("client2", dialler=PptpDialler)
    live.spare_promoted()
    run.observe(AFTERWARDS_S)

    run.step("the security play")
    for node in run.lab.gateways:
        node.put(SOURCE_FILE, f"{packages.NEXT_SOURCE}\n")
    log = "ansible-security.log"
    run.expect("security_play", ansible.play("security", log).ok, is_true())
    output = (run.out / log).read_text(encoding="utf-8")
    order = UPDATED.findall(output)
    run.expect("updated", sorted(order), equals(sorted(FRESH)))
    run.expect("moved", MOVED.findall(output), equals(order[-1:]))
    run.expect("versions", [{name: packages.version(node, name) for name in NEWER}
                            for node in run.lab.gateways], equals([NEWER] * len(FRESH)))
    run.expect("outlived", [node.run("find", "/proc", "-maxdepth", "2", "-name", "exe", "-lname",
                                     "/usr/sbin/* (deleted)", check=False).stdout
                            for node in run.lab.gateways], equals([""] * len(FRESH)))
    live.stack.wait_protected(len(live.clients))

    run.step("the security play once more")
    again = ansible.play("security", "ansible-again.log")
    run.expect("changed_by_the_second", again.changed, equals(dict.fromkeys(FRESH, 0)))
    run.expect("secrets_in_the_logs", ansible.secret_words(), is_empty())
    run.observe(AFTERWARDS_S)
    seen = live.end()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)
