# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad of the promoted node misses events of flows, knows it, and nothing is lost or stale.

Purpose: a kernel that has no room for an event drops it. What was missed is found by a listing of
the whole table: flows that came are sent to the standbys, flows that went are taken back.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of nftables/gateway.nft
on all gateways.

Steps: the sockets that bring vpnhad events of flows get a buffer of 64 KB instead of 32 MB, from
outside (a duplicate of the descriptor), so that a node of the lab can fill it; 5 000 flows come at
once, written into the kernel by netlink in trains, which vpnhad cannot interrupt; then half of them
go, just as fast.

Expected: both times an overrun is counted, and then every standby's kernel has exactly the flows of
the promoted one; client1 notices nothing that would end anything.
"""
from collections.abc import Callable

from vpnlab.evidence.expectation import at_least, at_most, equals
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import expect_nothing_else
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.nat import MADE_UP, add_flows, digest, prepare, remove_flows

SCENARIO = Scenario(faults=0, vpnha=True)
BUFFER_BYTES = 65_536
FLOWS, GONE = 5_000, 2_500
COUNTED_LIMIT_S = 10
HEALED_LIMIT_S = 30


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run)
    node = live.active
    run.expect("flows_beforehand", digest(node, MADE_UP).flows, equals(0))
    pid = node.run("pidof", DAEMON).stdout.strip()
    found = node.run_tool("sockets_of.py", pid, "buffer", str(BUFFER_BYTES)).stdout
    run.expect("sockets_with_a_small_buffer", int(found), at_least(1))
    listings = live.stack.conntrack(node)["listings"]
    overrun(run, live, f"{FLOWS} flows come", lambda: add_flows(node, FLOWS), FLOWS)
    overrun(run, live, f"{GONE} of them go", lambda: remove_flows(node, GONE), FLOWS - GONE)
    run.expect("listings", live.stack.conntrack(node)["listings"] - listings, at_least(2))

    seen = live.end()
    expect_nothing_else(run, seen.client("client1"))


def overrun(run: Run, live: Live, what: str, act: Callable[[], int], left: int) -> None:
    """One flood, and what becomes of it."""
    node, stack = live.active, live.stack
    before = stack.conntrack(node)["overruns"]
    run.step(what)
    run.expect("refused_by_the_kernel", act(), equals(0))
    acted_at = run.lab.now()
    run.wait_for("an overrun is counted", lambda: stack.conntrack(node)["overruns"] > before,
                 COUNTED_LIMIT_S)
    wanted = digest(node, MADE_UP)
    run.expect("flows_of_the_promoted_node", wanted.flows, equals(left))
    for standby in live.standbys:
        run.wait_for(f"{standby.name} has the flows of {node.name}",
                     lambda: digest(standby, MADE_UP) == wanted, HEALED_LIMIT_S)
    run.expect("healed_after_s", round(run.lab.now() - acted_at, 1), at_most(HEALED_LIMIT_S))
    run.expect("still_the_same", digest(node, MADE_UP) == wanted, equals(True))
