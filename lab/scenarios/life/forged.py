# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody forges a client's control messages of L2TP: no session ends, stock or resumed.

Purpose: plain L2TP proves nothing but what it carries. A forger in the clients' network knows a
client's address and port and the ids that the gateway assigned, not those of the client. A resumed
session must be no easier to end than a stock one.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 and client2 dial and make traffic. client3 sends StopCCN and CDN with wrong ids,
HELLO and acknowledgements with any numbers, and SCCRQ, from client1's address and port: at the
stock session, over a power cut, and at the resumed one. It stops; the next gateway's power is cut.

Expected: both clients see the two silences of the power cuts, and nothing else. The successor
counts what named no id of the client. In the end the clients hang up, and nothing is left.
"""
import dataclasses
import json

from vpnlab.evidence.expectation import at_least, at_most, equals
from vpnlab.history.violations import L2TP_NS
from vpnlab.host.node import Background, Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(
    nodes=(*DEFAULT_NODES, "client2", "client3"), faults=2, vpnha=True,
    history_allows={L2TP_NS: "a gateway's HELLOs have numbers that the forger acknowledged"})
VICTIM, FORGER = "client1", "client3"
PER_SECOND = 20
AT_STOCK_S, AT_RESUMED_S, AFTERWARDS_S = 30, 60, 5
UNPROVEN_MIN, SENT_MIN = 20, 1000
LOG = "/var/log/forged_l2tp.log"


def forge(live: Live, node: Node) -> Background:
    """The forger begins, at the session of the victim."""
    address = live.run.lab.node(VICTIM).spec.access_address
    session = next(each for each in live.stack.sessions(node)
                   if each["peer"].startswith(f"{address}:"))
    live.run.expect("ids_that_the_forger_does_not_know",
                    session["peer_tunnel"] not in (0, session["tunnel"])
                    and session["peer_session"] not in (0, session["session"]), equals(True))
    port = session["peer"].rpartition(":")[2]
    return live.run.lab.node(FORGER).start_tool(
        "hostile/forged_l2tp.py", L2TP.vip_outside, address, port, str(session["tunnel"]),
        str(session["session"]), str(PER_SECOND), output=LOG)


def states(live: Live, node: Node) -> list[str]:
    return [each["state"] for each in live.stack.sessions(node)]


def steps(run: Run) -> None:
    live = begin(run, clients=(VICTIM, "client2"))
    run.step(f"{FORGER} forges messages of {VICTIM} to the stock daemon")
    forger = forge(live, live.active)
    run.observe(AT_STOCK_S)
    run.expect("stock", states(live, live.active), equals(["protected"] * 2))
    successor = live.cut_power(live.active)
    run.step(f"{FORGER} forges them to the resumed session")
    run.observe(AT_RESUMED_S)
    run.expect("resumed", states(live, successor), equals(["resumed"] * 2))
    run.expect("unproven", live.stack.status(successor)["counters"]["l2tp_unproven"],
               at_least(UNPROVEN_MIN))
    forger.stop()
    sent = json.loads((run.lab.node(FORGER).read(LOG) or "").splitlines()[-1])
    run.expect("forged", sent["packets"], at_least(SENT_MIN))

    live.stack.rejoin(live.active.name)
    live.stack.wait_in_sync()
    live.cut_power(successor)
    live.stack.wait_protected(2)
    run.observe(AFTERWARDS_S)
    # Accepted: the second gateway sent HELLOs with the numbers that the forger named. The third one
    # cannot know which; the client drops what is ahead of the number that it expects.
    seen = live.end(accepts=("l2tp_ns_led",))
    victim = seen.client(VICTIM)
    # The forger's dial, which it repeats, where the switch flooded it to the victim's capture.
    run.expect("dials_from_the_victims_address", victim.l2tp_setups, at_most(1))
    for client in (dataclasses.replace(victim, l2tp_setups=0), seen.client("client2")):
        expect_only_silence(run, client, TAKEOVER_MS)
