# SPDX-License-Identifier: GPL-2.0-or-later
"""A provider's concentrator has new calls in a tunnel that was taken over, and keeps all of them.

Purpose: a LAC's tunnel never ends by itself. Its new subscribers get in at the node that has taken
the tunnel over, which no stock xl2tpd there knows, and are protected as the old ones are.

Topology: client2, client3 -- client1, a LAC (l2tpns) -- outside -- gw1, gw2, gw3 -- inside --
server. The users dial the LAC by L2TP; it passes all of them on in one tunnel.

Steps: client2 dials and makes traffic, client3 dials five lines; the power of the promoted gateway
is cut. client3 dials three lines more, and then fifty. The dead gateway returns, and the power of
the successor is cut. All hang up.

Expected: the three and the fifty get through in the old tunnel, which is the only one, and the
server answers each of them; nobody was refused. After each power cut the server answers through
every session, and none was set up anew. client2 sees a silence of at most 1 s each time and nothing
else. No number of the control connection is used twice, and nothing is left in the end.
"""
from vpnlab.evidence.capture_decode import L2tp, read_frames
from vpnlab.evidence.capture_invariants import sequence_invariants
from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import DEFAULT_NODES, VIP_OUTSIDE
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_gateway import USER
from vpnlab.product.lines import Lines, LinesStack, user
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.product.sites.concentrator import Concentrator
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=2, vpnha=True)
OLD, FEW, MANY = range(5), range(5, 8), range(8, 58)
LINES = range(MANY.stop)
AT_ONCE = 5
CDN = 14
# The AVP Result Code, mandatory, of 4: no facilities at present.
NO_FACILITIES = bytes.fromhex("8008000000010004")
UP_LIMIT_S, DOWN_LIMIT_S, PROTECTED_LIMIT_S = 60, 60, 60
AFTERWARDS_S = 3


def steps(run: Run) -> None:
    concentrator = Concentrator(run.lab, run.lab.node("client1"),
                                (USER, *sorted({user(number) for number in LINES})))
    capture = run.out / "client1-outside.pcap"
    run.lab.capture("client1", "outside", capture, f"host {VIP_OUTSIDE}")
    live = begin(run, clients=(), observe_s=0, stack=LinesStack(run.lab, Cluster(run.lab)))
    stays = run.client(concentrator.dialler(run.lab.node("client2")))
    stays.dial()
    stays.start_traffic()
    live.clients.append(stays)
    lines = concentrator.lines(run.lab.node("client3"), LINES)
    lines.start()
    run.step(f"client3 dials {len(OLD)} lines")
    dial(run, live, lines, OLD)
    expect_answered(run, "before", lines, len(OLD))
    run.expect("tunnels_before", tunnels(live), equals(1))

    first = live.active
    live.cut_power(first)
    live.stack.wait_protected(1 + len(OLD), PROTECTED_LIMIT_S)
    run.step(f"client3 dials {len(FEW)} lines more, in the tunnel that was taken over")
    dial(run, live, lines, FEW)
    expect_answered(run, "with_a_few", lines, FEW.stop)
    run.step(f"client3 dials {len(MANY)} lines more")
    dial(run, live, lines, MANY)
    run.observe(AFTERWARDS_S)
    expect_answered(run, "with_all", lines, MANY.stop)
    run.expect("tunnels_then", tunnels(live), equals(1))
    live.stack.rejoin(first.name)
    live.stack.wait_protected(1 + MANY.stop, PROTECTED_LIMIT_S)

    live.cut_power(live.stack.wait_in_sync())
    live.stack.wait_protected(1 + MANY.stop, PROTECTED_LIMIT_S)
    run.observe(AFTERWARDS_S)
    expect_answered(run, "after_the_second", lines, MANY.stop)
    run.expect("set_up", lines.sessions(), equals(MANY.stop))
    lines.hang_up(LINES)
    run.wait_for("all lines are down", lambda: not lines.up(), DOWN_LIMIT_S)

    seen = live.end()
    expect_only_silence(run, seen.client("client2"), TAKEOVER_MS)
    sent = [frame.ip.upper for frame in read_frames(capture)
            if frame.ip is not None and isinstance(frame.ip.upper, L2tp)
            and frame.ip.src == VIP_OUTSIDE]
    run.expect("refusals", sum(each.message == CDN and NO_FACILITIES in each.avps
                               for each in sent), equals(0))
    wire = sequence_invariants([capture], VIP_OUTSIDE)
    run.expect("ns_reused_towards_the_lac", wire.l2tp_ns_reused, equals(0))


def dial(run: Run, live: Live, lines: Lines, numbers: range) -> None:
    """A few at a time: each node has one core for all of its pppds."""
    for at in range(0, len(numbers), AT_ONCE):
        some = set(numbers[at:at + AT_ONCE])
        lines.dial(some)
        run.wait_for("those that dial are up", lambda: lines.up() >= some, UP_LIMIT_S)
    live.stack.wait_protected(1 + numbers.stop, PROTECTED_LIMIT_S)


def tunnels(live: Live) -> int:
    """How many there are at the promoted node."""
    return len({each["tunnel"] for each in live.stack.sessions(live.stack.wait_promoted())})


def expect_answered(run: Run, when: str, lines: Lines, count: int) -> None:
    run.expect(f"answered_{when}", len(lines.answered(SERVER_ADDRESS)), equals(count))
