# SPDX-License-Identifier: GPL-2.0-or-later
"""Live IKEv2 sessions with EAP, certificates, GCM and ESN outlive the power cut of their gateway.

Purpose: what ikev2-power-cut shows does not depend on how a client authenticates itself, nor on
ESP's algorithms.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. client1 has a password
(EAP-MSCHAPv2) and AES-GCM, client2 a certificate and 64-bit sequence numbers as well.

Steps: as in ikev2-power-cut, with both clients.

Expected: as there, of each client.
"""
import functools

from vpnlab.product.ipsec_client import CERTIFICATE_ESN, EAP_GCM, Ikev2Client
from vpnlab.steps.ipsec.power_cut import cut_power_under_traffic
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "client1", "client2", "server"), faults=1,
                    vpnha=True)


def steps(run: Run) -> None:
    cut_power_under_traffic(run, {
        "client1": functools.partial(Ikev2Client, kind=EAP_GCM),
        "client2": functools.partial(Ikev2Client, kind=CERTIFICATE_ESN)})
