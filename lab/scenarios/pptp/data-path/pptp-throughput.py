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
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import off_dc
from vpnlab.steps.pptp_live import begin_pptp
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
PORT, SECONDS, ROUNDS = 5001, 2, 3
OF_STOCK = 0.8
DIRECTIONS = ("up", "down")
FILE = "throughput.json"
LOG = "/run/lab/bulk.log"
LISTENING_LIMIT_S = 10


def steps(run: Run) -> None:
    live = begin_pptp(run, off_dc, observe_s=0)
    server, client = run.lab.node("server"), live.client
    server.start_tool("bulk.py", "serve", str(PORT), output=LOG)
    run.wait_for("the server listens", lambda: "listening" in (server.read(LOG) or ""),
                 LISTENING_LIMIT_S)

    def measure() -> dict[str, list[float]]:
        """Mbit/s of each round."""
        found: dict[str, list[float]] = {direction: [] for direction in DIRECTIONS}
        for _ in range(ROUNDS):
            for direction in DIRECTIONS:
                said = json.loads(client.node.run_tool(
                    "bulk.py", "ask", SERVER_ADDRESS, str(PORT), direction, str(SECONDS)).stdout)
                found[direction].append(round(said["octets"] * 8 / said["seconds"] / 1e6, 2))
        return found

    run.step("octets by stock pptpd")
    stock = measure()
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    run.step("octets by the resumed call")
    resumed = measure()
    seen = live.end()
    (run.out / FILE).write_text(json.dumps({"stock": stock, "resumed": resumed}, indent=1) + "\n",
                                encoding="utf-8")
    for direction in DIRECTIONS:
        ratio = statistics.median(resumed[direction]) / statistics.median(stock[direction])
        run.expect(f"{direction}_of_stock", round(ratio, 2), at_least(OF_STOCK))
    run.expect("client1_pptp_setups", seen.client("client1").pptp_setups, equals(0))
