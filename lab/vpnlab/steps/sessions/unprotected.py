# SPDX-License-Identifier: GPL-2.0-or-later
"""A session that no other node can continue with, and its client, which dials again by itself."""
from __future__ import annotations

from ...evidence.expectation import at_most, is_true
from ..live import Live
from ..promise import Span
from ..run import Run

DIAL_LIMIT_S, PATIENCE_S = 15, 60
REDIALLED_S = 10


def redial_over_power_cut(run: Run, live: Live, dialler, word: str,
                          standbys_report: str = "unprotected") -> Span:
    """The dialler, which is ready, dials; the promoted node shows its session as unprotected. The
    word is in the reasons that all nodes give, or in those of the standbys where these report
    something else. The power of the promoted node is cut. Returns the time from then until the
    client has a new session."""
    name = dialler.node.name
    dialler.dial()
    run.wait_for(f"{name} has a session", dialler.up, DIAL_LIMIT_S)
    for node in run.lab.gateways:
        state = "unprotected" if node is live.active else standbys_report
        run.wait_for(f"{node.name} shows the session as {state}", lambda: [
            each["state"] for each in live.stack.sessions(node)] == [state], DIAL_LIMIT_S)
    knowing = run.lab.gateways if standbys_report == "unprotected" else live.standbys
    reasons = [live.stack.sessions(node)[0]["reason"] for node in knowing]
    run.expect(f"reason_names_{word}", all(word in reason for reason in reasons), is_true())

    run.step(f"power cut of {live.active.name}, which is promoted")
    begun = run.lab.now()
    live.active.power_off()
    run.wait_for(f"{name} has dialled again", lambda: len(dialler.dialled()) == 2 and dialler.up(),
                 PATIENCE_S)
    until = run.lab.now()
    run.expect("redialled_s", round(until - begun, 2), at_most(REDIALLED_S))
    return begun, until


def hang_up(run: Run, live: Live, dialler) -> None:
    """The scenario's end: nothing is left of either session."""
    dialler.hang_up()
    run.wait_for(f"{dialler.node.name} has hung up", dialler.gone, DIAL_LIMIT_S)
    live.end()
