# SPDX-License-Identifier: GPL-2.0-or-later
"""The successor notifies clients whose sessions cannot continue, and serves them within 10 s.

Purpose: what cannot be kept is ended at once. A client that receives nothing waits for its echoes:
40 s in the lab, more than a minute elsewhere. Here the causes are a multilink bundle and L2TP's
MPPE, whose state is the pppd's and the kernel's that negotiated them; l2tp-unprotected has
sequencing.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server; two gateways
on one node. The first one allows multilink: client1 asks for it, client3 does not. The second one
requires MPPE-128 of client2. client1 and client2 redial by themselves.

Steps: the clients dial, client3 makes traffic. `vpnha events --follow --json` runs on every node.
The power of the promoted node is cut.

Expected: client1's and client2's sessions are unprotected on all nodes, with the reason, which the
promoted node's events have as well. After the power cut each of the two receives one
Terminate-Request within 5 s, and has a session whose pings are answered within 10 s. The
successor's status, metrics and events count one lost session of each gateway, the events with the
reason. client3 sees the silence and nothing else. Nothing is left in the end.
"""
import dataclasses

from vpnlab.evidence.capture_decode import PPP_LCP, L2tp, read_frames
from vpnlab.evidence.capture_goodbye import TERMINATE_REQUEST
from vpnlab.evidence.expectation import at_most, equals, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP, L2TP_2
from vpnlab.product.client import VpnClient
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import L2tpClient, Redial
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.product.vpnha_stack import VpnhaStack, options_file
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=1, vpnha=True)
MPPE = "require-mppe-128"
REDIAL = Redial(timeout_s=2)
KNOWN_LIMIT_S, PATIENCE_S = 15, 60
NOTIFIED_S, SERVED_S = 5, 10


class AllowingStack(VpnhaStack):
    """Two gateways whose pppds agree to what cannot be resumed."""

    def configure(self, node: Node) -> None:
        super().configure(node)
        path = options_file(L2TP)
        node.put(path, f"{node.read(path) or ''}multilink\n")
        path = options_file(L2TP_2)
        node.put(path, (node.read(path) or "").replace("noccp\n", "") +
                 f"require-mschap-v2\n{MPPE}\n")


@dataclasses.dataclass(frozen=True)
class Lost:
    """A session that cannot continue, and what its reason names."""

    client: VpnClient
    stack: VpnhaStack
    why: str

    def shown(self, node: Node) -> tuple[str, str]:
        """Its state and the reason, as a node has them."""
        address = self.client.dialled()[-1].local
        return next(((each["state"], each.get("reason", "")) for each in self.stack.sessions(node)
                     if each["address"] == address), ("absent", ""))

    def served_again(self) -> bool:
        return len(self.client.dialled()) == 2 and not self.client.gone() and self.client.node.run(
            "ping", "-n", "-c", "1", "-W", "0.5", SERVER_ADDRESS, check=False).code == 0

    def end_requests(self) -> list[float]:
        """When the gateway has asked the client to end its link."""
        return [frame.t for frame in read_frames(self.client.files.outside)
                if frame.ip is not None and frame.ip.src == self.client.gateway.vip_outside
                and isinstance(frame.ip.upper, L2tp) and frame.ip.upper.ppp is not None
                and (frame.ip.upper.ppp.protocol, frame.ip.upper.ppp.code)
                == (PPP_LCP, TERMINATE_REQUEST)]


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0,
                 stack=AllowingStack(run.lab, Cluster(run.lab), (L2TP, L2TP_2)))
    stack, active = live.stack, live.active
    second = stack.of(L2TP_2)
    second.move_role(lambda name: name == active.name)
    kept = live.dial("client3")
    lost = [Lost(run.client(L2tpClient(run.lab.node("client1"), REDIAL, ppp=["multilink"])),
                 stack, "multilink"),
            Lost(run.client(L2tpClient(run.lab.node("client2"), REDIAL, gateway=L2TP_2,
                                       ppp=[MPPE, "refuse-chap"], without=["noccp"])),
                 second, "MPPE")]
    for each in lost:
        each.client.dial()
    for node in run.lab.gateways:
        stack.follow_events(node)
        for each in lost:
            name = f"{each.client.name}_at_{node.name}"
            run.wait_for(f"{name} is unprotected", lambda: (
                each.shown(node)[0] == "unprotected"), KNOWN_LIMIT_S)
            run.expect(f"{name}_has_its_reason", each.why in each.shown(node)[1], is_true())
    run.wait_for("the promoted node's events have both reasons", lambda: all(any(
        each.why in event["text"] for event in stack.events(active, "unprotected"))
        for each in lost), KNOWN_LIMIT_S)

    cut_at = run.lab.now()
    successor = live.cut_power(active)
    for each in lost:
        run.wait_for(f"{each.client.name} is served again", each.served_again, PATIENCE_S)
        run.expect(f"{each.client.name}_served_s", round(run.lab.now() - cut_at, 2),
                   at_most(SERVED_S))
    until = run.lab.now()
    for each in lost:
        gateway = each.stack.gateway.name
        run.wait_for(f"the successor's events have the end of {gateway}'s session", lambda: [
            event for event in stack.events(successor, "lost")
            if event["fields"]["gateway"] == gateway], KNOWN_LIMIT_S)
        ends = [event["text"] for event in stack.events(successor, "lost")
                if event["fields"]["gateway"] == gateway]
        run.expect(f"{gateway}_events", [each.why in text for text in ends], equals([True]))
        run.expect(f"{gateway}_counted", each.stack.status(successor)["counters"]["sessions_lost"],
                   equals(1))
        run.expect(f"{gateway}_metric", [
            value for series, value in stack.metrics(successor).items()
            if series.startswith("vpnha_sessions_lost_total") and f'"{gateway}"' in series],
            equals([1.0]))
        each.client.hang_up()
    seen = live.end()
    expect_only_silence(run, seen.client(kept.name), TAKEOVER_MS)
    for each in lost:
        asked = [at - cut_at for at in each.end_requests() if at < until]
        run.expect(f"{each.client.name}_terminate_requests", len(asked), equals(1))
        run.expect(f"{each.client.name}_notified_s", round(max(asked, default=PATIENCE_S), 3),
                   at_most(NOTIFIED_S))
