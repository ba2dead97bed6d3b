# SPDX-License-Identifier: GPL-2.0-or-later
"""The OCF agents pass ocf-tester, and a table of actions and states; the node is set up for them.

Purpose: what Pacemaker relies on, agent by agent: exit codes before the start, running,
promoted, called twice, with the daemon killed, misconfigured; and that a gateway whose vpnhad
was killed is silent after the demotion.

Topology: gw1 alone, with corosync and without Pacemaker; for ocf:vpnha:pppd it has a head office
in a network namespace.

Steps: `vpnha doctor` and tests/agents/run-ocf-tester run in the node. No fault.

Expected: the first finds nothing in the kernel's way, the second ends with 0.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.progress import emit
from vpnlab.product.cluster import DIRECTORY, Cluster
from vpnlab.product.l2tp_gateway import CONFIG
from vpnlab.product.vpnha_stack import GATEWAY, VpnhaStack
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1",), vpnha=True)
TESTS = DIRECTORY.parent / "tests" / "agents"
IN_NODE = "/run/lab/agents"


def steps(run: Run) -> None:
    node = run.lab.gateway("gw1")
    cluster = Cluster(run.lab)
    run.step("corosync starts")
    cluster.prepare()
    cluster.start_corosync(node)
    VpnhaStack(run.lab, cluster).configure(node)
    checked = node.run("vpnha", "doctor", check=False)
    run.expect("config_check", [checked.code, checked.stderr, checked.stdout.splitlines()[-1]],
               equals([0, "", "connection tracking: set for the replication of flows"]))
    for name in ("run-ocf-tester", "agent-table", "pppd-table"):
        node.put(f"{IN_NODE}/{name}", (TESTS / name).read_bytes(), mode=0o755)
    run.step("ocf-tester and the table")
    done = node.run(f"{IN_NODE}/run-ocf-tester", GATEWAY, CONFIG, timeout=600, check=False)
    (run.out / "agents.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    for line in done.stdout.splitlines():
        emit(line)
    run.expect("exit_code", done.code, equals(0))
