# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad and the metrics do all of their work within what their units allow.

Purpose: vpnhad.service allows the system calls of a list; another one fails with EPERM. A list that
is too short would spoil a takeover. Here such a call ends the process instead, so that it shows.

Topology: gw1, gw2, gw3, each a newly installed Debian that the site play has set up, with systemd;
client1, client2 and server. On the gateways a drop-in of vpnhad.service ends who calls what is not
in the list.

Steps: client1 dials in by L2TP/IPsec, client2 by PPTP. The role moves to another node, which makes
systemd start the first one's stock daemons anew. The power of the second one is cut. The example
units of the metrics run on the successor.

Expected: each client sees the silence of the power cut and nothing else. No vpnhad has died, the
filter was on in each of them, no unit has failed, nothing of Pacemaker's either. carry-calls, the
program of resumed PPTP calls, has a filter and no capability. The stock daemons
of the demoted node run outside of vpnhad's unit. The metrics' file has vpnha_up 1.
"""
from vpnlab.evidence.expectation import equals, is_empty, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.steps.promise import expect_only_silence
from vpnlab.steps.rollout import FRESH, begin, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), fresh=FRESH, faults=1)
UNIT = "vpnhad.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/lab.conf"
# vpnhad's log, where systemd did not run release-services.
IN_PLACE = "vpnhad does it itself"
KILLS = "[Service]\nSystemCallErrorNumber=kill\n"
EXAMPLE = "/usr/share/doc/vpnha/examples/vpnha-metrics.service"
METRICS = "/var/lib/prometheus/node-exporter"
# SECCOMP_MODE_FILTER of proc(5).
FILTERED = "Seccomp:\t2"
NO_CAPABILITIES = [f"{kind}:\t{0:016x}" for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb")]
AFTERWARDS_S = 5
# With the relaxed token a lost node is noticed after 11 s.
OUTAGE_MS = 20_000


def steps(run: Run) -> None:
    ansible = prepare(run)
    for node in run.lab.gateways:
        node.put(DROP_IN, KILLS)
    live = begin(run, ansible)
    stack, first = live.stack, live.active
    live.dial("client1", dialler=L2tpIpsecClient)
    live.dial("client2", dialler=PptpDialler)
    before = {node.name: vpnhad(node) for node in run.lab.gateways}
    run.expect("filtered", [FILTERED in status(node) for node in run.lab.gateways],
               equals([True] * len(FRESH)))
    expect_no_privileges(run, "carry_calls_prepared")

    run.step(f"{first.name} is to be demoted")
    second = stack.move_role(lambda name: name != first.name)
    stack.wait_protected(len(live.clients))
    run.observe(AFTERWARDS_S)
    groups = [group_of(first, daemon) for daemon in ("xl2tpd", "pptpd")]
    run.expect("daemons_of_the_demoted_in_the_unit", [group for group in groups if UNIT in group],
               is_empty())
    run.expect("done_by_vpnhad_itself", IN_PLACE in stack.daemon_log(first), equals(False))
    successor = live.cut_power(second)
    for client in live.clients:
        live.wait_answered(client)
    run.observe(AFTERWARDS_S)
    expect_no_privileges(run, "carry_calls_resumed", without=second)

    run.step(f"the metrics of {successor.name}")
    successor.run("sh", "-c", f"mkdir -p {METRICS} && cp {EXAMPLE} /etc/systemd/system/ && "
                  "systemctl daemon-reload && systemctl start vpnha-metrics.service")
    written = successor.run("cat", f"{METRICS}/vpnha.prom").stdout
    run.expect("metrics", "\nvpnha_up 1\n" in written, is_true())

    alive = [node for node in run.lab.gateways if node is not second]
    run.expect("same_vpnhad", [vpnhad(node) for node in alive],
               equals([before[node.name] for node in alive]))
    run.expect("failed_units", [node.run("systemctl", "--failed", "--quiet", "--plain",
                                         "--no-legend").stdout for node in alive],
               equals([""] * len(alive)))
    run.expect("failures", list(stack.cluster.status().failures), is_empty())
    seen = live.end()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), OUTAGE_MS)


def vpnhad(node: Node) -> str:
    return node.run("pidof", "-s", "vpnhad").stdout.strip()


def status(node: Node) -> str:
    return node.run("cat", f"/proc/{vpnhad(node)}/status").stdout


def expect_no_privileges(run: Run, name: str, without: Node | None = None) -> None:
    """carry-calls of each gateway: the bounding set is its unit's, which has no CAP_SETPCAP."""
    lines = [node.run("sh", "-c", "cat /proc/$(pidof -s carry-calls)/status").stdout.splitlines()
             for node in run.lab.gateways if node is not without]
    wanted = {*NO_CAPABILITIES, FILTERED, "NoNewPrivs:\t1"}
    run.expect(name, [sorted(wanted - set(each)) for each in lines], equals([[]] * len(lines)))


def group_of(node: Node, daemon: str) -> str:
    return node.run("sh", "-c", f"cat /proc/$(pgrep -o -x {daemon})/cgroup").stdout
