# SPDX-License-Identifier: GPL-2.0-or-later
"""All gateways go from Debian 12 to Debian 13, node by node, under live sessions.

Purpose: what docs/operate/upgrade.md describes for a new Debian release. No session ends, although
a gateway dies while the cluster has nodes of both.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server. All gateways
are of this host's release. client1 speaks L2TP/IPsec, client2 IKEv2, client3 PPTP.

Steps: gw1 is promoted, and all three dial. gw3 leaves the cluster, is reinstalled with the other
release, and returns; the role moves there. gw2 is reinstalled. The power of gw3 is cut, and gw1,
the only one of the old release, is promoted; gw3 returns. The role moves to gw2, and gw1 is
reinstalled.

Expected: to each client one silence of a takeover, besides the moves, and nothing else. In the end
all gateways are of the other release, and the clients are protected.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.node import Node
from vpnlab.host.release import OTHER_RELEASE
from vpnlab.steps.clients.every_protocol import CLIENT_NODES, CLIENTS, begin_all
from vpnlab.steps.live import Live
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=CLIENT_NODES, faults=1, vpnha=True, other_release=())


def steps(run: Run) -> None:
    live = begin_all(run, lambda name, _dc: name == "gw1")
    stack = live.stack
    first, second, third = run.lab.gateways
    reinstall(run, live, third)
    live.move_role(third)
    reinstall(run, live, second)

    stack.avoid([second.name])
    successor = live.cut_power(third)
    run.expect("successor", successor.name, equals(first.name))
    stack.avoid([])
    stack.rejoin(third.name)
    stack.wait_protected(len(CLIENTS))

    live.move_role(second)
    reinstall(run, live, first)
    run.expect("releases", [node.run("sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME")
                            .stdout.strip() for node in run.lab.gateways],
               equals([OTHER_RELEASE.name] * 3))
    run.observe(2)
    seen = live.end()
    for name in CLIENTS:
        expect_only_silence(run, seen.client(name), TAKEOVER_MS)


def reinstall(run: Run, live: Live, standby: Node) -> None:
    """It leaves in good order, and returns with the other release; returns when the clients are
    protected again."""
    run.step(f"{standby.name}, a standby, gets {OTHER_RELEASE.name}")
    live.stack.cluster.leave(standby)
    standby.kill()
    run.lab.reinstall(standby.name)
    live.stack.rejoin(standby.name)
    live.stack.wait_protected(len(CLIENTS))
