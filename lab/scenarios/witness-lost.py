# SPDX-License-Identifier: GPL-2.0-or-later
"""The witness of two nodes crashes and is started again; then a node dies.

Purpose: while both nodes live they are two voters of three, so the witness may die, be started anew
and be upgraded at any time. After a crash it has forgotten nothing that it granted, and its vote is
worth as much as before.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; vpnha-witness on wit1, on both
networks; two_node in corosync.conf; stonith/two-nodes-witness.crm.

Steps: client1 dials and makes traffic; the witness is killed, and started again after some seconds;
then the power of the promoted node is cut.

Expected: no silence when the witness dies or returns; at most 0.45 s when the node dies, and
nothing else; never two owners.
"""
from vpnlab.steps.live import off_dc
from vpnlab.steps.promise import UNNOTICED_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.pairs.two_nodes import observed, wait_calm
from vpnlab.steps.pairs.witness import (
    DEVICES, NODES, WITNESS_MS, begin_with_witness, expect_silence, witness_of)

SCENARIO = Scenario(nodes=NODES, faults=2, vpnha=True)
OBSERVE_S = 4


def steps(run: Run) -> None:
    live = begin_with_witness(run, off_dc)
    witness = witness_of(live)
    name = wait_calm(live, live.active, DEVICES)
    run.step("the witness dies, and comes back")
    killed_at = run.lab.now()
    witness.kill()
    run.observe(OBSERVE_S)
    witness.start()
    run.observe(OBSERVE_S)
    until = run.lab.now()
    run.observe(1)
    live.cut_power(live.active)
    loss = observed(live, name)
    seen = live.end().client("client1")
    expect_silence(run, seen, "witness_gone", (killed_at, until), UNNOTICED_MS)
    expect_silence(run, seen, "node_gone", loss.span, WITNESS_MS)
    expect_only_silence(run, seen, WITNESS_MS)
