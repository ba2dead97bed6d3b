# SPDX-License-Identifier: GPL-2.0-or-later
"""Two tunnels of one concentrator, from one address and port, outlive a power cut on Linux 6.12.

Purpose: a provider's LAC opens its tunnels from port 1701, all of them. The kernel gives what
arrives for one of them to the socket of another, and only the ids in the packets are right
(RFC 2661 3.1). Linux before 6.11 carries data in one of two such tunnels, with stock daemons too.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; all run 6.12. client1's xl2tpd
has two tunnels to the gateway.

Steps: client1 dials both and makes traffic in the second; the power of the promoted gateway is cut.
More than a minute passes, so that both sides send a HELLO in each tunnel. Then it hangs up both.

Expected: both sessions are protected, and resumed by the successor; both answer pings until the
end, and nothing is left. The second client sees a silence of at most 1 s.
"""
from vpnlab.evidence.expectation import equals, is_true
from vpnlab.host.node import Node
from vpnlab.product.l2tp_client import CONNECTION, L2tpClient
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True, kernel="6.12")
OTHER = "other"
OTHER_INTERFACE = "ppp0"
DIAL_LIMIT_S = 20
HELLOS_S = 75


class TwoTunnels(L2tpClient):
    """Is watched at the connection that is dialled as the second one."""

    interface = "ppp1"


def answers(node: Node, interface: str, address: str) -> bool:
    return node.run("ping", "-c", "3", "-i", "0.2", "-W", "2", "-I", interface, address,
                    check=False).code == 0


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0)
    dialler = TwoTunnels(run.lab.node("client1"), connections=(OTHER, CONNECTION))
    client = run.client(dialler)
    live.clients.append(client)
    dialler.dial(OTHER)
    run.wait_for("the first session is up", lambda: len(dialler.dialled()) == 1, DIAL_LIMIT_S)
    client.dial()
    client.start_traffic()
    live.stack.wait_protected(2)

    def tunnels(node: Node) -> list[tuple[str, int]]:
        return sorted((each["state"], each["tunnel"]) for each in live.stack.sessions(node))

    before = tunnels(live.active)
    ports = {each["peer"] for each in live.stack.sessions(live.active)}
    run.expect("tunnels", len({tunnel for _, tunnel in before}), equals(2))
    run.expect("peers", len(ports), equals(1))
    gateway = dialler.dialled()[0].remote
    run.expect("other_before", answers(client.node, OTHER_INTERFACE, gateway), is_true())

    successor = live.cut_power(live.active)
    resumed = [("resumed", tunnel) for _, tunnel in before]
    run.expect("resumed", tunnels(successor), equals(resumed))
    run.expect("other_after", answers(client.node, OTHER_INTERFACE, gateway), is_true())
    run.observe(HELLOS_S)
    run.expect("resumed_later", tunnels(successor), equals(resumed))
    run.expect("other_later", answers(client.node, OTHER_INTERFACE, gateway), is_true())
    client.stop_traffic()
    dialler.hang_up(OTHER)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
