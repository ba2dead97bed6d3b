# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of IKEv2 that could not be reached when its gateway died keeps its IKE SA.

Purpose: a gateway asks a client that is silent whether it lives, and dies before it has an answer.
The client takes requests in their order only (RFC 7296 2.2, 2.3). So it takes none of the next
gateway's before it has had that one, which nobody else could make.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. client1 speaks IKEv2.

Steps: client1 dials and makes traffic, and its link goes down. When the gateway has asked whether
it lives, its power is cut. When the next gateway has asked as well, the link comes back. It goes
down once more until the gateway has asked again, and comes back.

Expected: the next gateway has an answer of client1 each time. The IKE SA is the same on both sides,
client1's packets are answered, and its stream is intact.
"""
from vpnlab.evidence.expectation import equals, is_true
from vpnlab.host.node import Node
from vpnlab.product.charon import LOG
from vpnlab.product.cluster import Cluster
from vpnlab.product.ipsec_client import Ikev2Client
from vpnlab.product.ipsec_gateway import Lifetimes
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.ipsec.childless import established
from vpnlab.steps.live import Live, begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=3, vpnha=True)
# A gateway asks a client that has been silent for 5 s.
SHORT = Lifetimes(dpd="5s")
ASKED_S = 15
# What it asks is a record 100 ms later.
KNOWN_S = 1
# charon asks again 4.0, 11.2, 24.2 and 47.5 s later.
ANSWER_S = 60
OBSERVED_S = 3
ASKS, ANSWER = "sending DPD request", "parsed INFORMATIONAL response"


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0,
                 stack=VpnhaStack(run.lab, Cluster(run.lab), ipsec=True, lifetimes=SHORT))
    node = live.dial("client1", dialler=Ikev2Client).node
    run.observe(OBSERVED_S)
    ikes = known(live, live.active)
    live.stack.cluster.spare_successors(live.active)

    fall_asleep(run, node, live.active)
    run.step(f"power cut of {live.active.name}, which is promoted")
    live.active.power_off()
    successor = live.stack.wait_promoted()
    wait_asked(run, successor, 0)
    wake(run, live, successor)
    run.step("client1 sleeps again")
    fall_asleep(run, node, successor)
    wake(run, live, successor)
    run.observe(OBSERVED_S)

    run.expect("ike_sa_is_the_same", known(live, successor) == ikes, is_true())
    run.expect("established", established(node), equals(1))
    seen = live.end()
    run.expect("tcp_intact", seen.client("client1").tcp_intact, is_true())


def known(live: Live, node: Node) -> list[str]:
    """The IKE SAs that a node knows, by their SPIs."""
    return sorted(each["id"] for each in live.stack.sessions(node))


def fall_asleep(run: Run, client: Node, gateway: Node) -> None:
    """Returns when the gateway has asked whether client1 lives, and the others know that."""
    asked = gateway.read_log(LOG).count(ASKS)
    client.link_down(client.spec.access)
    wait_asked(run, gateway, asked)
    run.observe(KNOWN_S)


def wait_asked(run: Run, gateway: Node, before: int) -> None:
    run.wait_for(f"{gateway.name} asks whether client1 lives",
                 lambda: gateway.read_log(LOG).count(ASKS) > before, ASKED_S)


def wake(run: Run, live: Live, gateway: Node) -> None:
    """Returns when client1 has answered the gateway, and its packets are answered."""
    client = live.client.node
    answers = gateway.read_log(LOG).count(ANSWER)
    client.link_up(client.spec.access)
    run.wait_for(f"{gateway.name} has an answer of client1",
                 lambda: gateway.read_log(LOG).count(ANSWER) > answers, ANSWER_S)
    live.wait_answered()
