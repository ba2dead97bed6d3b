# SPDX-License-Identifier: GPL-2.0-or-later
"""The witness of two nodes is stolen and lies to both, and nobody notices while both nodes live.

Purpose: a witness stands where nobody guards it. Of what it sends only its vote is taken, so a
stolen one makes no second owner, resets no node, changes no list and uses up no epochs while the
nodes receive each other's rounds.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; vpnha-witness on wit1, on both
networks; two_node in corosync.conf; stonith/two-nodes-witness.crm.

Steps: client1 dials and makes traffic; in the place of the witness a program with its key agrees to
whatever either node asks, releases the holder's epoch, asks for marks, hands over, and names lists
of voters and high epochs, some ten times a second, for 20 s. Then the power of the promoted node is
cut.

Expected: nothing while both nodes live: no silence, no move, no fencing, the same list of voters,
no epoch that is much higher. The power cut costs 0.45 s at most; never two owners.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.node import Node
from vpnlab.host.power import power_events
from vpnlab.product.witness import Witness
from vpnlab.steps.live import Live
from vpnlab.steps.pairs.witness import NODES, outlive
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=NODES, faults=2, vpnha=True)
LIES_S = 20
# What a witness alone names counts up to 1 024 above what nodes have named, and a claim makes that
# a node's word.
EPOCHS_MAX = 2 * 1024


def epoch(live: Live, node: Node) -> int:
    return int(live.stack.status(node)["lease"]["granted"].partition(".")[0])


def steps(run: Run) -> None:
    before: dict[str, int] = {}

    def lie(live: Live, witness: Witness) -> None:
        before.update(promotions=live.stack.promotions(), epoch=epoch(live, live.active))
        witness.lie()
        run.observe(LIES_S)

    def look(live: Live) -> None:
        run.expect("promotions", live.stack.promotions(), equals(before["promotions"]))
        run.expect("switched_off", [event.node for event in power_events(run.lab)], equals([]))
        run.expect("lists_with_the_witness", [live.stack.votes(node) for node in
                                              live.stack.cluster.nodes], equals([True, True]))
        run.expect("epochs_used", epoch(live, live.active) - before["epoch"],
                   at_most(EPOCHS_MAX))
    outlive(run, "the witness lies from now on", "witness_lies", lie, look)
