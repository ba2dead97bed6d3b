# SPDX-License-Identifier: GPL-2.0-or-later
"""A third of the packets on the probe's own way is lost: the gateway stays where it is.

Purpose: a probe that loses packets has not found a dead service. Each question is asked again, and
only two probes in a row without any answer count.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; cib-templates/probe.crm for l2tp.

Steps: client1 dials and makes traffic; the loopback device of the promoted node, by which it asks
itself, loses 30 % of its packets for 70 s, which are six probes.

Expected: no move; the node's mark is alive all the time; the client has no gap longer than 50 ms,
or twice the longest of a calm time.
"""
from vpnlab.evidence.expectation import at_least, equals
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.steps.promise import expect_unnoticed
from vpnlab.steps.promoted.dead_service import begin_probed, marks
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
CALM_S, LOSS_S, LOOKS = 10, 70, 7


def steps(run: Run) -> None:
    live = begin_probed(run, "l2tp", {"client1": L2tpClient})
    live.spare_from_promoted()
    promotions = live.stack.promotions()
    calm_from = run.lab.now()
    run.observe(CALM_S)
    begun = run.lab.now()
    live.active.note_fault("loopback loss 30 %")
    live.active.run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "loss", "30%")
    seen_marks = set()
    for _ in range(LOOKS):
        run.observe(LOSS_S / LOOKS)
        seen_marks.add(marks(live, live.plain_standby).get(live.active.name))
    lost = live.active.run("tc", "-s", "qdisc", "show", "dev", "lo").stdout
    until = run.lab.now()
    live.active.run("tc", "qdisc", "delete", "dev", "lo", "root")
    run.expect("marks", sorted(map(str, seen_marks)), equals(["alive"]))
    # Without it nothing was shown.
    run.expect("packets_lost", int(lost.split("(dropped ")[1].split(",")[0]), at_least(5))
    run.expect("moves", live.stack.promotions() - promotions, equals(0))
    seen = live.end()
    expect_unnoticed(run, seen.client("client1"), (calm_from, begun), (begun, until))
