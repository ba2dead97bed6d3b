# SPDX-License-Identifier: GPL-2.0-or-later
"""L2TP on Linux 6.12: sessions outlive two power cuts and a planned move, one beside the other.

Purpose: newer kernels do two things in another way. Since 6.11 a packet's session is found by the
ids in the packet, where 6.1 takes the socket's tunnel, and no two sessions of a node have the same
ids; since 6.6 the gate stands in tcx, where 6.1 has clsact only.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; all run 6.12.

Steps: tests/kernel runs on gw1, as in kernel-adapters. vpnha starts; client1 dials and makes
traffic. The power of the promoted gateway is cut. client2 dials into the stock xl2tpd of the
successor. The role moves to another gateway; the successor lives, and has the ids of its stock
session as those of a hot one. Then the power of the other gateway is cut.

Expected: all tests pass. Each power cut is a silence of at most 1 s to those who had dialled before
it, the move one of 500 ms; nothing else happens to them. No gateway has a clsact, and no device
has no gate.
"""
from vpnlab.evidence.expectation import at_least, at_most, equals, is_empty
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.kernel_tests import run_kernel_tests
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SERIES = "6.12"
SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=2, vpnha=True, kernel=SERIES)
MOVED_MS = 500
OBSERVED_S = 3


def steps(run: Run) -> None:
    releases = [node.read("/proc/sys/kernel/osrelease") or "" for node in run.lab.nodes.values()]
    run.expect("kernels", sorted({each.rpartition(".")[0] for each in releases}), equals([SERIES]))
    code, passed = run_kernel_tests(run.lab.gateway("gw1"), run.out / "kernel_test.log")
    run.expect("kernel_tests", code, equals(0))
    run.expect("kernel_tests_passed", passed, at_least(10))

    live = begin(run)
    stack, first = live.stack, live.active
    for node in run.lab.gateways:
        run.expect(f"clsact_on_{node.name}", clsact_devices(node), is_empty())
        run.expect(f"without_gate_on_{node.name}", stack.without_gate(node), is_empty())

    spans: dict[str, tuple[float, float]] = {}

    begun = run.lab.now()
    second = live.cut_power(first)
    stack.rejoin(first.name)
    stack.wait_protected(1)
    spans["first_cut"] = (begun, run.lab.now())

    run.step(f"client2 dials; {second.name} serves it beside the resumed session")
    live.dial("client2")
    run.observe(OBSERVED_S)
    run.step("the role moves")
    begun = run.lab.now()
    third = stack.move_role(lambda name: name != second.name)
    stack.wait_protected(2)
    spans["moved"] = (begun, run.lab.now())
    run.observe(OBSERVED_S)

    begun = run.lab.now()
    live.cut_power(third)
    stack.wait_protected(2)
    run.observe(OBSERVED_S)
    spans["second_cut"] = (begun, run.lab.now())

    seen = live.end()
    for name, faults in (("client1", ("first_cut", "second_cut")), ("client2", ("second_cut",))):
        client = seen.client(name)
        for fault in faults:
            run.expect(f"{name}_{fault}_ms", worst_gap_ms(client, spans[fault]),
                       at_most(TAKEOVER_MS))
        run.expect(f"{name}_moved_ms", worst_gap_ms(client, spans["moved"]), at_most(MOVED_MS))
        expect_only_silence(run, client, TAKEOVER_MS)


def clsact_devices(node: Node) -> list[str]:
    """Where tc has its own chain, which the gate takes where the kernel has no tcx."""
    shown = node.run("tc", "qdisc", "show").stdout.splitlines()
    return [line.split(" dev ")[1].split()[0] for line in shown if line.startswith("qdisc clsact")]
