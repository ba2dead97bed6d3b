# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP session comes back to its first gateway, and a second client behind its NAT dials there.

Purpose: GRE names nothing but addresses and call ids. The call that comes back has the id that the
gateway's first pptpd gave it. The pptpd that runs there now began anew: it must not give that id to
another client with the same address.

Topology: home1, home2 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; nat1 has the
kernel's PPTP helper; stock pptpd in place of xl2tpd. vpnhad gives clients their addresses: pptpd's
own range knows nothing of a call that came back.

Steps: home1 dials and makes traffic; the power of its gateway is cut, another one continues; the
dead one returns, and the role moves back to it; home2 dials; both make traffic for ten seconds.

Expected: as in pptp-power-cut, for both. Their calls have two ids.
"""
from vpnlab.evidence.capture_invariants import pptp_hang_ups
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.steps.pptp_live import begin_pptp, expect_unhurt
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", "nat1", "home1", "home2"), faults=1,
                    vpnha=True)
POOL = "10.200.16.0/20"
TOGETHER_S = 10


def steps(run: Run) -> None:
    live = begin_pptp(run, clients=("home1",), common_pool=POOL)
    stack, first = live.stack, live.active
    begun_at = run.lab.now()
    live.cut_power(first)
    stack.rejoin(first.name)
    stack.wait_protected(1)
    run.step(f"the role moves back to {first.name}")
    stack.move_role(lambda name: name == first.name)
    stack.wait_protected(1)
    run.step("home2 dials")
    live.dial("home2", dialler=PptpDialler)
    together_at = run.lab.now()
    run.observe(TOGETHER_S)
    until = run.lab.now()
    calls = {session["call"] for session in stack.sessions(first)}
    run.expect("call_ids", len(calls), equals(2))
    seen = live.end()
    home1 = live.client
    run.expect("home1_hung_up_before_by",
               pptp_hang_ups(home1.files.outside, home1.gateway.vip_outside,
                             (begun_at, together_at)), is_empty())
    expect_unhurt(run, live, seen, TAKEOVER_MS, (together_at, until))
