# SPDX-License-Identifier: GPL-2.0-or-later
"""What one client of each protocol carries by the stock path, and after a takeover.

Purpose: the table of throughput in docs/explain/performance.md (`tests/bench/run --only
throughput`). Before a takeover L2TP and PPTP go by stock daemons and the kernel, and after it by
what resumes them; ESP and WireGuard are the kernel's both times.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 to
client4 -- outside. home1 speaks L2TP/IPsec, client1 IKEv2, client2 PPTP, client3 WireGuard, client4
L2TP.

Steps: all dial. Each in turn sends by one TCP connection, and receives by another one, for a second
each, two rounds. The power of the promoted gateway is cut; the same again. throughput.json has all
figures.

Expected: of each client and direction the median after the takeover is no smaller than 0.8 of that
before it. Both are of the same nodes, whose kernels of user mode, and captures, are slow.
"""
import json
import statistics

from vpnlab.evidence.expectation import at_least
from vpnlab.product.sites.home import start_nat
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.mixed.mix import PACE
from vpnlab.steps.promise import expect_nothing_else
from vpnlab.steps.rivals.clusters import NODES, OF_ALL, PEER, EveryProtocol
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions import bulk

# A client's capture of what is inside its tunnel stays in its memory.
SCENARIO = Scenario(nodes=NODES, faults=1, vpnha=True, memory_mb={"client": 512})
SECONDS, ROUNDS = 1, 2
OF_STOCK = 0.8
FILE = "throughput.json"


def steps(run: Run) -> None:
    run.pace = PACE
    start_nat(run.lab)
    live = begin(run, clients=(), place=off_dc, observe_s=0, stack=EveryProtocol(run))
    # A peer of WireGuard has a record before its client shakes hands.
    live.dial_all({PEER: OF_ALL[PEER], **OF_ALL})
    bulk.serve(run)

    def carried() -> dict[str, dict[str, list[float]]]:
        return {client.protocol: bulk.carried(client.node, SECONDS, ROUNDS)
                for client in live.clients}

    run.step("octets by the stock path")
    stock = carried()
    live.cut_power(live.active)
    live.stack.wait_protected(len(live.clients))
    run.step("octets by resumed sessions")
    resumed = carried()
    (run.out / FILE).write_text(json.dumps([
        {"protocol": protocol, "direction": direction, "stock": figures,
         "resumed": resumed[protocol][direction]}
        for protocol, found in stock.items() for direction, figures in found.items()],
        indent=1) + "\n", encoding="utf-8")
    seen = live.end()
    for client in live.clients:
        expect_nothing_else(run, seen.client(client.name))
        for direction in bulk.DIRECTIONS:
            before, after = (statistics.median(each[client.protocol][direction])
                             for each in (stock, resumed))
            run.expect(f"{client.protocol}_{direction}_of_stock", round(after / before, 2),
                       at_least(OF_STOCK))
