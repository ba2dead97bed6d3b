# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of the tree: their files and unit tests. Their scenarios lie in a folder each.

`./check --area` runs the tests and scenarios of one area. `lab/lab sweep` runs the scenarios of an
area again after a change of its files. This module imports nothing that runs a lab, so both can
use it.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .. import scenarios

# The promises that hold the product together, in about 15 minutes; ./check --all runs the rest too.
# The drill that follows them injects killed daemons, demotions, a Corosync that stands still.
PLAIN_SCENARIOS = ("lab-faults", "l2tp-stock", "ipsec-stock", "kernel-adapters", "ocf-agents",
                   "l2tp-power-cut", "plain-knet-refused", "partition-isolate-promoted",
                   "fenced-node-returns", "l2tp-ipsec-power-cut", "ikev2-power-cut",
                   "pptp-power-cut", "promote-while-incomplete")
# Those of them that there is time for where nodes are emulated: each takes three times as long.
SLOW_HOST_SCENARIOS = ("lab-faults", "l2tp-stock", "kernel-adapters", "plain-knet-refused",
                       "l2tp-power-cut", "pptp-power-cut")
# By name, the folder below lab/scenarios that it lies in.
FOLDERS = {name: scenarios.folder(path) for name, path in scenarios.files().items()}
# The same fault again and again each, for docs/explain/performance.md (tests/bench/run --only
# takeovers and --only standing_in): half an hour and more. They are in no area.
MEASURE = "measure"
MEASUREMENTS = tuple(name for name, folder in FOLDERS.items() if folder == MEASURE)


@dataclass(frozen=True)
class Area:
    """A part of the tree. Its scenarios lie in lab/scenarios/NAME/, and so does a new one; `also`:
    those of other areas that it has too. `checked`: those that `./check --area` runs, if not all;
    the sweep and --all run the others as well. `tests`: the programs of its unit tests. `paths`:
    its files, each the beginning of a path. `pytest`: its directories of Python tests."""

    tests: tuple[str, ...]
    checked: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    simulated: bool = False
    packages: bool = False
    pytest: tuple[str, ...] = ()


