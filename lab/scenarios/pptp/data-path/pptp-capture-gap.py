# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP session with MPPE-128 outlives a power cut after a long gap in the capture of its packets.

Purpose: a packet of MPPE holds 12 bits of its index. A capture that loses half a circle of them, as
when a device is down for a moment or the processor is taken, must not leave an index of the past
in the record: the next gateway would encrypt with keys that have been used.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials and makes traffic. vpnhad of the promoted gateway sees no packet any more (a
filter on its capturing sockets takes nothing) while client1 sends 3 000 pings as fast as they are
answered. vpnhad sees packets again; 4 s later the power of the gateway is cut.

Expected: another gateway answers in the same call, as in any power cut. No index of MPPE and no
number of GRE is used twice.
"""
import re

from vpnlab.evidence.expectation import at_least, equals
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.live import off_dc
from vpnlab.steps.pptp_live import begin_pptp, cut_power_unhurt
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
# Half a circle is 2 048.
PINGS, PINGS_LIMIT_S = 3_000, 120
RECEIVED = re.compile(r"(\d+) received")
# Checkpoints come each 0.1 to 1 s.
FRESH_S = 4


def steps(run: Run) -> None:
    live = begin_pptp(run, off_dc)
    pid = live.active.run("pidof", DAEMON).stdout.strip()
    run.step(f"vpnhad of {live.active.name} sees no packets any more")
    blinded = int(live.active.run_tool("sockets_of.py", pid, "blind").stdout)
    run.expect("blinded_sockets", blinded, at_least(1))
    output = live.client.node.run("ping", "-f", "-q", "-c", str(PINGS), SERVER_ADDRESS,
                                  timeout=PINGS_LIMIT_S, check=False).stdout
    run.expect("missed", int(RECEIVED.findall(output)[0]), at_least(PINGS * 3 // 4))
    run.step(f"vpnhad of {live.active.name} sees packets again")
    seeing = int(live.active.run_tool("sockets_of.py", pid, "see").stdout)
    run.expect("seeing_sockets", seeing, equals(blinded))
    run.observe(FRESH_S)
    cut_power_unhurt(run, live)
