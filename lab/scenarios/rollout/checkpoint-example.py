# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody else's program keeps by libvpnha outlives the node that it served on, twice.

Purpose: vpnha/checkpoint.hpp. The example program of the library, session-table, is no part of
vpnhad; it runs without root, on Corosync alone.

Topology: client1 -- outside -- gw1, gw2, gw3, with Corosync and without Pacemaker.

Steps: a user that corosync does not know is refused. session-table runs on all nodes, gw1 is
promoted, client1 puts keys one after the other; the power of gw1 is cut. When gw2 knows of no
holder it is promoted, and client1 puts keys there. gw1 comes back with nothing, and gets all. The
power of gw2 is cut, gw3 is promoted. A second session-table on gw3 ends at once.

Expected: every key that was answered is on the next node, with its value, both times; gw1 is
complete again; the stranger and the second program get the reason.
"""
from vpnlab.evidence.expectation import at_least, at_most, equals, is_empty, is_true
from vpnlab.product.cluster import Cluster
from vpnlab.product.session_table import STRANGER, SessionTable
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "client1"), faults=2, vpnha=True)
PUT_S = 2.0
# From the power cut until a client has put a key at the next node; the lab's own polls are in it.
OUTAGE_MS = 3000


def steps(run: Run) -> None:
    first, second, third = nodes = [run.lab.gateway(name) for name in ("gw1", "gw2", "gw3")]
    table = SessionTable(run.lab, run.lab.node("client1"))
    cluster = Cluster(run.lab)
    run.step("corosync and session-table start on three nodes")
    cluster.prepare()
    for node in nodes:
        table.install(node)
        cluster.start_corosync(node)
    refused = table.refused(first, STRANGER)
    run.expect("stranger_refused", refused.code == 1 and "uidgid" in refused.stderr, is_true())
    for node in nodes:
        table.start(node)
    table.wait_state(nodes, quorate=1)
    table.promote(first)
    table.wait_state([first], standbys=2)
    # A node that is not in the ring yet would learn of no other timing.
    cluster.tune()

    run.step("client1 puts keys, and gw1 loses its power")
    before = table.start_putting(first, "before")
    run.observe(PUT_S)
    cut = run.lab.now()
    first.power_off()
    table.wait_state([second], holder=0)
    table.promote(second)
    run.wait_for("gw2 has a key that gw3 has confirmed",
                 lambda: table.ask(second, "put", "probe", "1") == "ok", OUTAGE_MS / 1000)
    run.expect("outage_ms", round((run.lab.now() - cut) * 1000), at_most(OUTAGE_MS))
    between = table.start_putting(second, "between")
    run.observe(PUT_S)
    counts = [before.stop(), between.stop()]
    run.expect("keys_answered", min(counts), at_least(50))
    seen = table.check(second, before, between)
    run.expect("keys_checked_on_gw2", seen["checked"], equals(sum(counts)))
    run.expect("keys_wrong_on_gw2", seen["wrong"], is_empty())

    run.step("gw1 comes back, and gw2 loses its power")
    cluster.power_on(first.name)
    table.install(first)
    cluster.start_corosync(first)
    table.start(first)
    table.wait_state([first], complete=1, records=table.state(second)["records"])
    table.wait_state([second], standbys=2)
    cluster.tune()
    second.power_off()
    table.wait_state([third], holder=0)
    table.promote(third)
    after = table.start_putting(third, "after")
    run.observe(PUT_S)
    counts.append(after.stop())
    run.expect("keys_answered_by_gw3", counts[-1], at_least(50))
    for node in (third, first):
        table.wait_state([node], records=table.state(third)["records"])
    seen = table.check(third, before, between, after)
    run.expect("keys_checked_on_gw3", seen["checked"], equals(sum(counts)))
    run.expect("keys_wrong_on_gw3", seen["wrong"], is_empty())
    again = table.refused(third)
    run.expect("second_program_refused", again.code == 1 and "another process" in again.stderr,
               is_true())