def _below(directory: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{directory}/{name}" for name in names)


def _src(*names: str) -> tuple[str, ...]:
    return _below("libvpnha/src", *names)


def _host(*names: str) -> tuple[str, ...]:
    return _src(*(f"host/{name}" for name in names))


def _daemon(*names: str) -> tuple[str, ...]:
    return _src(*(f"daemon/{name}" for name in names))


def _product(*names: str) -> tuple[str, ...]:
    return _below("lab/vpnlab/product", *names)


def _steps(*names: str) -> tuple[str, ...]:
    return _below("lab/vpnlab/steps", *names)


def _node(*names: str) -> tuple[str, ...]:
    return _below("lab/node", *names)


# Each source that can change a verdict is in one area at least: in the one whose scenarios notice a
# mistake in it first. A test checks that. Files that everything uses (base/, replica/, node/) are
# not in all areas: every change would then be a change of every area.
AREAS = {
    "lease": Area(
        ("gateway", "lease", "node", "witness"),
        checked=("quorum-lost", "lease-answers-lost", "cluster-grows", "two-nodes"),
        paths=(*_src("cluster/gateway/", "cluster/lease/", "cluster/node/", "cluster/takeover/",
                     "ports/lease", "ports/machine"),
               *_host("lease/", "os/state_", "os/boot_", "os/linux_machine"),
               *_host("pacemaker/"),
               *_daemon("fencing", "checks/quorum_mode", "checks/clock_rate", "witness_key"),
               "stonith/", "witness/",
               *_steps("disk.py", "fenced.py", "pairs/two_nodes.py", "voters.py"),
               *_node("stalling_fs.py")),
        simulated=True),
    "standing-in": Area(
        ("gateway", "lease", "takeover", "node"),
        also=("l2tp-power-cut", "l2tp-power-cut-dc"),
        paths=(*_src("cluster/gateway/", "cluster/lease/", "cluster/node/", "cluster/takeover/"),
               *_daemon("fencing"),
               *_steps("stand_in.py", "stand_in_rounds.py", "takeovers.py"),
               *_node("clock_rate.py")),
        simulated=True),
    "witness": Area(
        ("lease", "node", "node_witness"),
        paths=(*_src("cluster/lease/"), "witness/", *_host("lease/"), *_product("witness.py"),
               *_steps("pairs/"), *_node("hostile/lying_witness.py")),
        simulated=True),
    "gate": Area(
        ("kernel_adapters", "daemon"),
        checked=("kernel-adapters", "third-device", "gate-removed", "foreign-qdisc",
                 "layouts-of-users", "l2tp-other-port"),
        also=("freeze-promoted", "kernel-adapters"),
        paths=(*_src("ports/gate", "ports/network", "ports/neighbours"),
               *_host("gate/", "netlink/", "addresses/"),
               *_daemon("barred", "devices", "routing_watch", "stack", "views/gate_view"),
               *_steps("silence.py"))),
    "kernels": Area(
        ("kernel_adapters",),
        paths=(*_src("protocols/l2tp/backend/", "protocols/ipsec/backend/xfrm_"),
               *_host("netlink/"),
               "tests/kernel/", "lab/kernel/", "lab/vpnlab/host/kernel.py",
               *_product("kernel_tests.py"))),
    "agents": Area(
        ("announce_adapters", "keep_vpnhad", "ocf", "probe", "process_adapters", "stock_daemons",
         "vip_adapters", "link_adapters"),
        checked=("ocf-agents", "daemon-killed", "daemon-hangs", "two-standbys-killed",
                 "config-differs", "pppd-link"),
        paths=("agents/", "daemon/", "probe/",
               *_src("ocf/", "ports/services", "protocols/gateway_services",
                     "protocols/ipsec/service/", "protocols/l2tp/service/",
                     "protocols/ppp/service/", "protocols/pptp/service/"),
               *_host("CMakeLists.txt", "control/", "os/", "services/", "systemd/", "vip/"),
               *_daemon("CMakeLists.txt", "checks/", "daemon", "executor", "gateway_settings",
                        "order_event", "origin", "preparation", "requests", "setup_",
                        "stock_services", "views/"),
               "tests/next/frail.cpp", *_product("lines.py", "sites/", "systemd.py",
                                                 "vpnha_stack.py"),
               *_steps("frail.py", "links.py", "promoted/__init__.py", "promoted/dead_service.py",
                       "promoted/fault.py", "promoted/probe_login.py"),
               *_node("frames.py", "hold_control.py"))),
    "sessions": Area(
        ("l2tp", "ppp", "ppp_adapters", "protocol_keepers", "replica", "wire", "takeover", "node"),
        checked=("l2tp-stock", "l2tp-control", "l2tp-power-cut", "l2tp-second-client",
                 "l2tp-session-end", "ikev2-session-end", "pptp-session-end"),
        paths=(*_src("base/", "cluster/CMakeLists.txt", "cluster/effects/", "cluster/gateway/",
                     "cluster/node/", "cluster/replica/", "cluster/takeover/", "cluster/wire/",
                     "protocols/CMakeLists.txt", "protocols/families", "protocols/keeper",
                     "protocols/margin", "protocols/l2tp/", "protocols/ppp/",
                     "services/CMakeLists.txt", "services/proxies/"),
               *_daemon("backends"),
               "pppd-plugin/",
               "libvpnha/CMakeLists.txt",
               *_product("__init__.py", "client.py", "dialler.py", "l2tp_", "probes.py",
                         "watch.py"),
               *_steps("live.py", "lossless.py", "promise.py", "promoted/power_cut.py", "rivals/",
                       "sessions/", "todays_stack.py"),
               *_node("bulk.py", "echo_server.py", "numbered.py", "probes/__init__.py",
                      "probes/ping_probe.py", "tcp_stream.py", "watch.py")),
        simulated=True),
    "ipsec": Area(
        ("ipsec", "ipsec_adapters", "protocol_keepers", "stock_daemons", "config",
         "kernel_adapters", "secret_adapters"),
        checked=("ipsec-stock", "ipsec-control", "ipsec-ha-pair", "l2tp-ipsec-power-cut",
                 "ikev2-power-cut", "ikev2-kinds-power-cut", "ipsec-three-failovers",
                 "ipsec-two-gateways", "ipsec-no-cleartext", "ipsec-charon-crash",
                 "ipsec-standby-restart", "ipsec-planned-move", "planned-move-lossless-ipsec",
                 "ipsec-partition",
                 "ipsec-mobike", "ipsec-lost-child", "ipsec-nat-two-clients", "ipsec-nat-rebinds",
                 "ipsec-inflight-rekey", "ipsec-freeze", "ipsec-rekey-storm"),
        paths=(*_src("protocols/ipsec/"), *_host("secrets/"), "agents/strongswan",
               # Two gateways with IPsec are parted by it.
               "cli/rebalance/", *_daemon("stack"),
               *_product("charon.py", "ike_crowd.py", "ipsec_", "network_namespace.py", "pki.py",
                         "sites/one_name.py"),
               *_steps("ipsec/"),
               *_node("hostile/forger.py", "ike_crowd.py", "syslog.py"))),
    "clients": Area(
        ("config", "ipsec"),
        paths=("lab/clients.toml", "docs/reference/swanctl.conf.example", *_product("clients/"),
               *_steps("clients/"), *_node("players/")),
        pytest=("lab/tests",)),
    "pptp": Area(
        ("pptp", "mppe", "protocol_keepers", "pptp_adapters", "pptp_path", "stock_daemons",
         "kernel_adapters"),
        paths=(*_src("protocols/pptp/"), *_host("helper/", "sockets/"), "agents/pptp",
               "agents/start_pptpd", "pppd-plugin/pptp_call", *_product("pptp"),
               *_steps("pptp_live.py"), "lab/preload/no_acks.c",
               *_node("hostile/forged_pptp.py", "sockets_of.py"))),
    "wireguard": Area(
        ("wireguard", "wireguard_adapters", "wireguard_keeper"),
        paths=(*_src("protocols/wireguard/"), *_product("wireguard/"),
               *_steps("wireguard/"))),
    "life": Area(
        ("protocol_keepers", "service_keepers", "service_adapters", "node", "pppd_plugin",
         "radius_adapters"),
        paths=(*_src("protocols/l2tp/backend/call_", "protocols/l2tp/backend/pppol2tp_calls",
                     "protocols/l2tp/keeper/calls", "protocols/l2tp/keeper/new_calls",
                     "protocols/l2tp/model/tunnel_calls", "protocols/l2tp/service/xl2tpd_lns",
                     "protocols/ppp/backend/", "protocols/ppp/keeper/timeouts",
                     "protocols/ppp/model/timeouts", "services/accounting/", "services/addresses/",
                     "services/bandwidth/", "services/drain/", "services/proxies/backend/",
                     "services/scripts/"),
               *_daemon("admission", "authorization"), "pppd-plugin/",
               *_product("crowd.py", "radius"),
               *_steps("accounts.py", "mixed/floods.py", "sessions/"),
               *_node("datagrams.py", "hostile/flood.py", "hostile/forged_l2tp.py", "l2tp_peers.py",
                      "probes/ping_through.py", "pushed.py", "session_crowd.py"))),
    "flows": Area(
        ("flows", "conntrack_adapters", "service_keepers", "service_adapters"),
        checked=("nat-tcp", "conntrack-join"),
        paths=(*_src("services/flows/"), "nftables/",
               "lab/vpnlab/traffic/", *_product("ruleset.py"),
               *_node("flows.py", "ftp.py", "hostile/dialled_in.py", "name_", "ruleset_watch.py",
                      "streams.py")),
        simulated=True),
    "cluster": Area(
        ("corosync_adapters", "file_adapters", "takeover", "daemon"),
        checked=("partition-isolate-promoted", "plain-knet-refused", "node-joins",
                 "cluster-link-down", "corosync-killed", "pacemaker-gone"),
        paths=(*_host("corosync/"), *_daemon("checks/cluster_links", "encryption", "pacemaker/"),
               "cib-templates/", "lab/cluster/", *_product("cluster.py"),
               *_steps("membership.py", "partition.py")),
        pytest=("tests/cib",)),
    "rollout": Area(
        ("checkpoint", "checkpoint_library", "cli", "exporter", "keep_vpnhad", "node", "ocf"),
        paths=("ansible/", "cib-templates/", "cli/", "cmake/", "CMakeLists.txt",
               "CMakePresets.json", "debian/", "docs/use/install-by-hand.md", "exporter/",
               "libvpnha/examples/", "libvpnha/include/", "libvpnha/libvpnha.",
               "libvpnha/vpnha-config.cmake", "monitoring/", "setup/",
               *_src("checkpoint/", "config/", "protocols/configuration", "protocols/tables",
                     "tuning/"),
               *_daemon("checkpoint/", "views/"), "tests/next/", "lab/vpnlab/rollout/",
               "tests/rollout/", "lab/vpnlab/host/debian.py", "lab/vpnlab/host/release.py",
               "lab/vpnlab/host/roots.py",
               *_product("session_table.py", "systemd.py"),
               *_steps("drained.py", "rollout.py"), *_node("table_client.py")),
        packages=True, pytest=("tests/cib", "tests/rollout")),
    "operate": Area(
        ("cli", "drill"),
        checked=("drill-switchover", "drill-daemon", "operate"),
        paths=("cli/drill/", "cli/looks/", "cli/page/", "cli/session/", "docs/reference/schemas/",
               "exporter/", "monitoring/",
               *_product("monitoring/"), *_steps("drilled.py", "operated.py"),
               *_node("readers/"))),
    "echo": Area(
        ("protocol_keepers", "node", "daemon", "echo"),
        paths=("examples/echo/", *_src("cluster/effects/protocol_work", "protocols/backend",
                                       "protocols/families", "protocols/gateway_services",
                                       "protocols/keeper", "protocols/list", "protocols/tables"),
               *_steps("echo.py"))),
    "lab": Area(
        (),
        also=("l2tp-stock",),
        paths=("lab/lab", "lab/emulated/", "lab/power/", "lab/result.schema.json",
               "lab/vpnlab/__init__.py", "lab/vpnlab/cli.py", "lab/vpnlab/evidence/",
               "lab/vpnlab/history/",
               "lab/vpnlab/host/", "lab/vpnlab/scenarios.py",
               *_steps("__init__.py", "drill.py", "mixed/", "run.py", "scenario.py", "soak.py"),
               *_node("__init__.py", "agent.py", "hostile/__init__.py", "init.py", "syslog.py")),
        pytest=("lab/tests",)),
}


def scenarios_of(area: str) -> list[str]:
    """By name."""
    return [name for name, folder in FOLDERS.items()
            if folder == area or name in AREAS[area].also]


def checked_by(area: str) -> Sequence[str]:
    return AREAS[area].checked or scenarios_of(area)


def areas_of(scenario: str) -> list[str]:
    """The areas of a scenario, in the order of the table."""
    return [name for name, area in AREAS.items()
            if name == FOLDERS.get(scenario) or scenario in area.also]


def areas_changed(paths: Iterable[str]) -> set[str]:
    """The areas that have one of these files."""
    listed = list(paths)
    return {name for name, area in AREAS.items()
            if any(path.startswith(area.paths) for path in listed)}
