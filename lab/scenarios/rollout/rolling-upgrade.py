# SPDX-License-Identifier: GPL-2.0-or-later
"""The upgrade play brings the next release to all gateways under live sessions.

Purpose: what the play vpnha.gateway.upgrade promises: node by node, those that serve last, and no
session notices more than a planned move.

Topology: gw1, gw2, gw3, each a newly installed Debian that the site play has set up; client1,
client2 and server. The archive of the next release has this one's packages under a higher version,
and vpnhad-next, which speaks wire versions 1 and 2, as vpnhad.

Steps: gw1, the inventory's first, is promoted. client1 dials in by L2TP/IPsec, client2 by PPTP;
the play runs under their traffic, and runs again. No fault.

Expected: who serves is upgraded last; the gateway has left it before. Each node has the next
version in the end, and the group speaks wire version 2. No step of a promotion or a demotion has
failed; a demotion starts xl2tpd and pptpd anew, in a unit of their own. Both sessions are the same,
with a silence of at most 1 s; the second play changes nothing.
"""
import re

from vpnlab.evidence.expectation import equals, is_empty, is_true
from vpnlab.host.stage import BUILD
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.rollout import packages
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.vpnha_stack import DAEMON_PATH
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.rollout import FRESH, begin, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), fresh=FRESH, faults=0)
PROGRAM = BUILD / "tests" / "next" / "vpnhad-next"
FIRST = FRESH[0]
SOURCE = f"vpnha_package_source='{packages.NEXT_SOURCE}'"
UPGRADED = re.compile(r"Packages are upgraded\] \**\nchanged: \[(\w+)\]")
MOVED = re.compile(r"Its gateways are moved\] \**\nchanged: \[(\w+)\]")
FAILED_STEP = re.compile(r" error: step \S+ failed")
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    ansible = prepare(run)
    packages.put_next(run.lab, {DAEMON_PATH[1:]: PROGRAM})
    live = begin(run, ansible, lambda name, _dc: name == FIRST)
    live.dial("client1", dialler=L2tpIpsecClient)
    live.dial("client2", dialler=PptpDialler)
    live.spare_promoted()
    run.observe(AFTERWARDS_S)

    run.step("the upgrade play")
    log = "ansible-upgrade.log"
    run.expect("upgrade_play", ansible.play("upgrade", log, "--extra-vars", SOURCE).ok, is_true())
    output = (run.out / log).read_text(encoding="utf-8")
    order = UPGRADED.findall(output)
    run.expect("upgraded", sorted(order), equals(sorted(FRESH)))
    run.expect("moved", MOVED.findall(output), equals(order[-1:]))
    run.expect("versions", [packages.version(node, "vpnha") for node in run.lab.gateways],
               equals([packages.NEXT_VERSION] * len(FRESH)))
    run.expect("spoken", [live.stack.node_status(node)["wire_version"]
                          for node in run.lab.gateways], equals([2] * len(FRESH)))
    live.stack.wait_protected(len(live.clients))

    run.step("the upgrade play once more")
    again = ansible.play("upgrade", "ansible-again.log", "--extra-vars", SOURCE)
    run.expect("changed_by_the_second", again.changed, equals(dict.fromkeys(FRESH, 0)))
    run.expect("secrets_in_the_logs", ansible.secret_words(), is_empty())
    run.expect("failed_steps", [line for node in run.lab.gateways
                                for line in live.stack.daemon_log(node).splitlines()
                                if FAILED_STEP.search(line)], is_empty())
    run.observe(AFTERWARDS_S)
    seen = live.end()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)
