# SPDX-License-Identifier: GPL-2.0-or-later
"""charon dies on a standby, and nobody notices; it dies on the promoted node, and another serves.

Purpose: a charon that is started anew has nothing. On a standby it is fed all SAs again; what its
predecessor left in the kernel is no obstacle. On the promoted node all others have what it had.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2.

Steps: both dial and make traffic; charon of a standby is killed, and the node is in sync again.
Then charon of the promoted node is killed, and that node is in sync again. Then the role moves to
it, away from its successor.

Expected: the first is no gap longer than 50 ms, or twice the longest of a fault-free time; the
others are a silence of at most 1 s each and nothing else. No ESP number is used twice. charon,
xl2tpd and pppd may write no core file.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.steps.ipsec.live import CHARON, CLIENTS, IPSEC_NODES, begin_ipsec, expect_silences
from vpnlab.steps.promise import TAKEOVER_MS, expect_no_gap
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=IPSEC_NODES, faults=2, vpnha=True)
OBSERVED_S = 6
# Failure-timeout of the template, and what Pacemaker takes to heed it. A standby without a charon
# has the records all the same, and is in sync; only its SAs are not hot.
BACK_S = 75
PROMOTED_S = 20


def steps(run: Run) -> None:
    live = begin_ipsec(run, observe_s=0)
    stack, standby = live.stack, live.plain_standby
    run.expect("core_limits", live.active.core_limits(CHARON, "xl2tpd", "pppd"),
               equals({name: ["0", "0"] for name in (CHARON, "xl2tpd", "pppd")}))
    calm_from = run.lab.now()
    run.observe(OBSERVED_S)

    run.step(f"charon of {standby.name}, a standby, is killed")
    killed_at = run.lab.now()
    standby.kill_process(CHARON)
    run.observe(OBSERVED_S)
    observed_until = run.lab.now()
    stack.wait_in_sync(deadline_s=BACK_S)
    stack.wait_protected(len(CLIENTS), deadline_s=BACK_S)

    run.step(f"charon of {live.active.name}, which is promoted, is killed")
    live.active.kill_process(CHARON)
    successor = stack.wait_promoted((node.name for node in live.standbys), PROMOTED_S)
    for client in live.clients:
        live.wait_answered(client)
    stack.wait_in_sync(deadline_s=BACK_S)
    stack.wait_protected(len(CLIENTS), deadline_s=BACK_S)

    run.step(f"the role moves from {successor.name} to {live.active.name}")
    stack.clear_failures()
    moved_to = stack.move_role(lambda name: name == live.active.name)
    stack.wait_protected(len(CLIENTS))
    run.observe(2)
    run.expect("moved_to", moved_to.name, equals(live.active.name))
    seen = live.end()
    for name in CLIENTS:
        expect_no_gap(run, seen.client(name), (calm_from, killed_at), (killed_at, observed_until))
    expect_silences(run, seen, TAKEOVER_MS)
