# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad of both standbys dies at once: silence for as long as their votes are away.

Purpose: of three voters one is no majority, so the promoted node falls silent within a lease.
Pacemaker would start a vpnhad again after failure-timeout; keep-vpnhad does so at once, and a
vpnhad that was started again votes before anything else. Pacemaker counts both failures as ever.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; vpnhad of both standbys gets a SIGKILL, at the same moment.

Expected: a silence of at most 2.5 s and nothing else; nobody else is promoted; each vpnhad is
started again once; both nodes are standbys in sync again by themselves, each after one failure.
"""
from concurrent.futures import ThreadPoolExecutor

from vpnlab.evidence.expectation import equals
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.live import begin
from vpnlab.steps.promise import REPORTED_MS, expect_only_silence
from vpnlab.steps.promoted.fault import DAEMON_BACK_S, failures
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
# Both monitors have found their failure.
OBSERVE_S = 5


def steps(run: Run) -> None:
    live = begin(run)
    stack, log = live.stack, live.stack.daemon_log
    promotions = stack.promotions()
    run.step("vpnhad of both standbys is killed")
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda node: node.kill_process(DAEMON), live.standbys))
    for node in live.standbys:
        run.wait_for(f"vpnhad of {node.name} runs again",
                     lambda: "event=restarted" in log(node), 5)
    live.wait_answered()
    run.observe(OBSERVE_S)
    stack.wait_in_sync(deadline_s=DAEMON_BACK_S)
    stack.wait_protected(1)
    run.expect("promotions", stack.promotions(), equals(promotions))
    for node in live.standbys:
        run.expect(f"{node.name}_restarts", log(node).count("event=restarted"), equals(1))
        run.expect(f"{node.name}_failures", failures(node), equals(1))
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), REPORTED_MS)
