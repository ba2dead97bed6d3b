# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP session with MPPE-128 outlives the power cut of a gateway whose checkpoints are 4 s old.

Purpose: standbys know the numbers of TCP, GRE and MPPE from checkpoints. A promoted node under load
may fall behind with them. The successor continues beyond numbers that nobody has sent it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: vpnha serves on a gateway that is not the cluster's DC; client1 dials and makes traffic;
vpnhad of the promoted node sees no packet any more (a filter on its capturing sockets takes
nothing), so that its checkpoints stand still; 4 s later its power is cut.

Expected: within 2.5 s another gateway answers in the same call, as with fresh checkpoints. No RST,
FIN or ICMP, no negotiation, nothing in the clear, no number of GRE and no index of MPPE used twice.
The TCP stream is intact. The successor reports that it had missed packets.
"""
import re

from vpnlab.evidence.expectation import at_least
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.live import off_dc
from vpnlab.steps.pptp_live import begin_pptp, cut_power_unhurt
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
STALE_S = 4
MISSED = re.compile(r"event=resumed\b.*?(\d+) packets were missed at most")


def steps(run: Run) -> None:
    live = begin_pptp(run, off_dc)
    run.step(f"vpnhad of {live.active.name} sees no packets any more")
    pid = live.active.run("pidof", DAEMON).stdout.strip()
    blinded = live.active.run_tool("sockets_of.py", pid, "blind").stdout
    run.expect("blinded_sockets", int(blinded), at_least(1))
    run.observe(STALE_S)
    cut_power_unhurt(run, live)
    missed = [found for node in run.lab.gateways
              for found in MISSED.findall(live.stack.daemon_log(node))]
    run.expect("packets_missed", max(map(int, missed), default=0), at_least(1))
