# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP session of a client that never acknowledges in GRE outlives the power cut of its gateway.

Purpose: the successor learns by LCP echoes how far the client has come. Most clients show that they
took a number by acknowledging it. The PPTP of Android up to 11 does not; an answer has to do.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.
client1 has pptp-linux, with preload/no_acks.c in place of its writes to the raw socket.

Steps: client1 dials with MPPE-128 and makes traffic; the power of the promoted gateway is cut.

Expected: as in pptp-power-cut. The client has acknowledged nothing in the whole run.
"""
from vpnlab.evidence.capture_invariants import pptp_acknowledgements
from vpnlab.evidence.expectation import equals
from vpnlab.product.pptp_client import UnacknowledgingDialler
from vpnlab.steps.live import off_dc
from vpnlab.steps.pptp_live import begin_pptp, cut_power_unhurt
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    live = begin_pptp(run, off_dc, dialler=UnacknowledgingDialler)
    cut_power_unhurt(run, live)
    client = live.client
    run.expect("acknowledgements",
               pptp_acknowledgements(client.files.outside, client.gateway.vip_outside), equals(0))
