# SPDX-License-Identifier: GPL-2.0-or-later
"""`reboot` is typed on the promoted node of a cluster that systemd runs; it comes back by itself.

Purpose: what an administrator types without a thought is a planned move, by the order of the units
alone: Pacemaker stops before vpnhad, vpnhad before Corosync. And after the boot nobody has to do
anything. `reboot-promoted` has the same without systemd, at the tuned token.

Topology: gw1, gw2, gw3, each a newly installed Debian that the site play has set up; client1,
client2 and server.

Steps: client1 dials in by L2TP/IPsec, client2 by PPTP; `systemctl reboot` on the promoted node,
which the lab then boots, with its disk.

Expected: a silence of at most 500 ms of each client and nothing else; never two owners; nobody is
fenced, and nothing of Pacemaker's has failed. The node is a standby in sync after its boot, has no
failed unit, and both sessions are protected.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.host.node import Node
from vpnlab.host.power import power_events
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.steps.promise import expect_only_silence
from vpnlab.steps.rollout import FRESH, begin, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), fresh=FRESH, faults=1)
OUTAGE_MS = 500
DOWN_LIMIT_S, REJOIN_LIMIT_S = 120, 180
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    ansible = prepare(run)
    live = begin(run, ansible)
    stack, first = live.stack, live.active
    live.dial("client1", dialler=L2tpIpsecClient)
    live.dial("client2", dialler=PptpDialler)
    live.spare_from_promoted()
    run.observe(AFTERWARDS_S)

    run.step(f"reboot of {first.name}, which is promoted")
    reboot(run, first)
    for client in live.clients:
        live.wait_answered(client)
    run.observe(AFTERWARDS_S)
    live.active = stack.wait_promoted()
    live.spare_promoted()
    run.step(f"{first.name} boots")
    run.lab.power_on(first.name)
    stack.wait_in_sync(REJOIN_LIMIT_S)
    stack.wait_protected(len(live.clients))
    run.expect("fenced", [event.node for event in power_events(run.lab)
                          if event.action == "off"], is_empty())
    run.expect("failures", list(stack.cluster.status().failures), is_empty())
    run.expect("failed_units", first.run("systemctl", "--failed", "--quiet", "--plain",
                                         "--no-legend").stdout, equals(""))
    run.observe(AFTERWARDS_S)
    seen = live.end()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), OUTAGE_MS)


def reboot(run: Run, node: Node) -> None:
    """Returns when its kernel has ended: a node of the lab that resets itself stays off."""
    node.note_fault("reboot")
    node.run("systemctl", "reboot")
    run.wait_for(f"{node.name} has shut down", lambda: not node.powered(), DOWN_LIMIT_S)
