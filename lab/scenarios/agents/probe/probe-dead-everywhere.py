# SPDX-License-Identifier: GPL-2.0-or-later
"""xl2tpd of all nodes lives and answers nobody: the gateway stays, and its session lives.

Purpose: a move mends nothing where no node answers. Each node is tried once, and no more.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; cib-templates/probe.crm for l2tp.

Steps: client1 dials and makes traffic; xl2tpd of all gateways gets a SIGSTOP. When the gateway has
been where it is for as long as a dead service takes to be noticed and left, all of them continue.

Expected: two moves at most; the last node serves with the mark dead, and stays; after the SIGCONT
it is marked as alive without a further move; the client saw a silence of at most 2.5 s at a time
and nothing else.
"""
from vpnlab.evidence.expectation import at_most, equals, is_true
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.steps.promise import REPORTED_MS, expect_only_silence
from vpnlab.steps.promoted.dead_service import MOVED_S, begin_probed, marks, wait_alive
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=3, vpnha=True)
SERVICE = "xl2tpd"
# Three nodes are asked one after the other.
DEAD_EVERYWHERE_S = 3 * MOVED_S


def steps(run: Run) -> None:
    live = begin_probed(run, "l2tp", {"client1": L2tpClient})
    stack = live.stack
    promotions = stack.promotions()
    run.step(f"a SIGSTOP of {SERVICE} of all gateways")
    for node in run.lab.gateways:
        node.stop_process(SERVICE)

    def is_dead_where_it_is_served() -> bool:
        holder = stack.promoted()
        return holder is not None and stack.promotions() - promotions == 2 and \
            marks(live, holder).get(holder.name) == "dead"
    run.wait_for("the node that was tried last is known to be dead", is_dead_where_it_is_served,
                 DEAD_EVERYWHERE_S)
    holder = stack.promoted()
    assert holder is not None
    run.observe(MOVED_S)
    run.expect("moves", stack.promotions() - promotions, at_most(2))
    run.expect("stays", stack.promoted() is holder, is_true())
    run.step(f"{SERVICE} of all gateways continues")
    for node in run.lab.gateways:
        node.continue_process(SERVICE)
    wait_alive(run, live, holder)
    run.expect("moves_in_all", stack.promotions() - promotions, at_most(2))
    run.expect("served_by", getattr(stack.promoted(), "name", ""), equals(holder.name))
    live.wait_answered()
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), REPORTED_MS)
