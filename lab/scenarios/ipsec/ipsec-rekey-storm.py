# SPDX-License-Identifier: GPL-2.0-or-later
"""SAs that are rekeyed all the time outlive gateways that die at any moment.

Purpose: whatever a power cut interrupts, no SA is lost: rekeys fall due on whoever is promoted,
what is replaced and what replaces it are distinguished on all nodes, and no number is used twice.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2. The gateways rekey CHILD SAs each 15 s, IKE SAs each 25 s;
the old ones live on for 12 and 15 s.

Steps: both dial and make traffic; four times the power of the promoted gateway is cut at a moment
of the seed's choice, and it returns.

Expected: each session continues to its end: its interface stays up, its stream is intact, and it
was set up once. IKE is spoken, of course. No ESP number is used twice, none is taken twice.
"""
import re

from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.product.charon import LOG
from vpnlab.product.ipsec_gateway import Lifetimes
from vpnlab.steps.ipsec.live import CLIENTS, IPSEC_NODES, begin_ipsec
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=IPSEC_NODES, faults=4, vpnha=True)
FAILOVERS = 4
# Of a rekey that a power cut interrupts, a client of IKEv1 repeats its part 4 s later. Of 8 h and
# 1 h, charon leaves 48 and 6 minutes for that. Of these it would leave 2.5 and 1.5 s, and end SAs
# as it never does in use: the client's L2TP was in the clear then, until the rekey was done.
STORM = Lifetimes(ike="25s", child="15s", ike_over="12s", child_life="30s")
# Of a rekey that the power cut interrupted, a client asks again some times.
BACK_S = 30
PAUSE_S = (1.0, 16.0)
CHILDREN_MIN = FAILOVERS
ESTABLISHED = re.compile(r"CHILD_SA (\S+) established")


def steps(run: Run) -> None:
    live = begin_ipsec(run, lifetimes=STORM)
    stack = live.stack
    for _ in range(FAILOVERS):
        run.observe(run.random.uniform(*PAUSE_S))
        active = stack.wait_in_sync()
        live.cut_power(active)
        stack.rejoin(active.name)
        for client in live.clients:
            live.wait_answered(client)
        stack.wait_protected(len(CLIENTS), deadline_s=BACK_S)
    run.observe(5)
    seen = live.end()
    for client in live.clients:
        found = seen.client(client.name)
        made = set(ESTABLISHED.findall(client.node.read_log(LOG)))
        run.expect(f"{client.name}_child_sas", len(made), at_least(CHILDREN_MIN))
        run.expect(f"{client.name}_interface_changes", found.interface_changes, equals(0))
        run.expect(f"{client.name}_tcp_intact", found.tcp_intact, is_true())
        run.expect(f"{client.name}_set_up", len(client.dialled()), equals(1))
