# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad of a standby stands still while Pacemaker does not look: systemd brings its vote back.

Purpose: a vpnhad whose loop does not turn is not dead, so keep-vpnhad starts nothing. Where
Pacemaker's monitors do not run, nobody else would notice, and the lease would have a vote less.

Topology: gw1, gw2, gw3, each a newly installed Debian that the site play has set up, with systemd;
client1 and server.

Steps: client1 dials in by L2TP/IPsec and makes traffic. Maintenance mode is switched on, and
vpnhad of a standby gets a SIGSTOP. When another vpnhad runs there, maintenance mode is switched
off.

Expected: 60 to 90 s later another vpnhad and another keep-vpnhad run there, started once more by
systemd; the promoted node's vpnhad is the same all the time, and no gap of client1 is longer than
50 ms, or twice the longest of a calm time. The standby is in sync again in the end.
"""
from vpnlab.evidence.expectation import between, equals
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.promise import expect_no_gap
from vpnlab.steps.rollout import FRESH, begin, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=DEFAULT_NODES, fresh=FRESH, faults=1)
UNIT = "vpnhad.service"
CALM_S = 10
# Of the unit; and what systemd and two starts take.
WATCHDOG_S = 60
BACK_S = WATCHDOG_S + 30
# Its last sign of life was a quarter of that before.
SIGN_S = WATCHDOG_S / 4


def vpnhad(node: Node) -> str:
    return node.run("pidof", "-s", DAEMON, check=False).stdout.strip()


def shown(node: Node, name: str) -> str:
    return node.run("systemctl", "show", "--property", name, "--value", UNIT).stdout.strip()


def steps(run: Run) -> None:
    live = begin(run, prepare(run))
    stack, cluster = live.stack, live.stack.cluster
    live.dial("client1", dialler=L2tpIpsecClient)
    standby = live.plain_standby
    active, before, keeper = vpnhad(live.active), vpnhad(standby), shown(standby, "MainPID")
    calm_from = run.lab.now()
    run.observe(CALM_S)
    cluster.set_maintenance(True)
    begun = run.lab.now()
    run.step(f"a SIGSTOP of vpnhad of {standby.name}, which Pacemaker does not look at")
    standby.stop_process(DAEMON)
    run.wait_for("another vpnhad runs there", lambda: vpnhad(standby) not in ("", before), BACK_S)
    run.expect("back_after_s", round(run.lab.now() - begun, 1),
               between(WATCHDOG_S - SIGN_S - 1, BACK_S))
    run.expect("started_by_systemd", shown(standby, "NRestarts"), equals("1"))
    run.expect("same_keeper", shown(standby, "MainPID") == keeper, equals(False))
    run.observe(CALM_S)
    run.expect("promoted_vpnhad", vpnhad(live.active), equals(active))
    until = run.lab.now()
    run.step("the maintenance is over")
    cluster.set_maintenance(False)
    stack.wait_in_sync()
    seen = live.end()
    expect_no_gap(run, seen.client("client1"), (calm_from, begun), (begun, until))
