# SPDX-License-Identifier: GPL-2.0-or-later
"""All instances of the gateway's clone are stopped before any starts: no session ends.

Purpose: records are in memory alone. A stopped vpnhad keeps its records for a minute, and the next
start finds them.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 and client2 dial in and make traffic. `crm_resource --restart` of the clone. When all
nodes are in sync again the clone is disabled, the vpnhads of two nodes are killed, and the clone is
enabled: two nodes start without records. Two faults, the kills.

Expected: both sessions continue, and nothing but silence happens to their clients: for as long as
Pacemaker takes, less the 2 s that a demoted node serves on. In the end all nodes hold both
sessions. The address has one owner at a time.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import Span, expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

CLIENTS = ("client1", "client2")
SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=2, vpnha=True)
RESTART_S, STOPPED_S, ANSWERED_S = 60, 20, 30
OBSERVED_S = 3


def steps(run: Run) -> None:
    live = begin(run, CLIENTS)
    stack = live.stack
    spans = [restart(run, live), disable_and_enable(run, live)]
    run.expect("sessions", {node.name: len(stack.sessions(node)) for node in stack.cluster.nodes},
               equals({node.name: len(CLIENTS) for node in stack.cluster.nodes}))
    run.expect("failures", list(stack.cluster.status().failures), is_empty())
    seen = live.end()
    for name in CLIENTS:
        client = seen.client(name)
        run.step(f"silences of {name}: {[worst_gap_ms(client, span) for span in spans]} ms")
        expect_nothing_else(run, client)


def restart(run: Run, live: Live) -> Span:
    clone = live.stack.clone
    run.step(f"{clone} is restarted")
    begun = run.lab.now()
    live.standbys[0].run("crm_resource", "--restart", "--resource", clone, timeout=RESTART_S)
    return until_served(run, live, begun)


def disable_and_enable(run: Run, live: Live) -> Span:
    cluster, clone = live.stack.cluster, live.stack.clone
    begun = run.lab.now()
    run.step(f"{clone} is disabled; vpnhad of two nodes dies; {clone} is enabled")
    set_meta = ("crm_resource", "--resource", clone, "--meta")
    asked = cluster.nodes[0]
    asked.run(*set_meta, "--set-parameter", "target-role", "--parameter-value", "Stopped")
    cluster.wait_status(f"{clone} is stopped",
                        lambda status: not status.on(live.stack.resource), STOPPED_S)
    for node in cluster.nodes[1:]:
        node.kill_process("vpnhad")
    asked.run(*set_meta, "--delete-parameter", "target-role")
    return until_served(run, live, begun)


def until_served(run: Run, live: Live, begun: float) -> Span:
    """Returns when the gateway serves again, and all nodes are in sync."""
    live.stack.wait_in_sync()
    for client in live.clients:
        live.wait_answered(client, ANSWERED_S)
    live.stack.wait_protected(len(CLIENTS))
    run.observe(OBSERVED_S)
    return begun, run.lab.now()
