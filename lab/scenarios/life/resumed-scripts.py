# SPDX-License-Identifier: GPL-2.0-or-later
"""pppd's scripts run where a session is resumed, and where it ends or leaves.

Purpose: what a site's ip-up and ipv6-up do for a session is done on the node that continues with
it, with resume_scripts, and undone by ip-down and ipv6-down when that node carries it no more.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock xl2tpd. The pppds of both
ends negotiate IPv6CP. The gateways' scripts note how they were called; ip-up fails on the third.

Steps: client1 dials and makes traffic. The role moves to a second node, and to the third one. The
power of the third one is cut, and client1 hangs up.

Expected: the first node's pppd runs its scripts, and vpnhad undoes them when the demotion has
killed it. The second node runs ip-up and ipv6-up once each, with pppd's arguments and environment
and VPNHA_RESUMED, and ip-down and ipv6-down with the same when the role moves on. So does the
successor of the third, until the client hangs up. That ip-up fails is logged and counted, and
changes nothing. Standbys run none. The client sees the silence of the power cut and nothing else.
"""
import functools

from vpnlab.evidence.expectation import equals, is_true
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.l2tp_gateway import USER
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.scripts import (by_pppd, counted, let_fail, noted, prepare, undone,
                                           unnumbered, wait_noted)


SCENARIO = Scenario(faults=1, vpnha=True)
OBSERVED_S = 3


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        prepare(node)
    live = begin(run, clients=(), observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), ppp=["+ipv6"], resume_scripts=True))
    stack, first = live.stack, live.active
    client = live.dial("client1", dialler=functools.partial(L2tpClient, ppp=["+ipv6"]))
    dialled = client.dialled()[-1]
    ip_up = equals(["ip-up", "by=1", "args=5", "if=vpnha", dialled.remote, dialled.local,
                    f"user={USER}", "same=yes", "time="])
    wait_noted(run, first, 2)
    run.expect("of_pppd", [call[1] for call in noted(first)], equals(["by=pppd"] * 2))

    second = stack.move_role(lambda name: name != first.name)
    third = next(node for node in live.standbys if node is not second)
    let_fail(third, "ip-up")
    wait_noted(run, second, 2)
    wait_noted(run, first, 4)
    run.observe(OBSERVED_S)
    ups = noted(second)
    run.expect("ip_up", unnumbered(ups[0]), ip_up)
    run.expect("ipv6_up", ups[1][:3], equals(["ipv6-up", "by=1", "args=5"]))
    run.expect("ups", len(ups), equals(2))
    run.expect("downs_of_pppds", sorted(by_pppd(undone(call)) for call in noted(first)[2:]),
               equals(sorted(noted(first)[:2])))
    run.expect("of_the_standby", noted(third), equals([]))
    run.expect("done", counted(stack, second, "done"), equals(2))

    stack.move_role(lambda name: name == third.name)
    wait_noted(run, second, 4)
    wait_noted(run, third, 2)
    run.observe(OBSERVED_S)
    run.expect("downs", [undone(call) for call in noted(second)[2:]], equals(ups[::-1]))
    run.expect("failed", counted(stack, third, "failed"), equals(1))
    run.expect("failure_is_logged", "event=script-failed" in stack.daemon_log(third), is_true())

    successor = live.cut_power(third)
    wait_noted(run, successor, 6)
    run.observe(OBSERVED_S)
    run.expect("ip_up_again", unnumbered(noted(successor)[4]), ip_up)
    live.hang_up()
    wait_noted(run, successor, 8)
    run.observe(OBSERVED_S)
    ups, downs = noted(successor)[4:6], noted(successor)[6:]
    run.expect("downs_at_the_end", [undone(call) for call in downs], equals(ups[::-1]))
    run.expect("of_the_other_node", [len(noted(node)) for node in (first, second)
                                     if node is not successor], equals([4]))
    seen = live.measure()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
