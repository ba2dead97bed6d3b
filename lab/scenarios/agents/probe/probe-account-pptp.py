# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha-probe logs in with a test account of PPTP, encrypts, pings through, and hangs up.

Purpose: a first exchange ends before the login. The probe speaks MPPE with the kernel's pppd, by
keys of its own making, and its session is over at once.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of
xl2tpd, which wants MPPE-128. client2 is the monitoring host. cib-templates/probe.crm for pptp.

Steps: client1 dials and makes traffic; client2 probes with the account of a user, with a ping to
the gateway and with one to the server inside; then with a wrong secret. The gateways' own probe is
given the account, and a login in each monitor.

Expected: OK with each step in its order; OK; CRITICAL with the server's refusal. client2 never has
a PPP device. One session is protected again after each probe. The gateway's own probe logs in, its
mark is alive, and nothing moves. client1 had no gap longer than 50 ms, or twice the longest of a
calm time.
"""
from vpnlab.evidence.expectation import at_least, equals
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.l2tp_gateway import PASSWORD, USER, chap_secrets
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.pptp_gateway import PPPD_LOG
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.promise import expect_unnoticed
from vpnlab.steps.promoted.dead_service import begin_probed, marks, set_probe, wait_alive
from vpnlab.steps.promoted.probe_login import (
    OK, ask, expect_no_device, expect_refused, expect_whole)
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), vpnha=True)
ACCOUNT_OF_NODES = "/etc/vpnha/probe.ppp"
STEPS = ["connect", "start", "call", "lcp", "login", "encryption", "address", "ping", "hang_up"]
CALM_S = 10
# Two monitors, each with a login.
LOGINS_S = 40


def probe(host: Node, *more: str, password: str = PASSWORD) -> dict:
    return ask(host, "pptp", chap_secrets(USER, password), *more)


def successes(node: Node) -> int:
    """How many logins the node's pppds have taken."""
    return (node.read(PPPD_LOG) or "").count("sent [CHAP Success")


def steps(run: Run) -> None:
    live = begin_probed(run, "pptp", {"client1": PptpDialler}, pptp=True)
    live.spare_from_promoted()
    host = run.lab.node("client2")
    promotions = live.stack.promotions()
    calm_from = run.lab.now()
    run.observe(CALM_S)
    begun = run.lab.now()
    run.step("client2 probes with an account")
    expect_whole(run, probe(host), STEPS)
    run.expect("inside", probe(host, "--ping", SERVER_ADDRESS)["exit_code"], equals(OK))
    expect_refused(run, probe(host, password="another"))
    expect_no_device(run, host)
    live.stack.wait_protected(1)
    run.step("the gateway's own probe logs in as well")
    for node in run.lab.gateways:
        node.put(ACCOUNT_OF_NODES, chap_secrets(USER, PASSWORD), mode=0o600)
    before = successes(live.active)
    set_probe(live, {"login_every": "1", "accounts": f"pptp={ACCOUNT_OF_NODES}"})
    run.observe(LOGINS_S)
    run.expect("logins", successes(live.active) - before, at_least(2))
    wait_alive(run, live, live.active)
    run.expect("mark", marks(live, live.active).get(live.active.name), equals("alive"))
    run.expect("moves", live.stack.promotions() - promotions, equals(0))
    until = run.lab.now()
    live.stack.wait_protected(1)
    seen = live.end()
    expect_unnoticed(run, seen.client("client1"), (calm_from, begun), (begun, until))
