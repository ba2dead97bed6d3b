# SPDX-License-Identifier: GPL-2.0-or-later
"""From two empty machines to gateways of which one outlives the other, by the site play.

Purpose: most sites have two machines. Of two voters both have to answer, so a pair whose fencing
confirms no death is silent after the first one; the role sets up a pair that is not.

Topology: gw1 and gw2, each a newly installed Debian with a power board of its own; client1 and
server. The play comes from the lab's place on the management network, by ssh.

Steps: the play runs, and runs again; client1 dials in by L2TP/IPsec; the power of the promoted
gateway, which is not the cluster's coordinator, is cut under its traffic.

Expected: the second play changes nothing; no secret is in Ansible's output. The session goes
on within 3 s, as after any power cut of a pair: no IKE, no setup of L2TP, no PPP negotiation, no
TCP reset. The other node continued alone.
"""
from vpnlab.evidence.expectation import at_least
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.rollout.ansible import Site
from vpnlab.steps.live import off_dc
from vpnlab.steps.promise import PAIR_MS, expect_only_silence
from vpnlab.steps.rollout import PAIR, PAIR_FENCING, begin, play_again, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*PAIR, "client1", "server"), fresh=PAIR, faults=1)
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    ansible = prepare(run, Site(values=PAIR_FENCING))
    live = begin(run, ansible, off_dc)
    play_again(run, ansible)
    live.stack.cluster.tune()
    live.stack.cluster.spare_successors(live.active)
    live.dial("client1", dialler=L2tpIpsecClient)
    run.observe(AFTERWARDS_S)
    left = live.cut_power(live.active)
    run.observe(AFTERWARDS_S)
    run.expect("went_on_alone", live.stack.daemon_log(left).count("event=alone"), at_least(1))
    expect_only_silence(run, live.end().client("client1"), PAIR_MS)
