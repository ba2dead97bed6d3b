# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's own faults do what their names promise.

Purpose: a scenario that injects a fault relies on it. Each kind is injected once, and its effect is
seen from another node, and its end.

Topology: client1 -- outside -- gw1.

Steps: delay and loss on a link, the cable pulled, the node paused, its power cut and restored.

Expected: client1 reaches gw1 exactly when it should.
"""
from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.host.errors import TimedOut
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "client1"), faults=5)
DELAY_MS = 200


def steps(run: Run) -> None:
    node, client = run.lab.gateway("gw1"), run.lab.node("client1")
    address = node.address("outside")

    def ping() -> float | None:
        """Round-trip time in ms, None without an answer."""
        done = client.run("ping", "-n", "-c", "1", "-W", "1", address, check=False)
        _, found, rest = done.stdout.partition("time=")
        return float(rest.split()[0]) if found else None

    def reached() -> bool:
        return ping() is not None

    run.wait_for("client1 reaches gw1", reached, deadline_s=10)
    run.step("delay, then loss")
    node.netem("outside", delay_ms=DELAY_MS)
    run.expect("delayed_ms", ping(), at_least(DELAY_MS))
    node.netem("outside", loss_percent=100)
    run.expect("reached_through_loss", reached(), equals(False))
    node.netem("outside")
    run.wait_for("delay and loss are gone", lambda: (ping() or DELAY_MS) < DELAY_MS, deadline_s=10)

    run.step("cable")
    node.link_down("outside")
    run.expect("reached_without_cable", reached(), equals(False))
    run.expect("managed_without_cable", node.run("true").code, equals(0))
    node.link_up("outside")
    run.wait_for("the cable is back", reached, deadline_s=10)

    run.step("pause")
    node.freeze()
    run.expect("reached_while_paused", reached(), equals(False))
    node.thaw()
    run.wait_for("the node continues", reached, deadline_s=10)

    run.step("power")
    before = node.run("cat", "/proc/sys/kernel/random/boot_id").stdout
    node.power_off()
    run.expect("reached_without_power", reached(), equals(False))
    run.lab.power_on("gw1")
    run.wait_for("the node is back", reached, deadline_s=10)
    run.expect("booted_anew", node.run("cat", "/proc/sys/kernel/random/boot_id").stdout != before,
               is_true())

    run.step("commands")
    run.expect("exit_code", node.run("sh", "-c", "exit 7", check=False).code, equals(7))
    try:
        node.run("sleep", "60", timeout=0.5)
        ended = False
    except TimedOut:
        ended = True
    run.expect("ended_at_its_time_limit", ended, is_true())
