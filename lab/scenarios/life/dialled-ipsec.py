# SPDX-License-Identifier: GPL-2.0-or-later
"""1 200 clients dial three gateways by L2TP/IPsec, a node dies, and all of their sessions continue.

Purpose: a network namespace has one charon, and a gateway one xl2tpd, which carries about 500
tunnels. So more clients of L2TP/IPsec need more gateways, each in a namespace of its own. Every
session here was dialled by a stock charon, xl2tpd and pppd, and accepted by stock ones.

Topology: as dialled-1200, client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside --
server. Gateway l2tp is in the host's namespace, l2tp2 and l2tp3 are in the namespaces apart and
third, by macvlan devices. client2 and client3 have one charon each, and an xl2tpd for each dial-in.
Each dial-in has an identity, an IKE SA of IKEv1 and a CHILD SA of its own, for the port from which
its xl2tpd speaks.

Steps: client1 dials the first gateway. client2 and client3 set up their SAs, four at a time. The
rest is as in dialled-1200: dials, pings, a power cut. Then all hang up, and the SAs are deleted.

Expected: as in dialled-1200. An IKE SA is protected and hot like the session in it.

`--size N` dials N times instead of 1 200, a sixth for each client and gateway.
"""
from vpnlab.host.topology import DEFAULT_NODES, IPSEC_GATEWAYS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.dialled import DIALLING, outlive

# As of dialled-1200; and three charons on each node with the SAs of all gateways.
SCENARIO = Scenario(nodes=(*DEFAULT_NODES, *DIALLING), faults=1, vpnha=True, size=1200,
                    memory_mb={"gateway": 2048, "client": 2048})


def steps(run: Run) -> None:
    outlive(run, IPSEC_GATEWAYS, ipsec=True)
