# SPDX-License-Identifier: GPL-2.0-or-later
"""One gateway becomes three, and three become five, several new ones at once.

Purpose: the new nodes are a majority of the new corosync.conf, and know nothing else. They do not
vote by it: they ask the node that serves who votes, and become voters one by one.

Topology: client1 -- outside -- gw1 to gw5 -- inside -- server; all but gw1 have no power at first.

Steps: client1 dials gw1 and makes traffic; gw2 and gw3 are added to corosync.conf, which is
reloaded, and started at once with the new one; the same with gw4 and gw5. They join under a relaxed
token, which is tuned again. Then the power of gw1 is cut.

Expected: no other node is promoted until the power cut, and never two owners. All new nodes have
been notified of the voters, and all name the same voters. No gap longer than 0.5 s meanwhile: gw1
needs votes of nodes that are starting, on one core of the host, and its lease may lapse once or
twice. After the power cut a silence of at most 1 s, as of every DC (gw1 is one, since it was the
first), and nothing else, and the epoch that serves then was granted by the new voters.
"""
from collections.abc import Sequence

from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.node import BEHIND_THE_OTHERS
from vpnlab.steps.live import Live, begin
from vpnlab.steps.membership import JOIN_S
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.voters import wait_voters

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "gw4", "gw5", "client1", "server"), faults=1,
                    vpnha=True)
GROWING_MS = 500.0


def grow(live: Live, names: Sequence[str]) -> None:
    """Returns when all new nodes are standbys and voters."""
    run, stack = live.run, live.stack
    new = [node for node in map(run.lab.gateway, names) if not node.powered()]
    run.step(f"{', '.join(node.name for node in new)} are added to corosync.conf, and started")
    stack.cluster.set_members(names, by=live.active)
    for node in new:
        run.lab.power_on(node.name, nice=BEHIND_THE_OTHERS)
        stack.configure(node)
        stack.cluster.start(node)
    for node in new:
        stack.wait_complete(node, JOIN_S)
    wait_voters(live, names)
    stack.wait_protected(1)


def steps(run: Run) -> None:
    later = [run.lab.gateway(name) for name in ("gw2", "gw3", "gw4", "gw5")]
    for node in later:
        # Machines that are bought later.
        node.kill()
    live = begin(run, clients=(), members=("gw1",))
    live.spare_promoted(*later)
    stack, first = live.stack, live.active
    client = run.l2tp_client("client1")
    client.dial()
    live.clients.append(client)
    client.start_traffic()
    promotions = stack.promotions()
    # Four nodes share a core of the host, and two of them start Pacemaker there: a ring with the
    # tuned token would be lost again and again, for as long as a minute.
    stack.cluster.relax()
    grown_from = run.lab.now()
    grow(live, ("gw1", "gw2", "gw3"))
    grow(live, ("gw1", "gw2", "gw3", "gw4", "gw5"))
    grown_until = run.lab.now()
    run.expect("promotions", stack.promotions(), equals(promotions))
    run.expect("notified", [node.name for node in later
                            if "event=recalled" in stack.daemon_log(node)],
               equals([node.name for node in later]))
    voters = sorted(node.spec.id for node in stack.cluster.nodes)
    run.expect("voters", {node.name: stack.status(node)["lease"]["voters"]
                          for node in stack.cluster.nodes},
               equals({node.name: voters for node in stack.cluster.nodes}))
    stack.cluster.tune()
    successor = live.cut_power(first)
    run.observe(2)
    granted = stack.status(successor)["epoch"]
    run.expect("granted_by", {node.name: stack.status(node)["lease"]["granted"]
                              for node in later}, equals({node.name: granted for node in later}))
    seen = live.end()
    run.expect("client1_gap_ms", worst_gap_ms(seen.client("client1"), (grown_from, grown_until)),
               at_most(GROWING_MS))
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
