# SPDX-License-Identifier: GPL-2.0-or-later
"""1 200 clients dial three gateways, a node dies, and all of their sessions continue.

Purpose: one xl2tpd carries about 500 tunnels, because it waits by select() and holds two
descriptors for each. More clients need more gateways, each with an xl2tpd, a VIP and pools of its
own. Every session here was dialled by a stock xl2tpd and pppd, and accepted by stock ones.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server. Gateways l2tp,
l2tp2 and l2tp3 are promoted on a node each. client2 and client3 have an xl2tpd for each dial-in,
which speaks from a port of its own.

Steps: client1 dials the first gateway. client2 and client3 dial 200 times to each of the three, a
few at a time; a dial that came to nothing is repeated. client1 makes traffic, and eight sessions of
each client and gateway ping the server 20 times a second. The power of the first gateway's node is
cut. Then all hang up.

Expected: no xl2tpd of a gateway has more than 1 024 descriptors. All sessions are protected, and
hot on both standbys. After the cut the server answers through each session, and none was set up
anew. A session that is pinged sees a silence of at most 1 s where its node died, and of 0.25 s
elsewhere: the survivors install and serve on one core each. A ping that its own node sent late is
no silence: 400 pppds share that node's core. client1 sees its silence and nothing else. Nothing is
left in the end. What is measured: how long the dialling took, how much memory a node uses for it,
and the longest silences of the 15 s before the cut.

`--size N` dials N times instead of 1 200, a sixth for each client and gateway.
"""
from vpnlab.host.topology import DEFAULT_NODES, VPN_GATEWAYS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.dialled import DIALLING, outlive

# A pppd takes 0.9 MB, a client's xl2tpd 0.7, a hot session 0.05 on each node.
SCENARIO = Scenario(nodes=(*DEFAULT_NODES, *DIALLING), faults=1, vpnha=True, size=1200,
                    memory_mb={"gateway": 1536, "client": 2048})


def steps(run: Run) -> None:
    outlive(run, VPN_GATEWAYS[:3])
