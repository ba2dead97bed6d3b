# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby whose charon was started after an IKE rekey serves, and the client's rekeys succeed.

Purpose: charon hands the client's virtual IP from the old IKE SA to the new one, and does not show
so. A charon that was fed the new one alone has to reserve the address, and to know it: otherwise
it refuses the client's next CHILD SA, and gives the address to another client.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. Both speak IKEv2.

Steps: client1 dials and makes traffic. It rekeys its IKE SA, then its CHILD SA, so that nothing is
left of the first IKE SA. charon of both standbys is killed, and started by the cluster. The gateway
rekeys the IKE SA once more. The power of the promoted gateway is cut. client1 rekeys its CHILD SA,
and the next gateway does; the dead one returns. client2 dials.

Expected: each rekey makes a new CHILD SA. client1's session continues: its interface stays up, its
stream is intact, and it was set up once. All gateways have its address reserved, before the power
cut and in the end. client2 has another address.
"""
from collections.abc import Callable

from vpnlab.evidence.expectation import equals, is_true
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.charon import Charon, sas
from vpnlab.product.ipsec_client import CONNECTION, Ikev2Client
from vpnlab.product.ipsec_gateway import Auth, ikev2_name
from vpnlab.steps.ipsec.live import CHARON
from vpnlab.steps.live import Live, begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=3, vpnha=True)
AT_GATEWAY = ikev2_name(Auth.PSK)
REKEY_S = 20
# The old CHILD SA stays for 5 s.
REPLACED_S = 20
# Failure-timeout of the template, and what Pacemaker takes to heed it.
BACK_S = 75
OBSERVED_S = 2


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0, ipsec=True)
    stack = live.stack
    node = live.dial("client1", dialler=Ikev2Client).node
    charon = Charon(node)
    run.observe(OBSERVED_S)
    address, = charon.virtual_ips()

    rekey(run, "client1 rekeys its IKE SA", charon.ike_rekeys,
          lambda: charon.rekey_ike(CONNECTION))
    rekey(run, "client1 rekeys its CHILD SA", charon.child_sas_made,
          lambda: charon.rekey(CONNECTION))
    wait_replaced(run, live)

    run.step(f"charon of {' and '.join(each.name for each in live.standbys)} is killed")
    for standby in live.standbys:
        standby.kill_process(CHARON)
    run.observe(OBSERVED_S)
    stack.wait_in_sync(deadline_s=BACK_S)
    stack.clear_failures()
    stack.wait_protected(1, deadline_s=BACK_S)
    wait_replaced(run, live)

    rekey(run, f"{live.active.name} rekeys the IKE SA", charon.ike_rekeys,
          lambda: Charon(live.active).rekey_ike(AT_GATEWAY))
    stack.wait_protected(1)
    run.observe(OBSERVED_S)
    expect_reserved(run, live, address, "before_the_power_cut")

    successor = live.cut_power(live.active)
    rekey(run, "client1 rekeys its CHILD SA", charon.child_sas_made,
          lambda: charon.rekey(CONNECTION))
    rekey(run, f"{successor.name} rekeys the CHILD SA", charon.child_sas_made,
          lambda: Charon(successor).rekey(AT_GATEWAY))
    live.wait_answered()
    stack.rejoin(live.active.name)
    stack.wait_protected(1)
    wait_replaced(run, live)
    expect_reserved(run, live, address, "in_the_end")

    other = live.dial("client2", dialler=Ikev2Client)
    run.expect("client2_has_another_address",
               address not in Charon(other.node).virtual_ips(), is_true())
    run.observe(OBSERVED_S)
    seen = live.end()
    found = seen.client("client1")
    run.expect("client1_interface_changes", found.interface_changes, equals(0))
    run.expect("client1_tcp_intact", found.tcp_intact, is_true())
    run.expect("client1_set_up", len(live.client.dialled()), equals(1))


def rekey(run: Run, step: str, made: Callable[[], int], ask: Callable[[], None]) -> None:
    """`made`: counts the SAs of that kind at client1."""
    before = made()
    run.step(step)
    ask()
    run.wait_for("client1 has its new SA", lambda: made() > before, REKEY_S)


def wait_replaced(run: Run, live: Live) -> None:
    """Returns when each gateway has one CHILD SA alone: two ESP SAs."""
    run.wait_for("no gateway has the old CHILD SA",
                 lambda: all(len(sas(node)) == 2 for node in live.stack.cluster.nodes), REPLACED_S)


def expect_reserved(run: Run, live: Live, address: str, when: str) -> None:
    for node in live.stack.cluster.nodes:
        run.expect(f"{node.name}_reserved_{when}", address in Charon(node).reserved(), is_true())
