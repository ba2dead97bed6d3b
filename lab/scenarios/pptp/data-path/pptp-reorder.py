# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP session with MPPE-128 on a bad line outlives the power cut of its gateway.

Purpose: the probe, the ladder and the keys are made up from what the client answers. Here answers
come late, in another order, or not at all.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials and makes traffic; each frame that it or a gateway sends outside is 5 ms late,
by up to 5 ms more or less, and one of a hundred is lost; the power of the promoted gateway is cut.

Expected: within 2.5 s another gateway answers in the same call, and nothing else is seen of it: no
RST, FIN or ICMP, no negotiation, nothing in the clear, no number of GRE and no index of MPPE used
twice. The TCP stream is intact.
"""
from vpnlab.history.violations import MPPE_COUNT
from vpnlab.steps.pptp_live import begin_pptp, cut_power_unhurt
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=5, vpnha=True, history_allows={
    MPPE_COUNT: "each gateway's own link changes the order of what it sends"})
LOSS_PERCENT, DELAY_MS, JITTER_MS = 1, 5, 5
AFTERWARDS_S = 8


def steps(run: Run) -> None:
    live = begin_pptp(run)
    run.step("the line becomes bad")
    for node in (*run.lab.gateways, live.client.node):
        node.netem("outside", loss_percent=LOSS_PERCENT, delay_ms=DELAY_MS, jitter_ms=JITTER_MS)
    run.observe(3)
    cut_power_unhurt(run, live, AFTERWARDS_S)
