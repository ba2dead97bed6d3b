# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk of a standby refuses writes, long before a vote is needed or just then.

Purpose: a file system that an error made read-only. Renewals of the lease need no disk, so the node
answers them like any other. At the next takeover it cannot save a grant, and its vote is missing.
The administrator has to know that before. A standby that no majority can grant the lease keeps its
sessions, and waits until the disk is back.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. The state directories are on file
systems of 256 KiB.

Steps: client1 dials and makes traffic. The file system of a standby becomes read-only, and nothing
else happens until this is reported, or for 70 s. The power of the promoted node is cut; 5 s later
the file system takes writes again. The dead node comes back. Of the other two, the one that is not
promoted gets a read-only file system again. The power of the promoted one is cut at once, before
anything is reported, and 5 s later the file system takes writes.

Expected: within 70 s the standby's status, its metric and `vpnha status --check` show that its disk
takes no saves. Those of the promoted node show that no vote is in reserve. Both times the client's
pings are answered within 3 s after the disk is back. Nothing else happens to the client: no session
is lost. Both vpnhads of the survivors are those of before.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.errors import TimedOut
from vpnlab.host.node import Node
from vpnlab.product.vpnha_stack import DAEMON, VpnhaStack
from vpnlab.steps.disk import refuse_writes, take_writes, use_small_disk
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import expect_nothing_else
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=4, vpnha=True)
REPORTED_S = 70
LOOK_S = 2.0
# From the power cut to the file system that takes writes again.
REFUSED_S = 5
BACK_S = 3.0
# To see how long it was, should it be longer.
PATIENCE_S = 60


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        use_small_disk(node)
    live = begin(run)
    stack, first = live.stack, live.active
    refusing = live.standbys[-1]
    run.step(f"the disk of {refusing.name}, a standby, refuses writes")
    refuse_writes(refusing)
    expect_reported(run, stack, refusing, first)
    cut_power(run, live, "reported", first, refusing)
    stack.rejoin(first.name)
    stack.wait_protected(1)

    second = stack.wait_in_sync()
    refusing = next(node for node in live.standbys if node is not second)
    run.step(f"the disk of {refusing.name}, a standby, refuses writes")
    refuse_writes(refusing)
    cut_power(run, live, "at_once", second, refusing)
    stack.rejoin(second.name)
    stack.wait_protected(1)
    seen = live.end()
    expect_nothing_else(run, seen.client("client1"))


def expect_reported(run: Run, stack: VpnhaStack, refusing: Node, promoted: Node) -> None:
    """Books what both nodes report when all of it is there, or at the limit."""
    series = f'{{gateway="{stack.gateway.name}"}}'

    def reported() -> dict[str, object]:
        return {"saves": stack.status(refusing)["lease"]["saves"],
                "saves_metric": stack.metrics(refusing)[f"vpnha_lease_saves{series}"],
                "reserve": stack.status(promoted)["lease"]["reserve"],
                "reserve_metric": stack.metrics(promoted)[f"vpnha_lease_reserve{series}"],
                "checks": [node.run("vpnha", "status", "--check", check=False).code != 0
                           for node in (refusing, promoted)]}
    wanted = {"saves": False, "saves_metric": 0, "reserve": 0, "reserve_metric": 0,
              "checks": [True, True]}
    since = run.lab.now()
    try:
        run.lab.wait_for("both nodes report it", lambda: reported() == wanted, REPORTED_S, LOOK_S)
    except TimedOut as error:
        run.step(str(error))
    run.expect("reported", reported(), equals(wanted))
    run.expect("reported_after_s", round(run.lab.now() - since, 1), at_most(REPORTED_S + LOOK_S))


def cut_power(run: Run, live: Live, when: str, dead: Node, refusing: Node) -> None:
    """Of the promoted node; returns when another one answers."""
    left = [node for node in live.stack.cluster.nodes if node is not dead]
    daemons = [node.running(DAEMON) for node in left]
    live.stack.cluster.spare_successors(dead)
    run.step(f"power cut of {dead.name}, which is promoted")
    dead.power_off()
    run.observe(REFUSED_S)
    run.step(f"the disk of {refusing.name} takes writes again")
    take_writes(refusing)
    back_at = run.lab.now()
    live.wait_answered(deadline_s=PATIENCE_S)
    run.expect(f"back_after_{when}_s", round(run.lab.now() - back_at, 2), at_most(BACK_S))
    run.expect(f"vpnhads_{when}", [node.running(DAEMON) for node in left], equals(daemons))
