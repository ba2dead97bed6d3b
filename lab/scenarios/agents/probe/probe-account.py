# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha-probe logs in with a test account of L2TP, pings through, and hangs up.

Purpose: a wrong secret, a dead pppd and an empty pool answer a first exchange like a healthy
gateway. A login finds them. The probe needs no device of its own, and its session is over at once.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. client2 is the
monitoring host.

Steps: client1 dials and makes traffic; client2 probes with the account of a user, with a ping to
the gateway and with one to the server inside; then with a wrong secret. The power of the promoted
gateway is cut, and client2 probes once more.

Expected: OK with each step in its order; OK; CRITICAL with the server's refusal; OK. client2 never
has a PPP device. One session is protected again after each probe. client1 saw the silence of the
power cut and nothing else; in the end nothing is left on any node.
"""
import json

from vpnlab.evidence.expectation import equals, is_empty, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.product.l2tp_gateway import PASSWORD, USER, chap_secrets
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import POWER_CUT_MS, WAITING_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
ACCOUNT = "/etc/probe.account"
OK, CRITICAL = 0, 2
STEPS = ["sccrq", "scccn", "icrq", "iccn", "lcp", "login", "address", "ping", "hang_up", "stopccn"]
# pppd starts in each, on nodes that share a core.
PROBE_S = "10"


def probe(host: Node, *more: str, password: str = PASSWORD) -> dict:
    host.put(ACCOUNT, chap_secrets(USER, password), mode=0o600)
    return json.loads(host.run("vpnha-probe", "l2tp", L2TP.vip_outside, "--account", ACCOUNT,
                               "--timeout", PROBE_S, "--json", *more, check=False).stdout)


def steps(run: Run) -> None:
    live = begin(run, place=off_dc)
    host = run.lab.node("client2")
    run.step("client2 probes with an account")
    whole = probe(host)
    run.expect("text", "has answered" in whole["text"], is_true())
    run.expect("steps", [each["name"] for each in whole["steps"]], equals(STEPS))
    run.expect("inside", probe(host, "--ping", SERVER_ADDRESS)["exit_code"], equals(OK))
    refused = probe(host, password="another")
    run.expect("refused", refused["exit_code"], equals(CRITICAL))
    run.expect("reason", f"refuses the login of '{USER}'" in refused["text"], is_true())
    run.expect("devices_of_the_probe", [
        name for name in host.run("ls", "/sys/class/net").stdout.split()
        if name.startswith("ppp")], is_empty())
    live.stack.wait_protected(1)
    live.cut_power(live.active)
    run.expect("by_the_successor", probe(host)["exit_code"], equals(OK))
    live.stack.wait_protected(1)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), WAITING_MS if run.waiting else POWER_CUT_MS)
