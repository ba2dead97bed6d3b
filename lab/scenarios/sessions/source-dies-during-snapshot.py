# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node dies while it sends a joining node what it holds.

Purpose: half of a snapshot is no replica. The joiner does not take part in the takeover, the
sessions continue at the node that had all of them, and the joiner asks that one for the rest.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; two thousand sessions more are announced to vpnhad by a
program that speaks as pppd's plugin does, with peers on client2 that acknowledge; one standby is
kept out of the gateway meanwhile and then let in. The promoted node's cluster links are slow from
then on. The joiner's vpnhad joins the group, and when the promoted node has sent so much after
that, that a part of the snapshot is sent, its power is cut.

Expected: the joiner was not complete when the dead node was gone; the other standby is promoted and
resumes all sessions, client1's within 1 s; the joiner becomes complete from it and holds exactly
the same.
"""
from collections.abc import Callable

from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.crowd import AnnouncedSessions
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
SESSIONS = 2000
# Of a snapshot that has 400 octets a session; it goes to every node, so what is sent is twice that.
SENT_BYTES = 2 * SESSIONS * 400 // 20
# The whole snapshot takes seconds then, and the token still goes round in time.
SLOW = ("rate", "4mbit", "burst", "16kb", "latency", "2s")
HOT_S = 60
JOIN_S = 30
EQUAL_S = 30
JOINED = "event=members"
COMPLETE = "event=in-sync"


def steps(run: Run) -> None:
    live = begin(run, place=off_dc, observe_s=0)
    # Not the DC: a joiner is busy, and the DC decides how soon the role moves.
    stack, joiner = live.stack, live.plain_standby
    kept = next(node for node in live.standbys if node is not joiner)
    run.step(f"{joiner.name} is kept out; {SESSIONS} sessions are announced")
    stack.keep_out(joiner)
    AnnouncedSessions(run.lab, live.active, run.lab.node("client2"), SESSIONS).start()
    stack.wait_protected(1 + SESSIONS, HOT_S, standbys=[kept])

    run.step(f"{joiner.name} is let in")
    known = len(stack.daemon_log(joiner))
    for link in ("cluster0", "cluster1"):
        live.active.run("tc", "qdisc", "add", "dev", link, "root", "tbf", *SLOW)
    stack.let_in(joiner)
    wait_for(run, "the joiner is in the group",
             lambda: JOINED in stack.daemon_log(joiner)[known:])
    before = live.active.sent_bytes("cluster0")
    wait_for(run, "the snapshot is under way",
             lambda: live.active.sent_bytes("cluster0") > before + SENT_BYTES)
    live.active.power_off()
    successor = stack.wait_promoted()
    run.expect("successor", successor.name, equals(kept.name))
    live.wait_answered()
    stack.wait_in_sync()

    run.step("the joiner has what its new source has")
    log = stack.daemon_log(joiner)[known:]
    with_the_dead = log[:log.index(stack.members_line([kept, joiner]))]
    run.expect("completed_by_the_dead", with_the_dead.count(COMPLETE), equals(0))
    stack.wait_protected(1 + SESSIONS, EQUAL_S)
    run.expect("sessions_lost", stack.daemon_log(successor).count("event=lost"), equals(0))
    run.wait_for("both nodes name the same sessions",
                 lambda: stack.session_names(successor) == stack.session_names(joiner), EQUAL_S)
    live.hang_up()
    seen = live.measure()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)


def wait_for(run: Run, what: str, condition: Callable[[], bool]) -> None:
    """Without a pause between two looks: what is waited for lasts for milliseconds."""
    run.lab.wait_for(what, condition, JOIN_S, interval_s=0)
