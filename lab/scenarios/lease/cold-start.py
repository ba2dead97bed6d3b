# SPDX-License-Identifier: GPL-2.0-or-later
"""The power of all gateways fails at once; when it is back, they serve again.

Purpose: a session that no node holds any more is gone, and nothing of it is in the way of new ones.
One node is promoted with an epoch above the last one, though no memory of it is left but on disks.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the power of all three gateways is cut at once, and all are
switched on again, with what their disks had; client2 dials as soon as a gateway is promoted;
client1 is sent nothing.

Expected: within 60 s of the power's return a gateway is promoted, with a higher epoch and without
a session; client2 is up within 10 s of that, and protected. client1 sees silence, and after it what
any gateway without its session does to it: no ping is answered, its pppd gives up, its interface is
gone within 60 s of the cut.
"""
from vpnlab.evidence.expectation import at_least, at_most, equals, is_empty
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.steps.live import begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=3, vpnha=True)
PROMOTED_S = 60
DIAL_S = 10
GONE_S = 60


def steps(run: Run) -> None:
    live = begin(run)
    stack, client = live.stack, live.client
    epoch = epoch_number(stack.status(live.active))
    disks = {node.name: stack.disk(node) for node in run.lab.gateways}

    run.step("power cut of all gateways")
    cut_at = run.lab.now()
    for node in run.lab.gateways:
        node.power_off()
    answered = client.answered_pings()
    run.step("the power is back")
    on_at = run.lab.now()
    stack.power_on_all(disks)
    active = stack.wait_promoted()
    run.expect("promoted_after_s", round(run.lab.now() - on_at, 1), at_most(PROMOTED_S))
    run.expect("epoch", epoch_number(stack.status(active)), at_least(epoch + 1))
    run.expect("sessions_before_the_dial", stack.sessions(active), is_empty())

    run.step(f"client2 dials {active.name}")
    dialled_at = run.lab.now()
    second = run.l2tp_client("client2")
    second.dial()
    run.expect("dial_took_s", round(run.lab.now() - dialled_at, 1), at_most(DIAL_S))
    stack.wait_in_sync()
    stack.wait_protected(1)
    second.start_traffic()
    live.clients.append(second)

    run.step("client1 finds out by itself")
    run.wait_for("client1's session has ended", client.gone, cut_at + GONE_S - run.lab.now())
    run.expect("session_ended_after_s", round(run.lab.now() - cut_at, 1), at_most(GONE_S))
    run.expect("pings_answered_again", client.answered_pings() - answered, equals(0))
    seen = live.end()
    run.expect("tcp_resets", seen.client("client1").tcp_resets, equals(0))
    run.expect("second_tcp_intact", seen.client("client2").tcp_intact, equals(True))


def epoch_number(status: dict) -> int:
    """Of an epoch such as "3.1": the number without the node's."""
    return int(status["epoch"].partition(".")[0])
