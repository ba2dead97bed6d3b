# SPDX-License-Identifier: GPL-2.0-or-later
"""All nodes were off but one, which was paused with the highest epoch of all; it does not win.

Purpose: what counts is who holds a majority's answers now, and not who claimed the highest number
in the past. Nobody can switch the paused node off: power fencing does not reach it, and the
administrator is wrong about it. So nothing but the lease keeps it silent.

Topology: client1, client2 -- outside -- gw1, gw3, gw4 -- inside -- server. The power switch has no
socket for gw4, which is promoted.

Steps: client1 dials and makes traffic; all nodes take the token under which nodes of the lab join.
The cluster links of gw4 are cut: its lease ends, and it claims a higher epoch, in vain, which is on
its disk; then it is frozen. The power of gw1 and gw3 is cut and comes back; gw4's links are whole
again. The administrator confirms that gw4 is off (`stonith_admin --confirm`), one of the others is
promoted, client2 dials. gw4 is thawed.

Expected: gw4 had claimed an epoch above the one that is granted after the cold start; not one frame
from a VIP leaves it after its lease has ended, and never two owners; client2's session is
protected, and sees no silence of more than 1 s and nothing else.
"""
import json

from vpnlab.evidence.expectation import Expected, at_most, is_true
from vpnlab.host.state import StateDirectory
from vpnlab.product.cluster import Cluster
from vpnlab.steps.live import begin
from vpnlab.steps.partition import CLUSTER_LINKS, SILENT_MS
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw3", "gw4", "client1", "client2", "server"), faults=5,
                    vpnha=True)
# The highest id of all: its claim is above the others' of the same number. And a core that no
# other gateway shares on a host with two: what it makes up for when it is thawed stops none.
STALE = "gw4"
LEASE_FILE = "gateway-1.lease"
CLAIM_S = 10
THAWED_S = 10


def steps(run: Run) -> None:
    live = begin(run, place=lambda name, _dc: name == STALE)
    stack, stale, others = live.stack, live.active, live.standbys
    stack.cluster.set_power_sockets([node.name for node in others], by=others[0])
    disks = {node.name: stack.disk(node) for node in others}
    run.observe(2)

    # The paused node keeps its token, and joins with it: a ring of nodes with different tokens
    # breaks again and again. So does a tuned one while two gateways on one of the host's cores do
    # what Pacemaker does when a node joins. No lease depends on it.
    stack.cluster.relax()
    granted = claimed(run)
    run.step(f"{stale.name}, which is promoted, loses the others, claims in vain and is paused")
    for link in CLUSTER_LINKS:
        stale.link_down(link)
    lost_at = run.lab.now()
    run.wait_for(f"{stale.name} has claimed a higher epoch", lambda: claimed(run) > granted,
                 CLAIM_S)
    stale.freeze()
    run.step("all others lose their power")
    for node in others:
        node.power_off()
    live.client.stop_traffic()

    run.step("the power is back")
    for link in CLUSTER_LINKS:
        stale.link_up(link)
    stack.power_on_all(disks)
    # Nobody asks the paused one anything.
    stack.cluster = Cluster(run.lab, members=list(disks))
    others[0].run("stonith_admin", "--confirm", stale.name)
    active = stack.wait_promoted()
    stack.wait_in_sync()
    number, _, holder = stack.status(active)["epoch"].partition(".")
    epoch = (int(number), int(holder))
    run.expect("stale_claim", claimed(run),
               Expected(f"above {epoch}", lambda stale_claim: stale_claim > epoch))
    run.step(f"client2 dials {active.name}")
    second = run.l2tp_client("client2")
    second.dial()
    stack.wait_protected(1)
    second.start_traffic()
    live.clients[:] = [second]
    run.observe(3)

    run.step(f"{stale.name} is thawed")
    stale.thaw()
    run.observe(THAWED_S)
    run.expect("still_promoted", stack.wait_in_sync() is active, is_true())
    stack.wait_protected(1)
    seen = live.end()
    spoke_until = max(each.end for each in seen.ownerships if each.node == stale.name)
    run.expect("silent_after_ms", round((spoke_until - lost_at) * 1000), at_most(SILENT_MS))
    expect_only_silence(run, seen.client("client2"), TAKEOVER_MS)


def claimed(run: Run) -> tuple[int, int]:
    """The highest epoch of the node that is to be paused, as its disk has it."""
    path = StateDirectory(run.lab.name).disk_directory(STALE) / LEASE_FILE
    epoch = json.loads(path.read_text(encoding="utf-8"))["claimed"]
    return epoch["number"], epoch["node"]
