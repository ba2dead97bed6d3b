# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad does not replicate over a cluster that sends unencrypted, unless it is allowed.

Purpose: what goes over the wire shows a listener who the users are. An administrator who forgot
crypto_cipher learns it at the first start, in the words of the resource agent.

Topology: gw1 alone, with Corosync and without Pacemaker.

Steps: Corosync runs with crypto_cipher none; a program that uses the library joins a group; the
agent starts the gateway; then once more with replicate_secrets_unencrypted = true.

Expected: the program is refused; the first start fails, the agent's reason and vpnhad's log show
why and how to end it; the second one succeeds, and the log warns.
"""
from vpnlab.evidence.expectation import equals, is_true
from vpnlab.host.channel import Completed
from vpnlab.host.node import Node
from vpnlab.product.cluster import Cluster
from vpnlab.product.session_table import SessionTable
from vpnlab.product.vpnha_stack import CONFIG_FILE, VpnhaStack, vpnha_toml
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1",), vpnha=True)
AGENT = "/usr/lib/ocf/resource.d/vpnha/checkpoint"
ENVIRONMENT = {"OCF_ROOT": "/usr/lib/ocf", "OCF_RESOURCE_INSTANCE": "checkpoint"}
KEY = "replicate_secrets_unencrypted"
ALLOWED = f"\n[cluster]\n{KEY} = true\n"
SUCCESS = 0


def steps(run: Run) -> None:
    node = run.lab.gateway("gw1")
    cluster = Cluster(run.lab, encrypted=False)
    stack = VpnhaStack(run.lab, cluster)
    run.step("corosync starts without encryption")
    cluster.prepare()
    cluster.start_corosync(node)
    stack.configure(node)
    SessionTable.install(node)

    program = SessionTable.refused(node)
    run.expect("program_refused", program.code == 1 and "crypto" in program.stderr, is_true())
    refused = start(node)
    run.expect("start_refused", refused.code != SUCCESS, is_true())
    for name, text in (("reason", refused.stderr), ("log", stack.daemon_log(node))):
        run.expect(f"{name}_names_the_cause", "crypto" in text, is_true())
        run.expect(f"{name}_names_the_key", KEY in text, is_true())

    run.step(f"{KEY} = true")
    known = len(stack.daemon_log(node))
    node.put(CONFIG_FILE, vpnha_toml() + ALLOWED)
    run.expect("start_allowed", start(node).code, equals(SUCCESS))
    log = stack.daemon_log(node)[known:]
    run.expect("warned", "event=unencrypted" in log and "warning" in log, is_true())


def start(node: Node) -> Completed:
    return node.run(AGENT, "start", check=False, env=ENVIRONMENT)
