# SPDX-License-Identifier: GPL-2.0-or-later
"""pppd's scripts run where a call of PPTP is resumed, and where it ends or leaves.

Purpose: the same as of resumed-scripts. A call's interface is a TUN device of vpnhad, and its
scripts wait until packets flow again.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.
The gateways' scripts note how they were called.

Steps: client1 dials by pptp-linux with MPPE-128 and makes traffic. The role moves to a second node.
Its power is cut, and client1 hangs up.

Expected: the first node's pppd runs ip-up, and vpnhad undoes it when the demotion has killed pppd.
The second node runs ip-up once, with pppd's arguments, pptpd's ipparam among them, and
VPNHA_RESUMED. So does its successor, and ip-down with the same when the client hangs up. The client
sees the silence of the power cut and nothing else.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.product.l2tp_gateway import USER
from vpnlab.steps.pptp_live import begin_pptp
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.scripts import by_pppd, noted, prepare, undone, unnumbered, wait_noted

SCENARIO = Scenario(faults=1, vpnha=True)
OBSERVED_S = 3


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        prepare(node)
    live = begin_pptp(run, resume_scripts=True)
    stack, first, dialled = live.stack, live.active, live.client.dialled()[-1]
    ip_up = equals(["ip-up", "by=1", "args=6", "if=vpnp-", dialled.remote, dialled.local,
                    run.lab.node("client1").address("outside"), f"user={USER}", "same=yes",
                    "time="])
    wait_noted(run, first, 1)

    second = stack.move_role(lambda name: name != first.name)
    third = next(node for node in live.standbys if node is not second)
    wait_noted(run, second, 1)
    wait_noted(run, first, 2)
    run.observe(OBSERVED_S)
    run.expect("ip_up", [unnumbered(call) for call in noted(second)][0], ip_up)
    of_pppd, down = noted(first)
    run.expect("down_of_pppd", by_pppd(undone(down)), equals(of_pppd))
    run.expect("of_the_others", [len(noted(node)) for node in (second, third)], equals([1, 0]))

    begun = {node: len(noted(node)) for node in (first, third)}
    successor = live.cut_power(second)
    wait_noted(run, successor, begun[successor] + 1)
    run.observe(OBSERVED_S)
    live.hang_up()
    wait_noted(run, successor, begun[successor] + 2)
    run.observe(OBSERVED_S)
    up, down = noted(successor)[begun[successor]:]
    run.expect("ip_up_again", unnumbered(up), ip_up)
    run.expect("down_at_the_end", undone(down), equals(up))
    other = next(node for node in begun if node is not successor)
    run.expect("of_the_other_node", len(noted(other)), equals(begun[other]))
    seen = live.measure()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
