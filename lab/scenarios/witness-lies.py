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
from vpnlab.steps.live import Live, off_dc
from vpnlab.steps.promise import UNNOTICED_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.pairs.two_nodes import observed, wait_calm
from vpnlab.steps.pairs.witness import (
    DEVICES, NODES, WITNESS_MS, begin_with_witness, expect_silence, witness_of)

SCENARIO = Scenario(nodes=NODES, faults=2, vpnha=True)
LIES_S = 20
# What a witness alone names counts up to 1 024 above what nodes have named, and a claim makes that
# a node's word.
EPOCHS_MAX = 2 * 1024


def epoch(live: Live, node: Node) -> int:
    return int(live.stack.status(node)["lease"]["granted"].partition(".")[0])


def steps(run: Run) -> None:
    live = begin_with_witness(run, off_dc)
    name = wait_calm(live, live.active, DEVICES)
    promotions, before = live.stack.promotions(), epoch(live, live.active)
    run.step("the witness lies from now on")
    from_s = run.lab.now()
    witness_of(live).lie()
    run.observe(LIES_S)
    until = run.lab.now()
    run.observe(1)
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    run.expect("switched_off", [event.node for event in power_events(run.lab)], equals([]))
    run.expect("lists_with_the_witness", [live.stack.votes(node) for node in
                                          live.stack.cluster.nodes], equals([True, True]))
    run.expect("epochs_used", epoch(live, live.active) - before, at_most(EPOCHS_MAX))
    live.cut_power(live.active)
    loss = observed(live, name)
    seen = live.end().client("client1")
    expect_silence(run, seen, "witness_lies", (from_s, until), UNNOTICED_MS)
    expect_silence(run, seen, "node_gone", loss.span, WITNESS_MS)
    expect_only_silence(run, seen, WITNESS_MS)
