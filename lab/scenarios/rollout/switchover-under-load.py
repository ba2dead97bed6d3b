# SPDX-License-Identifier: GPL-2.0-or-later
"""Twenty moves by `vpnha switchover`, under L2TP sessions and streams through NAT.

Purpose: an operator moves gateways at noon. The target calls for the role by its promotion score;
no constraint is made, so a command that dies leaves nothing behind.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of
nftables/gateway.nft on all gateways; the server has no route to the clients.

Steps: client1 and client2 dial and make traffic, client2 through 20 streams more. Twenty times the
role is moved to the next gateway, by a command on each gateway in turn. Then, in maintenance mode,
in which Pacemaker moves nothing, a command is killed. No fault.

Expected: each command reports what its move has cost; p99 of the silences is at most 100 ms, or
twice the longest gap of the calm times between the moves, and nothing else; all streams are alive,
with the ports that the server knows; the killed command has moved nothing, also when maintenance is
over; no constraint, no failure.
"""
import math
import re

from vpnlab.evidence.expectation import at_most, equals, is_empty
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.product.probes import ECHO_PORT
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import (FAULT_FREE_MS, PLANNED_MS, Span, expect_nothing_else,
                                  worst_gap_ms)
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.nat import Streams, flows, inside_captures, moved, prepare, resets_sent

CLIENTS = ("client1", "client2")
SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), vpnha=True)
MOVES = 20
FIRST_PORT, STREAMS, INTERVAL_S = 40000, 20, 0.05
OBSERVED_S = 1
CALLS = "promotion score 10000 "
KILLED_AFTER_S = 2
BY_SIGNAL = -9
FALL_BACK_S = 10
LAST_LINE = re.compile(r"silent for (\d+) ms, (\d+) sessions moved, (\d+) lost\n$")


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run, CLIENTS)
    streams = Streams(run.lab, run.lab.node("client2"), FIRST_PORT, STREAMS, INTERVAL_S, ("ppp0",))
    run.observe(OBSERVED_S)
    before = flows(live.active, port=ECHO_PORT)
    constraints = constraints_of(live.active)
    refuse(run, live)
    moves = [move(run, live, number) for number in range(MOVES)]
    kill_the_command(run, live)
    run.expect("constraints", constraints_of(live.active), equals(constraints))
    run.expect("failures", list(live.stack.cluster.status().failures), is_empty())
    holder = live.stack.wait_in_sync()
    run.expect("flows_with_another_port", moved(before, flows(holder, port=ECHO_PORT)), is_empty())
    end = streams.stop()
    run.expect("streams_alive", end["alive"], equals(STREAMS))
    run.expect("streams_reset", end["resets"], equals(0))

    seen = live.end()
    run.expect("resets_to_the_server", resets_sent(inside_captures(run.lab, run.out), ECHO_PORT),
               equals(0))
    for name in CLIENTS:
        client = seen.client(name)
        silences = [worst_gap_ms(client, during) for _, during in moves]
        calm = max(worst_gap_ms(client, before) or 0.0 for before, _ in moves)
        run.step(f"silences of {name} in ms: {silences}")
        run.expect(f"{name}_calm_gap_ms", calm, at_most(FAULT_FREE_MS))
        run.expect(f"{name}_p99_ms", p99(silences), at_most(max(PLANNED_MS, 2 * calm)))
        expect_nothing_else(run, client)


def refuse(run: Run, live: Live) -> None:
    run.step(f"a move to {live.active.name}, which is promoted")
    done = live.active.run("vpnha", "switchover", L2TP.name, "--to", live.active.name, check=False)
    run.expect("refusal", [done.code, "is promoted for gateway" in done.stderr],
               equals([1, True]))


def move(run: Run, live: Live, number: int) -> tuple[Span, Span]:
    """To the next gateway; returns a calm time before it, and when it took place."""
    nodes, stack = run.lab.gateways, live.stack
    holder = stack.wait_in_sync()
    stack.wait_protected(len(CLIENTS))
    live.wait_answered()
    asked, target = nodes[number % len(nodes)], nodes[(nodes.index(holder) + 1) % len(nodes)]
    # In life no two gateways have one processor.
    run.lab.share_cores([node for node in nodes if node is not target], [target])
    calm_from = run.lab.now()
    run.observe(OBSERVED_S)
    run.step(f"move {number + 1} of {MOVES}, to {target.name}, asked on {asked.name}")
    begun = run.lab.now()
    output = asked.run("vpnha", "switchover", L2TP.name, "--to", target.name, check=False).stdout
    run.observe(OBSERVED_S)
    run.step(output.replace("\n", "; "))
    last = LAST_LINE.search(output)
    run.expect("moved_and_lost", list(last.groups()[1:]) if last else output,
               equals([str(len(CLIENTS)), "0"]))
    return (calm_from, begun), (begun, run.lab.now())


def kill_the_command(run: Run, live: Live) -> None:
    holder = live.stack.wait_in_sync()
    live.stack.wait_protected(len(CLIENTS))
    run.step("a command is killed in maintenance mode")
    live.stack.cluster.set_maintenance(True)
    calls = {node: live.stack.daemon_log(node).count(CALLS) for node in run.lab.gateways}
    code = holder.run("timeout", "--signal=KILL", str(KILLED_AFTER_S), "vpnha", "switchover",
                      L2TP.name, check=False).code
    run.expect("killed", code, equals(BY_SIGNAL))
    target = next(node for node, count in calls.items()
                  if live.stack.daemon_log(node).count(CALLS) > count)
    run.wait_for(f"{target.name} calls no more",
                 lambda: "promotion score" in live.stack.daemon_log(target).rpartition(CALLS)[2],
                 FALL_BACK_S)
    live.stack.cluster.set_maintenance(False)
    run.observe(3 * OBSERVED_S)
    run.expect("holder_after_maintenance", live.stack.wait_in_sync().name, equals(holder.name))


def constraints_of(node: Node) -> str:
    return node.run("cibadmin", "--query", "--xpath", "/cib/configuration/constraints").stdout


def p99(silences: list[float | None]) -> float | None:
    """By the nearest rank; None if one was not observed."""
    known = sorted(silence for silence in silences if silence is not None)
    return known[math.ceil(0.99 * len(known)) - 1] if len(known) == len(silences) else None
