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
from vpnlab.evidence.expectation import equals
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.l2tp_gateway import PASSWORD, USER, chap_secrets
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import POWER_CUT_MS, WAITING_MS, expect_only_silence
from vpnlab.steps.promoted.probe_login import (
    OK, ask, expect_no_device, expect_refused, expect_whole)
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
STEPS = ["sccrq", "scccn", "icrq", "iccn", "lcp", "login", "address", "ping", "hang_up", "stopccn"]


def probe(host: Node, *more: str, password: str = PASSWORD) -> dict:
    return ask(host, "l2tp", chap_secrets(USER, password), *more)


def steps(run: Run) -> None:
    live = begin(run, place=off_dc)
    host = run.lab.node("client2")
    run.step("client2 probes with an account")
    expect_whole(run, probe(host), STEPS)
    run.expect("inside", probe(host, "--ping", SERVER_ADDRESS)["exit_code"], equals(OK))
    expect_refused(run, probe(host, password="another"))
    expect_no_device(run, host)
    live.stack.wait_protected(1)
    live.cut_power(live.active)
    run.expect("by_the_successor", probe(host)["exit_code"], equals(OK))
    live.stack.wait_protected(1)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), WAITING_MS if run.waiting else POWER_CUT_MS)
