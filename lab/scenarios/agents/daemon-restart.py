# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad dies on a standby, and nobody notices; it dies on the promoted node, and another serves.

Purpose: the daemon is no more precious than the machine. A standby's sockets are kernel state that
goes with it and comes back with its replica; the promoted node's death is a failover that
Pacemaker's monitor starts.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; vpnhad of a standby is killed, Pacemaker recovers it; then
vpnhad of the promoted node, whose session is the stock daemon's; then that of its successor, which
has resumed the session, so that its sockets die with the daemon.

Expected: the standby's death is no gap longer than 50 ms, or twice the longest of a fault-free
time; it is a standby in sync again within 75 s, when Pacemaker has forgotten the failure. The
others are a silence of at most 1 s each (a standby notifies Pacemaker at once, no monitor has to
see it) and nothing else; exactly one standby notifies Pacemaker. Between them the dead vpnhad comes
back: two of three voters must live. No standby sends anything to a client; in the end all are in
sync.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_no_gap, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=3, vpnha=True)
OBSERVED_S = 8
RECOVERED_S = 75
# Of a promoted node. Of a dead standby the lowest one withdraws the score alone.
REPORTED = "Pacemaker is notified event=reported"


def steps(run: Run) -> None:
    live = begin(run, observe_s=0)
    stack, standby = live.stack, live.standbys[0]
    calm_from = run.lab.now()
    run.observe(OBSERVED_S)

    run.step(f"vpnhad of {standby.name}, a standby, is killed")
    killed_at = run.lab.now()
    standby.kill_process(DAEMON)
    run.observe(OBSERVED_S)
    observed_until = run.lab.now()
    stack.wait_in_sync(deadline_s=killed_at + RECOVERED_S - observed_until)
    run.expect("standby_back_in_sync_s", round(run.lab.now() - killed_at, 1), at_most(RECOVERED_S))
    stack.wait_protected(1)

    serving, cuts = live.active, 0
    for whose in ("a stock session", "a resumed session"):
        run.step(f"vpnhad of {serving.name}, promoted with {whose}, is killed")
        promotions = stack.promotions()
        serving.kill_process(DAEMON)
        run.wait_for("another promotion", lambda: stack.promotions() > promotions, 20)
        live.wait_answered()
        serving = stack.wait_promoted(node.name for node in run.lab.gateways
                                      if node is not serving)
        stack.wait_in_sync(deadline_s=RECOVERED_S)
        stack.wait_protected(1)
        cuts += 1
        run.expect(f"reports_after_{cuts}", sum(stack.daemon_log(node).count(REPORTED)
                                                for node in run.lab.gateways), equals(cuts))

    run.step("the failures are cleared")
    stack.clear_failures()
    stack.wait_protected(1)
    seen = live.end()
    client = seen.client("client1")
    expect_no_gap(run, client, (calm_from, killed_at), (killed_at, observed_until))
    expect_only_silence(run, client, TAKEOVER_MS)
