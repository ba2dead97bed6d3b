# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted role moves away from a living node, and the sessions move with it.

Purpose: a demotion is as silent as a death. The node's stock sessions end there without a word to
the clients, its xl2tpd is idle again, its kernel holds the sessions hot; and Pacemaker, whose
monitors run meanwhile, counts no failure.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the role is banned from its gateway (what an administrator
does before maintenance); then it moves back in the same way. No fault.

Expected: a short silence at each move and nothing else; no failure counted; the demoted node is a
standby in sync with a hot session, no pppd, and an xl2tpd that listens.
"""
from vpnlab.cluster import Cluster
from vpnlab.expectation import equals, is_empty
from vpnlab.promise import expect_only_silence, expect_silent_standbys
from vpnlab.run import Run
from vpnlab.scenario import Scenario
from vpnlab.vpnha_stack import VpnhaStack

SCENARIO = Scenario(vpnha=True)
SILENCE_MS = 2500


def steps(run: Run) -> None:
    cluster = Cluster(run.lab)
    stack = VpnhaStack(run.lab, cluster)
    run.step("corosync, pacemaker and vpnha start on three gateways")
    stack.up()
    run.start_echo_server()
    client = run.l2tp_client("client1")
    client.dial()
    stack.wait_protected(1)
    client.start_traffic()
    run.observe(2)

    first = stack.wait_in_sync()
    run.step(f"the role moves away from {first.name}, which lives")
    second = stack.move_role(lambda name: name != first.name)
    stack.wait_protected(1)
    run.observe(2)
    run.expect("pppds_of_the_demoted_node", first.run("pgrep", "-c", "-x", "pppd",
                                                      check=False).stdout.strip(), equals("0"))
    run.expect("xl2tpds_of_the_demoted_node", first.run("pgrep", "-c", "-x", "xl2tpd",
                                                        check=False).stdout.strip(), equals("1"))

    run.step(f"and back from {second.name}")
    stack.move_role(lambda name: name == first.name)
    stack.wait_protected(1)
    run.observe(2)
    run.expect("failures", list(cluster.status().failures), is_empty())
    client.stop_traffic()

    run.step("client1 hangs up")
    client.hang_up()
    run.expect_nothing_left(run.lab.gateways, stack.leftovers, deadline_s=15)
    seen = run.measure()
    figures = seen.client("client1")
    expect_only_silence(run, figures, SILENCE_MS)
    expect_silent_standbys(run, seen)
