# SPDX-License-Identifier: GPL-2.0-or-later
"""A live IKEv2 session outlives the power cut of its gateway.

Purpose: IKEv2 with a virtual IP in tunnel mode, as clients of today speak it. IKE SA, ESP SAs and
the virtual IP continue at another node.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: vpnha serves on a gateway that is not the cluster's DC; client1 dials, pings the server and
streams TCP to it; the power of the promoted gateway is cut under that traffic. Then somebody
outside sends to its successor all ESP packets that the client had sent.

Expected: within 0.6 s another gateway answers in the same SAs: no IKE, no TCP reset, the same
address; the stream is intact. No ESP number is used twice, none of the old packets is taken again.
No standby sends anything. After the client has hung up nothing is left on any node.
"""
from vpnlab.product.ipsec_client import Ikev2Client
from vpnlab.steps.ipsec.power_cut import cut_power_under_traffic
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    cut_power_under_traffic(run, {"client1": Ikev2Client})
