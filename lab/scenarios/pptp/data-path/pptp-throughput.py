# SPDX-License-Identifier: GPL-2.0-or-later
"""What a PPTP session with MPPE-128 carries by stock pptpd and pppd, and by what resumes it.

Purpose: after a failover packets go through vpnhad's data path instead of pppd and the kernel.
Nobody should notice that either.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials. One TCP connection sends up, another down, for 2 s each, three rounds; the
power of the promoted gateway is cut; the same again. throughput.json has all figures.

Expected: the medians after the failover are no smaller than 0.8 of those before it, in either
direction. The client's pptp and pppd, and its captures, are the slowest part of the path here.
"""
import json
import statistics

from vpnlab.evidence.expectation import at_least, equals
from vpnlab.steps.live import off_dc
from vpnlab.steps.pptp_live import begin_pptp
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions import bulk

SCENARIO = Scenario(faults=1, vpnha=True)
SECONDS, ROUNDS = 2, 3
OF_STOCK = 0.8
FILE = "throughput.json"


def steps(run: Run) -> None:
    live = begin_pptp(run, off_dc, observe_s=0)
    client = live.client.node
    bulk.serve(run)
    run.step("octets by stock pptpd")
    stock = bulk.carried(client, SECONDS, ROUNDS)
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    run.step("octets by the resumed call")
    resumed = bulk.carried(client, SECONDS, ROUNDS)
    seen = live.end()
    (run.out / FILE).write_text(json.dumps({"stock": stock, "resumed": resumed}, indent=1) + "\n",
                                encoding="utf-8")
    for direction in bulk.DIRECTIONS:
        ratio = statistics.median(resumed[direction]) / statistics.median(stock[direction])
        run.expect(f"{direction}_of_stock", round(ratio, 2), at_least(OF_STOCK))
    run.expect("client1_pptp_setups", seen.client("client1").pptp_setups, equals(0))
