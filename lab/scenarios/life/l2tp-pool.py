# SPDX-License-Identifier: GPL-2.0-or-later
"""Three hundred dials of L2TP and PPTP, three failovers, and no address is given twice.

Purpose: the promoted node alone gives addresses, out of a pool that is common to all nodes, and
knows of every address that its predecessors have given.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server; stock xl2tpd
and pptpd beside each other. Ten users have two lines each, which would like the same address.

Steps: client1 and client2 have ten lines of L2TP each, client3 ten of PPTP. In each round some of
those that are up hang up, and those that have been down for a while dial, all at once. After each
75 sessions the power of the promoted gateway is cut: what was up continues, and the others dial
into its successor.

Expected: no address is given to a session while the gateway speaks in another one that has it, as
the captures have it; no clash; nobody is refused; in the end no address is in use or held.
"""
import ipaddress

from vpnlab.evidence.capture_addresses import given_addresses, given_twice
from vpnlab.evidence.expectation import at_least, equals, is_empty
from vpnlab.host.errors import TimedOut
from vpnlab.host.topology import DEFAULT_NODES, VIP_OUTSIDE
from vpnlab.product.cluster import Cluster
from vpnlab.product.lines import Lines, LinesStack
from vpnlab.product.vpnha_stack import HOLD_S
from vpnlab.steps.live import Live, begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=3, vpnha=True)
# 62 addresses: in use, and held for a while.
POOL = "10.200.32.0/26"
ADDRESSES = [str(address) for address in ipaddress.ip_network(POOL).hosts()]
LINES, HANG_UPS = 10, 4
SESSIONS = 300
FAILOVERS = 3
UP_LIMIT_S = 12
DOWN_LIMIT_S = 15


class Band:
    """All lines."""

    def __init__(self, run: Run) -> None:
        self._run = run
        nodes = [run.lab.node(f"client{number}") for number in (1, 2, 3)]
        self.captures = []
        self._parts = []
        for index, node in enumerate(nodes):
            path = run.out / f"{node.name}-outside.pcap"
            run.lab.capture(node.name, "outside", path)
            self.captures.append(path)
            numbers = range(index * LINES, (index + 1) * LINES)
            self._parts.append(Lines(run.lab, node, numbers, pptp=node.name == "client3"))
        for part in self._parts:
            part.start()

    def up(self) -> set[int]:
        return {number for part in self._parts for number in part.up()}

    def sessions(self) -> int:
        return sum(part.sessions() for part in self._parts)

    def round(self, hang_ups: int) -> None:
        """So many lines of each node hang up; those that were down dial. A dial that xl2tpd has
        lost, because it has not done with the one before, is given up and dialled again later."""
        down = [sorted(set(part.numbers) - part.up()) for part in self._parts]
        for part, numbers in zip(self._parts, down, strict=True):
            self._hang_up(part, hang_ups)
            part.dial(numbers)
        try:
            self._run.lab.wait_for("those that dial are up", lambda: all(
                part.up() >= set(numbers) for part, numbers in zip(self._parts, down)), UP_LIMIT_S)
        except TimedOut:
            for part, numbers in zip(self._parts, down, strict=True):
                part.hang_up(set(numbers) - part.up())

    def _hang_up(self, part: Lines, count: int) -> None:
        up = sorted(part.up())
        chosen = set(self._run.random.sample(up, min(count, len(up))))
        part.hang_up(chosen)
        self._run.lab.wait_for("they are down", lambda: not part.up() & chosen, DOWN_LIMIT_S)

    def end(self) -> None:
        for part in self._parts:
            self._hang_up(part, LINES)


def fail_over(run: Run, live: Live) -> None:
    active = live.stack.wait_in_sync()
    live.stack.cluster.spare_successors(active)
    run.step(f"power cut of {active.name}, which is promoted")
    active.power_off()
    live.stack.wait_promoted()
    live.stack.rejoin(active.name)


def steps(run: Run) -> None:
    stack = LinesStack(run.lab, Cluster(run.lab), common_pool=POOL)
    live = begin(run, clients=(), observe_s=0, stack=stack)
    band = Band(run)
    failovers = 0
    while (sessions := band.sessions()) < SESSIONS:
        if failovers < FAILOVERS and sessions >= (failovers + 1) * SESSIONS // (FAILOVERS + 1):
            run.step(f"{sessions} sessions so far, {len(band.up())} are up")
            fail_over(run, live)
            failovers += 1
        band.round(HANG_UPS)
    active = stack.wait_in_sync()
    run.expect("in_use_at_the_end", stack.status(active)["addresses"]["in_use"],
               equals(len(band.up())))
    band.end()
    run.expect_nothing_left(run.lab.gateways, stack.leftovers, 20)
    run.wait_for("no address is in use or held", lambda: not any(
        stack.status(node)["addresses"][name] for node in run.lab.gateways
        for name in ("in_use", "held")), HOLD_S + 10)
    for name in ("refused", "clashes"):
        run.expect(name, [stack.status(node)["addresses"][name] for node in run.lab.gateways],
                   equals([0, 0, 0]))
    run.measure()
    given = given_addresses(band.captures, VIP_OUTSIDE)
    run.expect("given", len(given), at_least(SESSIONS))
    run.expect("not_of_the_pool", [each.address for each in given
                                   if each.address not in ADDRESSES], is_empty())
    run.expect("given_twice", given_twice(given), is_empty())
    for protocol in ("l2tp", "pptp"):
        run.expect(f"given_by_{protocol}", sum(each.session.startswith(protocol)
                                               for each in given), at_least(SESSIONS // 5))
