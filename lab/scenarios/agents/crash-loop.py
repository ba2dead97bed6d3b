# SPDX-License-Identifier: GPL-2.0-or-later
"""A record kills vpnhad of every standby that reads it: the promoted node serves on.

Purpose: what kills one standby kills all of them, at the same moment, and again whenever Pacemaker
starts them anew. Their votes must not go with them: vpnhad is started again for its vote, reads no
record before Pacemaker has started the standby, and after three deaths only votes.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. All run vpnhad-frail.

Steps: client1 dials and makes traffic; client2 dials as the user whose record kills a standby;
it is waited for until both standbys only vote, and client1 is watched for another 20 s, in which
Pacemaker tries to start them.

Expected: each silence of client1 is one of 2.5 s at most, and nothing else; nobody is promoted;
no standby dies after the third time; their status shows why they take no part.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.product.l2tp_client import OPTIONS, client_options
from vpnlab.product.l2tp_gateway import SECRETS, chap_secrets
from vpnlab.steps.frail import POISON, make_frail
from vpnlab.steps.live import begin
from vpnlab.steps.promise import REPORTED_MS, expect_only_silence, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "client1", "client2", "server"), faults=1,
                    vpnha=True)
LOOP_S = 120
OBSERVE_S = 20
# No gap that a lost vote makes.
CALM_MS = 250


def steps(run: Run) -> None:
    make_frail(run.lab.gateways)
    live = begin(run)
    stack, log = live.stack, live.stack.daemon_log
    promotions = stack.promotions()
    poisoner = run.l2tp_client("client2")
    secrets = chap_secrets() + chap_secrets(POISON)
    for node in (*run.lab.gateways, poisoner.node):
        node.put(SECRETS, secrets, mode=0o600)
    poisoner.node.put(OPTIONS, client_options(POISON))
    run.step("client2 dials: its record kills whoever reads it")
    live.active.note_fault("poisonous record")
    poisoner.dial()
    poisoner.start_traffic()
    live.clients.append(poisoner)
    for node in live.standbys:
        run.wait_for(f"{node.name} only votes", lambda: "event=votes-only" in log(node), LOOP_S)
    live.wait_answered()
    run.observe(2)
    calm_from = run.lab.now()
    run.observe(OBSERVE_S)
    until = run.lab.now()
    run.expect("promotions", stack.promotions(), equals(promotions))
    for node in live.standbys:
        run.expect(f"{node.name}_restarts", log(node).count("event=restarted"), equals(3))
        run.expect(f"{node.name}_votes_only", stack.node_status(node)["restarts"]["votes_only"],
                   equals(True))
    seen = live.end()
    client = seen.client("client1")
    run.expect("gap_while_they_only_vote_ms", worst_gap_ms(client, (calm_from, until)),
               at_most(CALM_MS))
    expect_only_silence(run, client, REPORTED_MS)
