# SPDX-License-Identifier: GPL-2.0-or-later
"""Of two nodes the promoted one dies, and nobody confirms it: silence, until somebody knows.

Purpose: Pacemaker believes its power switch and promotes the node that is left. The lease does not:
of two voters both have to answer. The node waits, with its sessions, for the other one or for an
administrator's word.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; two_node in corosync.conf; power
fencing without fence_vpnha in mode=confirm.

Steps: client1 dials and makes traffic; the power of the promoted node is cut; after a silence it is
switched on again, and the node that was left continues. Then that one's power is cut; after a
silence the administrator runs `vpnha confirm-dead`.

Expected: not one frame from the gateway's addresses while nobody has confirmed; `vpnha status` and
vpnhad's log show who is missing and what to do; the session continues within 1 s after the other
node's abstention, and within 1 s of the administrator's word; never two owners.
"""
import re

from vpnlab.evidence.expectation import at_most, equals, is_empty, is_true
from vpnlab.host.node import Node
from vpnlab.host.state import text_of
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import expect_nothing_else
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.silence import back_after_abstention, since_abstention_s

SCENARIO = Scenario(nodes=("gw1", "gw2", "client1", "server"), faults=2, vpnha=True)
WAITING = "event=waiting"
PROMOTION_FAILED = re.compile(r"Result of promote operation for checkpoint on \S+: (?!ok).*")
WAITING_S = 20
SILENCE_S = 3
BACK_S = 1.0
# Longer than the client's frames and the observer's clock need after a power cut.
LAST_WORD_S = 0.1


def lose(live: Live, dead: Node, left: Node) -> tuple[float, float]:
    """The power of the one is cut, the other one waits; returns when the silence began and until
    when it was seen to last."""
    run, log = live.run, live.stack.daemon_log
    waited = log(left).count(WAITING)
    run.step(f"power cut of {dead.name}, which is promoted")
    dead.power_off()
    cut_at = run.lab.now()
    run.wait_for(f"{left.name} waits", lambda: log(left).count(WAITING) > waited, WAITING_S)
    run.observe(SILENCE_S)
    until = run.lab.now()
    status = left.run("vpnha", "status", check=False).stdout
    for name, text in (("status", status), ("log", log(left))):
        run.expect(f"{name}_of_{left.name}_shows_what_to_do", "vpnha confirm-dead" in text,
                   is_true())
    run.expect(f"{left.name}_gate", live.stack.status(left)["gate"], equals("shut"))
    return cut_at + LAST_WORD_S, until


def steps(run: Run) -> None:
    live = begin(run)
    first, second = live.active, live.standbys[0]
    silences = [lose(live, first, second)]
    run.step(f"{first.name} comes back")
    live.stack.join(first.name)
    live.wait_answered()
    run.expect("back_after_abstention_s", since_abstention_s(run, first, run.lab.now()),
               back_after_abstention(BACK_S))
    live.stack.wait_in_sync()
    live.stack.cluster.tune()
    live.stack.wait_protected(1)
    run.observe(2)

    silences.append(lose(live, second, first))
    run.step(f"the administrator of {first.name} confirms that {second.name} is off")
    confirmed_at = run.lab.now()
    first.run("vpnha", "confirm-dead", second.name, "--it-is-off")
    live.wait_answered()
    run.expect("back_after_the_word_s", round(run.lab.now() - confirmed_at, 2), at_most(BACK_S))
    run.observe(2)
    run.expect("failed_promotions", [
        found for node in run.lab.gateways for directory in node.log_directories()
        for found in PROMOTION_FAILED.findall(text_of(directory / "pacemaker" / "pacemaker.log"))],
        is_empty())
    seen = live.end()
    run.expect("spoke_in_the_silence", any(each.start < until and each.end > since
                                           for each in seen.ownerships
                                           for since, until in silences), equals(False))
    expect_nothing_else(run, seen.client("client1"))
