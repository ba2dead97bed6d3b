# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway is emptied: `vpnha drain` lets nobody in, whoever serves, and ends when all have left.

Purpose: a gateway that is to end serves its clients to the end of their sessions, over a failover
too, and accepts no new ones.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic. The gateway is drained; client2 dials. The power of the
promoted gateway is cut; client2 dials again. `vpnha drain` waits on the successor while client1
hangs up. The gateway is undrained, and client3 dials.

Expected: a standby sends whoever asks it to the promoted node; client2 has no session, and the
gates have counted it; client1 sees the silence of the power cut and nothing else; the
command that waits ends by itself and reports that no session is left; then client3 is served.
"""
from concurrent.futures import ThreadPoolExecutor

from vpnlab.evidence.expectation import equals, is_true
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.steps.drained import expect_refused
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=1, vpnha=True)
COMMAND_LIMIT_S = 60


def steps(run: Run) -> None:
    live = begin(run)
    stack, first = live.stack, live.active
    asked = live.plain_standby.run("vpnha", "drain", L2TP.name, check=False)
    run.expect("asked_a_standby", [asked.code, f"{first.name} is promoted" in asked.stderr],
               equals([1, True]))
    run.step(f"{first.name} is drained")
    first.run("vpnha", "drain", L2TP.name, "--no-wait")
    newcomer = run.client(L2tpClient(run.lab.node("client2")))
    expect_refused(run, newcomer, first, stack)

    successor = live.cut_power(first)
    run.expect("drained", stack.status(successor)["drained"], is_true())
    expect_refused(run, newcomer, successor, stack)

    run.step("client1 hangs up while a command waits for it")
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = pool.submit(successor.run, "vpnha", "drain", L2TP.name, "--deadline",
                              f"{COMMAND_LIMIT_S}s", check=False, timeout=2 * COMMAND_LIMIT_S)
        run.observe(2)
        live.client.stop_traffic()
        live.client.hang_up()
        done = waiting.result()
    run.step(done.stdout.replace("\n", "; "))
    run.expect("emptied", [done.code, "no session is left" in done.stdout], equals([0, True]))

    run.step(f"{successor.name} is undrained, client3 dials")
    successor.run("vpnha", "undrain", L2TP.name)
    last = run.client(L2tpClient(run.lab.node("client3")))
    last.dial()
    stack.wait_protected(1)
    last.hang_up()
    run.expect_nothing_left(run.lab.gateways, stack.leftovers, LEFTOVERS_LIMIT_S)
    seen = live.measure()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
