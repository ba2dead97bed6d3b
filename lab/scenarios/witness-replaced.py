# SPDX-License-Identifier: GPL-2.0-or-later
"""The witness of two nodes loses its disk, and counts again after both nodes have told it.

Purpose: the machine of a witness breaks, and a new one gets its key. Its vote must not count before
it knows what the two have decided; then it is worth as much as before.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; vpnha-witness on wit1, on both
networks; two_node in corosync.conf; stonith/two-nodes-witness.crm.

Steps: client1 dials and makes traffic; the witness ends, its directory is emptied, it is enrolled
again by the key line of a gateway, and started. Then the power of the promoted node is cut.

Expected: no silence by the witness; at most 0.45 s by the power cut, and nothing else; never two
owners.
"""
from vpnlab.steps.live import off_dc
from vpnlab.steps.promise import UNNOTICED_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.pairs.two_nodes import observed, wait_calm
from vpnlab.steps.pairs.witness import (
    DEVICES, NODES, WITNESS_MS, begin_with_witness, expect_silence, witness_of)

SCENARIO = Scenario(nodes=NODES, faults=1, vpnha=True)
OBSERVE_S = 4


def steps(run: Run) -> None:
    live = begin_with_witness(run, off_dc)
    witness = witness_of(live)
    name = wait_calm(live, live.active, DEVICES)
    run.step("a new witness comes in the place of the one that was there")
    ended_at = run.lab.now()
    witness.end()
    witness.forget()
    witness.enrol(live.active)
    witness.start()
    run.observe(OBSERVE_S)
    until = run.lab.now()
    run.observe(1)
    live.cut_power(live.active)
    loss = observed(live, name)
    seen = live.end().client("client1")
    expect_silence(run, seen, "witness_replaced", (ended_at, until), UNNOTICED_MS)
    expect_silence(run, seen, "node_gone", loss.span, WITNESS_MS)
    expect_only_silence(run, seen, WITNESS_MS)
