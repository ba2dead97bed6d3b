# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node loses the others, and still reaches its clients.

Purpose: the worst of partitions. The lost node's outside and inside links live: whoever asks it
would be answered, by two gateways at once. Its lease ends before another node's begins, whether
its power is cut in time or not.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; both cluster links of the promoted node are cut.

Expected: it sends nothing after 400 ms; another node continues with the session within 1 s;
never two owners.
"""
from vpnlab.host.node import Node
from vpnlab.steps.partition import CLUSTER_LINKS, lose_the_others
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)


def steps(run: Run) -> None:
    lose_the_others(run, Node.link_down, CLUSTER_LINKS)
