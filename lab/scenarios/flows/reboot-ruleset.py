# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway that boots has its nftables rules before it has a VIP, and has them as long.

Purpose: a gateway that serves without its rules gives flows no NAT, and each of them is wrong from
then on. Nothing in Debian's units orders nftables and the cluster so that it holds; the drop-in
that vpnha installs for corosync.service does.

Topology: gw1, gw2, gw3, without clients; the one that boots does so under systemd, with Debian's
units of nftables, Corosync and Pacemaker, which the others start by themselves. Its rules take 30 s
to load: longer than it takes to have a VIP.

Steps: no node but the promoted one may be promoted; it is shut down and switched on; under systemd
it loads its rules, joins and is promoted again; systemd shuts it down. A program on it notes when
the table and when the addresses come and go.

Expected: the table is there before the first VIP, and goes after the last one. Without the drop-in
the VIPs come first.
"""
from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.product.cluster import Cluster
from vpnlab.product.ruleset import install_rules, load_rules, table
from vpnlab.product.systemd import Systemd
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.product.watch import RulesetWatch, Seen
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3"), faults=1, vpnha=True)
SLOW_S = 30
PROMOTED_LIMIT_S = 90
VIPS = {L2TP.vip_outside, L2TP.vip_inside}


def steps(run: Run) -> None:
    stack = VpnhaStack(run.lab, Cluster(run.lab))
    for node in run.lab.gateways:
        load_rules(node, L2TP)
    run.step("corosync, pacemaker and vpnha start on gw1, gw2, gw3")
    stack.up()
    node = stack.wait_in_sync()
    run.step(f"{node.name} is promoted, and no other node may be; it shuts down")
    stack.avoid(each.name for each in run.lab.gateways if each is not node)
    stack.cluster.leave(node)
    node.power_off()

    run.step(f"{node.name} boots")
    stack.cluster.power_on(node.name)
    stack.configure(node)
    stack.cluster.put_files(node)
    install_rules(node, L2TP)
    watch = RulesetWatch(run.lab, node)
    systemd = Systemd(node)
    systemd.drop_in("nftables.service", f"[Service]\nExecStartPre=/bin/sleep {SLOW_S}\n")
    began = run.lab.now()
    systemd.start()
    stack.wait_promoted([node.name], PROMOTED_LIMIT_S)
    run.wait_for("the rules and the VIPs are there",
                 lambda: came(watch.seen(), table(L2TP)) and VIPS <= addresses(node), SLOW_S)
    seen = watch.seen()
    run.expect("table_after_s", round(came(seen, table(L2TP)) - began), at_least(SLOW_S))
    run.expect("vip_came_after_the_table",
               came(seen, table(L2TP)) < min(came(seen, vip) for vip in VIPS), is_true())

    run.step(f"systemd shuts {node.name} down")
    systemd.halt()
    seen = watch.seen()
    gone = {what: went(seen, what) for what in VIPS}
    run.expect("vips_gone", sorted(what for what, t in gone.items() if t), equals(sorted(VIPS)))
    run.expect("table_gone_after_the_vips", went(seen, table(L2TP)) > max(gone.values()),
               is_true())


def came(seen: list[Seen], what: str) -> float:
    """0: never."""
    return next((each.t for each in seen if each.here and each.what == what), 0.0)


def went(seen: list[Seen], what: str) -> float:
    """For good; 0: never."""
    return next((each.t for each in reversed(seen) if not each.here and each.what == what), 0.0)


def addresses(node: Node) -> set[str]:
    listed = node.run("ip", "-4", "-brief", "address").stdout
    return {word.partition("/")[0] for line in listed.splitlines() for word in line.split()[2:]}
