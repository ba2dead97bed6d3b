# SPDX-License-Identifier: GPL-2.0-or-later
"""The deep monitor of pptpd makes a call of its own, and finds out when GRE does not go.

Purpose: a pptpd that listens may serve nobody: pppd does not start, a ruleset drops GRE. A monitor
with OCF_CHECK_LEVEL 10 sees what a client would see.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials with MPPE-128 and makes traffic; the agent's monitor runs at level 10 on each
gateway; a ruleset drops GRE that the promoted gateway sends to itself, and it runs there again.

Expected: the monitor succeeds on each gateway, where the gateway is and elsewhere; behind the
ruleset it fails there and reports that no GRE came. Nothing of it leaves the node: the client
notices nothing.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.channel import Completed
from vpnlab.host.node import Node
from vpnlab.product.vpnha_stack import pptpd_conf_file
from vpnlab.steps.pptp_live import begin_pptp, expect_unhurt
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)
GAP_MS = 500
AGENT = "/usr/lib/ocf/resource.d/vpnha/pptpd"
REASON = "ocf-exit-reason:no GRE of pppd came for a call\n"
RULES = """table ip trial {
    chain lo { type filter hook input priority 0; iifname "lo" ip protocol gre drop; }
}"""


def steps(run: Run) -> None:
    live = begin_pptp(run)
    gateway, began_at = live.stack.gateway, run.lab.now()

    def monitor(node: Node) -> Completed:
        return node.run(AGENT, "monitor", check=False, env={
            "OCF_ROOT": "/usr/lib/ocf", "OCF_RESOURCE_INSTANCE": "pptpd",
            "OCF_RESKEY_gateway": gateway.name, "OCF_RESKEY_config": pptpd_conf_file(gateway),
            "OCF_CHECK_LEVEL": "10"})

    run.step("the deep monitor, on each gateway")
    found = {node.name: monitor(node) for node in run.lab.gateways}
    run.expect("found", {name: [each.code, each.stderr] for name, each in found.items()},
               equals({name: [0, ""] for name in found}))
    run.step("a ruleset drops the promoted gateway's GRE to itself")
    live.active.run("nft", "-f", "-", stdin=RULES)
    failed = monitor(live.active)
    live.active.run("nft", "delete", "table", "ip", "trial")
    run.expect("behind_it", [failed.code, failed.stderr], equals([1, REASON]))
    until = run.lab.now()
    seen = live.end()
    expect_unhurt(run, live, seen, GAP_MS, (began_at, until))
