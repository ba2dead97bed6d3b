# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian packages on a fresh Debian: installed, configured, started, upgraded, purged.

Purpose: what the packages do to a machine and leave on it; above all that an upgrade ends no
gateway, and that nothing of vpnha is started by anybody but the cluster.

Topology: gw1 alone, a newly installed Debian with systemd, whose archives are Debian's packages and
what setup/debs built.

Steps: all packages are installed by apt; corosync is configured and started, then vpnhad.service,
as the agent starts it; all packages are upgraded to the next version, then purged. No fault.

Expected: after the installation vpnhad does not run and is not enabled, and the group vpnha is
there; its process outlives the upgrade; after the purge it has ended, and only what the
administrator wrote is left.
"""
from vpnlab.evidence.expectation import equals, is_empty, is_true
from vpnlab.host.debian import PRODUCT_MOUNT
from vpnlab.host.node import Node
from vpnlab.rollout import packages
from vpnlab.product.cluster import Cluster
from vpnlab.product.vpnha_stack import CONFIG_FILE, vpnha_toml
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1",), fresh=("gw1",))
START_LIMIT_S = 30
UNIT = "vpnhad.service"
# Of the lab, and of the administrator.
NOT_OURS = (PRODUCT_MOUNT, packages.NEXT_MOUNT, packages.SOURCE_FILE, "/var/log/", "/var/lib/apt/")


def steps(run: Run) -> None:
    node = run.lab.gateway("gw1")
    run.step("apt-get install")
    packages.install(node, *packages.PRODUCT)
    run.expect("unit", [show(node, "UnitFileState"), show(node, "ActiveState")],
               equals(["static", "inactive"]))
    run.expect("group", node.run("getent", "group", "vpnha", check=False).code, equals(0))
    run.expect("failed_units", node.run("systemctl", "--failed", "--quiet", "--plain",
                                        "--no-legend").stdout, equals(""))

    run.step("corosync and vpnhad are configured and started")
    cluster = Cluster(run.lab)
    cluster.prepare()
    cluster.put_files(node)
    node.put(CONFIG_FILE, vpnha_toml(), mode=0o640)
    node.run("systemctl", "restart", "corosync.service")
    node.run("systemctl", "start", UNIT)
    run.wait_for("vpnhad answers", lambda: node.run("vpnha", "status", "--json",
                                                    check=False).stdout, START_LIMIT_S)
    before = show(node, "MainPID")
    run.expect("runs", before != "0", is_true())

    run.step("apt-get install of the next version")
    packages.upgrade(run.lab, node, *packages.PRODUCT)
    run.expect("version", packages.version(node, "vpnha"), equals(packages.NEXT_VERSION))
    run.expect("process_after_the_upgrade", show(node, "MainPID"), equals(before))

    run.step("apt-get purge")
    packages.apt(node, "purge", *packages.PRODUCT)
    run.expect("unit_after_the_purge", show(node, "ActiveState"), equals("inactive"))
    run.expect("left", left(node), is_empty())
    run.expect("left_of_the_administrator", node.read(CONFIG_FILE) is not None, is_true())


def show(node: Node, name: str) -> str:
    return node.run("systemctl", "show", "--value", "--property", name, UNIT).stdout.strip()


def left(node: Node) -> list[str]:
    found = node.run("find", "/", "-xdev", "-name", "*vpnha*", "-not", "-path", "/etc/vpnha*")
    return [path for path in found.stdout.splitlines() if not path.startswith(NOT_OURS)]
