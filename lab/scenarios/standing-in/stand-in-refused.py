# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby alone does not receive from the promoted node any more, and asks to stand in for it.

Purpose: the question disturbs nobody. The voters that receive from the holder refuse, nothing is
claimed, and no epoch is used up.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; on each standby in turn a packet filter drops what the
promoted node's lease sends to it, for 3 s.

Expected: the client notices nothing; both standbys have asked; the same node is promoted, in the
same epoch; nobody acted.
"""
from vpnlab.evidence.expectation import equals, is_true
from vpnlab.product.vpnha_stack import LEASE_PORT
from vpnlab.steps.live import Live, expect_unnoticed_act
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import ASKS, STAND_IN

SCENARIO = Scenario(faults=2, vpnha=True)
DEAF_S = 3


def steps(run: Run) -> None:
    expect_unnoticed_act(run, lambda live: deafen_each(run, live))


def deafen_each(run: Run, live: Live) -> None:
    epoch = live.stack.status(live.active)["epoch"]
    for standby in live.standbys:
        run.step(f"{standby.name} does not receive the lease of {live.active.name}")
        standby.filter_port(LEASE_PORT, sender=live.active)
        run.observe(DEAF_S)
        standby.unfilter_port()
        log = live.stack.daemon_log(standby)
        run.expect(f"{standby.name}_asked", ASKS in log, is_true())
        run.expect(f"{standby.name}_acted", STAND_IN in log, equals(False))
    run.expect("epoch", live.stack.status(live.active)["epoch"], equals(epoch))
