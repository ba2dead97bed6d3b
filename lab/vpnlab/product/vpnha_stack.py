# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha on the lab's gateways, as a user would set it up: vpnha.toml, xl2tpd and pppd with the
plugin, the resources of cib-templates/l2tp-gateway.crm. The programs themselves come with the
lab's stage directory."""
from __future__ import annotations

import copy
import ipaddress
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..host.errors import LabError
from ..host.lab import Lab
from ..host.node import CommandFailed, Node
from ..host.state import text_of
from ..host.topology import L2TP, NODES, VpnGateway
from . import charon, network_namespace
from .cluster import CIB_FILE, TEMPLATES, Cluster
from .dialler import WIREGUARD
from .ipsec_gateway import Lifetimes, configure_gateway, connections_file
from .l2tp_gateway import (CONFIG, OPTIONS, SECRETS, chap_secrets, l2tp_devices, l2tp_leftovers,
                           lns_config, ppp_options)
from .pptp_gateway import CONFIG as PPTPD_CONFIG
from .pptp_gateway import OPTIONS as PPTPD_OPTIONS
from .pptp_gateway import pptp_leftovers, pptpd_conf, pptpd_options
from .sites import bgp
from .wireguard.stock import configure_gateway as configure_wireguard
from .witness import Witness

GATEWAY = L2TP.name
CONFIG_FILE = "/etc/vpnha/vpnha.toml"
DAEMON = "vpnhad"
DAEMON_PATH = f"/usr/sbin/{DAEMON}"
MEMBERS = re.compile(r"\bevent=members list=([\d,]+)")
# 101 and 109 where standbys stand in.
COMPLETE_SCORE = re.compile(r"promotion score 10[019] ")
DAEMON_LOG = "vpnha/vpnhad.log"
# Of a node that has not served before, and of one that stood in already.
PROMOTED = ("promoted", "stand-in-confirmed")
# Of addresses, where there is a common pool: within a run they are recycled.
HOLD_S = 10
LONGEST_LEASE = 'duration = "500ms"'
# UDP; the default of vpnha.toml.
LEASE_PORT = 5420
EVENTS_LOG = "events.log"
METRICS_FILE = "/run/vpnha.prom"
# Of the witness, in lists of voters.
WITNESS_ID = 0xFFFF0001
# Exit code of `vpnha status` with findings; it has printed its status all the same.
DEGRADED = 6
SYNC_LIMIT_S = 60.0
PROMOTE_LIMIT_S = 60.0


def vpnha_toml(gateways: Sequence[VpnGateway] = (L2TP,), ipv6: bool = False,
               waiting: Collection[VpnGateway] = (), ipsec: bool = False,
               pptp: bool = False, router: str = "", common_pool: str = "",
               resume_scripts: bool = False, tables: Collection[str] = ()) -> str:
    """`waiting`: the gateways whose standbys wait for Pacemaker. `ipsec`: L2TP
    within IPsec only, and IKEv2. `pptp`: in place of L2TP. `router`: by which answers leave
    outside. `common_pool`: L2TP and PPTP, and addresses from there. `resume_scripts`: pppd's
    scripts run for resumed sessions. `tables`: what else each gateway serves, by the defaults."""
    more = [f"\n[gateway.{gateway.name}.{table}]\n" for gateway in gateways for table in tables]
    return "\n".join([*(_gateway_toml(gateway, ipv6, gateway in waiting, ipsec, pptp, router,
                                      common_pool, resume_scripts)
                        for gateway in gateways), *more])


def _gateway_toml(gateway: VpnGateway, ipv6: bool, waiting: bool, ipsec: bool,
                  pptp: bool, router: str, common_pool: str,
                  resume_scripts: bool) -> str:
    # What every node hands out, also one that is added later; the PPP address of the gateway lies
    # outside.
    pools = [*(f"{gateway.net}.{node.id}.0/24" for node in NODES.values() if node.is_gateway),
             gateway.announced_pool]
    # A router out of the VIP's reach comes with a VIP that has no net, as hosters give it.
    net = ipaddress.ip_network(f"{gateway.vip_outside}/24", strict=False)
    length = 24 if not router or ipaddress.ip_address(router) in net else 32
    outside, inside = [f"{gateway.vip_outside}/{length}"], [f"{gateway.vip_inside}/24"]
    if ipv6:
        outside.append(f"{gateway.vip6_outside}/64")
        inside.append(f"{gateway.vip6_inside}/64")
        pools.append(gateway.net6)
    if ipsec:
        pools.append(gateway.virtual_pool)
    pooled = ""
    if common_pool:
        if common_pool != gateway.announced_pool:
            pools.append(common_pool)
        pooled = f"common_pool = {json.dumps([common_pool])}\naddress_hold = \"{HOLD_S}s\"\n"
    port = f"port = {gateway.l2tp_port}\n"
    served = [(name, options, more) for name, options, more, wanted in (
        ("pptp", pptpd_options_file(gateway), "", pptp or common_pool),
        ("l2tp", options_file(gateway), port, not pptp)) if wanted]
    return f"""\
[gateway.{gateway.name}]
id = {gateway.id}
{f'netns = "{gateway.netns}"' if gateway.netns else ""}
{"stand_in = false" if waiting else ""}
resume_scripts = {json.dumps(resume_scripts)}
ppp_local = "{gateway.ppp_local}"
pools = {json.dumps(pools)}
{pooled}
[gateway.{gateway.name}.outside]
interface = "outside"
addresses = {json.dumps(outside)}
default_via = {json.dumps([router] if router else [])}

[gateway.{gateway.name}.inside]
interface = "inside"
addresses = {json.dumps(inside)}

""" + "\n".join(f"""\
[gateway.{gateway.name}.{name}]
{more}ppp_options = "{options}"
""" for name, options, more in served) + (f"""
[gateway.{gateway.name}.ipsec]
required = true
virtual_pools = {json.dumps([gateway.virtual_pool, *([gateway.virtual_pool6] if ipv6 else [])])}
{f"connections = {json.dumps([connections_file(gateway)])}" if gateway.netns else ""}
""" if ipsec else "")


def role_pattern(gateway: VpnGateway) -> re.Pattern[str]:
    """What vpnhad logs of a role of the gateway, and of its own start and end."""
    return re.compile(
        rf"\bevent=(?:({'|'.join(PROMOTED)}|demoted|superseded)\b.*\bgateway={gateway.name}\b"
        r"|(started|ended)\b)")


def _suffix(gateway: VpnGateway) -> str:
    """What distinguishes the files and resources of further gateways."""
    return "" if gateway.name == L2TP.name else f"-{gateway.name}"


def xl2tpd_conf(gateway: VpnGateway) -> str:
    return CONFIG.replace(".conf", f"{_suffix(gateway)}.conf")


def pptpd_conf_file(gateway: VpnGateway) -> str:
    return PPTPD_CONFIG.replace(".conf", f"{_suffix(gateway)}.conf")


def options_file(gateway: VpnGateway) -> str:
    return OPTIONS + _suffix(gateway)


def pptpd_options_file(gateway: VpnGateway) -> str:
    return PPTPD_OPTIONS + _suffix(gateway)


class VpnhaStack:
    """The whole product on a cluster that is up: one or more gateways, of which this object asks
    and moves one. of() has the others."""

    def __init__(self, lab: Lab, cluster: Cluster,
                 gateways: Sequence[VpnGateway] = (L2TP,), fencing: Path | None = None,
                 ipv6: bool = False, waiting: Collection[VpnGateway] = (),
                 ipsec: bool = False, pptp: bool = False, mppe: bool = True,
                 ppp: Sequence[str] = (), router: str = "", common_pool: str = "",
                 lifetimes: Lifetimes = Lifetimes(), mobike: bool = False,
                 resume_scripts: bool = False, witness: Witness | None = None,
                 lease: Sequence[str] = (), probe: str = "", announce: str = "",
                 tables: Collection[str] = (), wireguard: str = "") -> None:
        """`ipv6`: VIPs and pools of both families. `ipsec`: of all gateways, each in a network
        namespace of its own. `pptp`: pptpd in place
        of xl2tpd; `mppe`: it takes nobody without; `ppp`: further options of pppds. `router`: by
        which answers leave outside. `common_pool`: pptpd, also beside xl2tpd, and vpnhad gives
        addresses from there. `lifetimes`: of IPsec. `mobike`: clients of IKEv2 may move.
        `resume_scripts`: pppd's scripts run for resumed sessions. `witness`: votes beside two
        gateways. `lease`: keys of vpnha.toml's section of that name. `probe`: the protocols that
        ocf:vpnha:probe asks for. `announce`: the prefixes of ocf:vpnha:announce. `tables`: of
        vpnha.toml, of protocols that a program has besides the library's. `wireguard`: the file of
        peers of a gateway that serves WireGuard as well.
        """
        self.cluster = cluster
        self._ipv6 = ipv6
        self._ipsec = ipsec
        self._pptp = pptp
        self._mppe = mppe
        self._ppp = ppp
        self._router = router
        self._common_pool = common_pool
        self._lifetimes = lifetimes
        self._mobike = mobike
        self._resume_scripts = resume_scripts
        self._waiting = waiting
        self.witness = witness
        self._lease = tuple(lease)
        self._probe = probe
        self._announce = announce
        self._tables = (*tables, *(["wireguard"] if wireguard else ()))
        self._wireguard = wireguard
        # Nodes that compute slowly renew a lease of 300 ms too late, again and again.
        if lab.patience > 1 and not any(key.startswith("duration") for key in self._lease):
            self._lease = (LONGEST_LEASE, *self._lease)
        self.gateway = gateways[0]
        self._lab = lab
        self._gateways = tuple(gateways)
        self._fencing = fencing
        if set(gateways) - set(waiting) and (witness is not None or not cluster.is_pair):
            cluster.standbys_stand_in()

    def of(self, gateway: VpnGateway) -> VpnhaStack:
        """The same stack, asked about another of its gateways."""
        other = copy.copy(self)
        other.gateway = gateway
        return other

    @property
    def resource(self) -> str:
        """What runs on each node of the gateway's resource in the cluster."""
        return f"checkpoint{_suffix(self.gateway)}"

    @property
    def clone(self) -> str:
        """The gateway's resource in the cluster."""
        return f"{self.resource}-clone"

    def up(self) -> None:
        """The cluster and vpnha, in sync, with the tuned profile."""
        self.cluster.up()
        self.deploy()
        self.cluster.tune()

    def deploy(self) -> None:
        """Configures all gateways and the cluster; returns when one is promoted and the others
        are in sync."""
        for node in self.cluster.nodes:
            self.configure(node)
        if self.witness is not None:
            self.witness.enrol(self.cluster.nodes[0])
            self.witness.start()
        template = ("l2tp-ipsec-gateway.crm" if self._ipsec else
                    "pptp-gateway.crm" if self._pptp else "l2tp-gateway.crm")
        self.cluster.configure(TEMPLATES / template, *(
            {"GATEWAY": gateway.name, "SUFFIX": _suffix(gateway),
             "XL2TPD_CONFIG": xl2tpd_conf(gateway),
             "SWANCTL_CONFIG": connections_file(gateway),
             "PPTPD_CONFIG": pptpd_conf_file(gateway), "ADDRESS": gateway.vip_outside,
             "OTHER": _suffix(self._gateways[index - 1]),
             "PROTOCOLS": self._probe, "PREFIXES": self._announce,
             "ANNOUNCE": bgp.DEVICE} for index, gateway in enumerate(self._gateways)),
            fencing=self._fencing,
            also=[TEMPLATES / f"{name}.crm" for name, wanted in (
                ("pptp-gateway", self._common_pool and not self._pptp), ("probe", self._probe),
                ("announce", self._announce),
                ("apart", any(each.netns for each in self._gateways)))
                if wanted])
        for gateway in self._gateways:
            self.of(gateway).wait_in_sync()
        if self.witness is not None:
            self.wait_witness_votes()

    def configure(self, node: Node) -> None:
        """The files of one node; also for a node that has just been switched on again."""
        lease = [*self._lease, *(self.witness.lease_keys() if self.witness is not None else ())]
        section = "\n".join(["[lease]", *lease, "", ""]) if lease else ""
        gateways = vpnha_toml(self._gateways, self._ipv6, self._waiting, self._ipsec, self._pptp,
                              self._router, self._common_pool, self._resume_scripts,
                              self._tables)
        node.put(CONFIG_FILE, section + gateways, mode=0o640)
        if self._wireguard:
            configure_wireguard(node, self._wireguard)
        for gateway in self._gateways:
            if gateway.netns:
                network_namespace.make(node, gateway)
            if self._ipsec:
                configure_gateway(node, gateway, lifetimes=self._lifetimes,
                                  mobike=self._mobike, ipv6=self._ipv6)
            options = options_file(gateway)
            plugin = ["plugin vpnha.so", f"vpnha_gateway {gateway.name}"]
            node.put(xl2tpd_conf(gateway), lns_config(node, gateway, options).text())
            node.put(options, ppp_options([*plugin, "noipv6", *self._ppp]))
            if self._pptp or self._common_pool:
                options = pptpd_options_file(gateway)
                node.put(pptpd_conf_file(gateway), pptpd_conf(node, gateway, options))
                node.put(options, pptpd_options([*plugin, *self._ppp],
                                                self._mppe))
        node.put(SECRETS, chap_secrets(), mode=0o600)

    def rejoin(self, name: str) -> None:
        """Power on, files, cluster; returns when the node is a standby in sync."""
        self.join(name)
        self.wait_in_sync()
        self.cluster.tune()

    def join(self, name: str) -> None:
        """The same, but returns when the node is in the cluster."""
        self.cluster.power_on(name)
        self.configure(self._lab.gateway(name))
        self.cluster.join(name)

    def disk(self, node: Node) -> dict[str, bytes]:
        """The files of a node that outlive a power cut and are not configure()'s: the cluster's
        configuration. vpnhad's own are kept by the lab."""
        return {CIB_FILE: node.get(CIB_FILE)}

    def power_on_all(self, disks: Mapping[str, Mapping[str, bytes]]) -> None:
        """Gateways that lost their power, all at once, each with its disk; returns when they are
        online and quorate."""
        nodes = [self._lab.gateway(name) for name in disks]
        with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
            list(pool.map(lambda node: self._lab.power_on(node.name), nodes))
        for node in nodes:
            self.configure(node)
            for path, content in disks[node.name].items():
                node.put(path, content)
        self.cluster.start_together(nodes)

    def avoid(self, names: Iterable[str]) -> None:
        """No promotion on these nodes from now on, on any other as before."""
        node = next(each for each in self.cluster.nodes if each.powered())
        node.run("crm_resource", "--clear", "--promoted", "--resource", self.clone)
        for name in names:
            node.run("crm_resource", "--ban", "--promoted", "--resource", self.clone,
                     "--node", name)

    def order_move(self, node: Node) -> None:
        """What an administrator types to have the node promoted, who then leaves the constraint
        behind; does not wait for anything."""
        node.run("crm_resource", "--move", "--promoted", "--resource", self.clone,
                 "--node", node.name)

    def keep_out(self, node: Node) -> None:
        """Not even a standby on this node; returns when its vpnhad has ended."""
        ended = self.daemon_log(node).count("event=ended")
        node.run("crm_resource", "--ban", "--resource", self.clone, "--node", node.name)
        self._lab.wait_for(f"vpnhad of {node.name} has ended",
                           lambda: self.daemon_log(node).count("event=ended") > ended,
                           SYNC_LIMIT_S)

    def let_in(self, node: Node) -> None:
        """Ends keep_out(), and does not wait for anything."""
        node.run("crm_resource", "--clear", "--resource", self.clone, "--node", node.name)

    def clear_failures(self) -> None:
        """What an administrator does when a failure is understood: its node may serve again at
        once. Returns when all are in sync."""
        node = next(each for each in self.cluster.nodes if each.powered())
        node.run("crm_resource", "--cleanup")
        self.wait_in_sync()

    def move_role(self, wanted: Callable[[str], bool]) -> Node:
        """Sees to it that a node with a wanted name is promoted and all are in sync."""
        active = self.wait_in_sync()
        if not wanted(active.name):
            unwanted = [node.name for node in self.cluster.nodes if not wanted(node.name)]
            # The promoted one last: else Pacemaker may promote one that is to be banned next.
            self.avoid(sorted(unwanted, key=lambda name: name == active.name))
            self._lab.wait_for("the promoted role has moved",
                               lambda: wanted(self.wait_in_sync().name), PROMOTE_LIMIT_S)
            self.avoid([])
            active = self.wait_in_sync()
        return active

    def leftovers(self, node: Node) -> list[str]:
        """Records, tunnels, PPP interfaces, daemons of one session and SAs of sessions that
        ended. A peer of WireGuard is there as long as it is configured."""
        return [*(f"session of {each['user']}" for each in self.sessions(node)
                  if each["protocol"] != WIREGUARD),
                *(pptp_leftovers(node) if self._pptp or self._common_pool else ()),
                *(() if self._pptp else l2tp_leftovers(node)),
                *(charon.sas(node) if self._ipsec else ()),
                *(each for gateway in self._gateways if gateway.netns
                  for each in charon.sas(node, gateway.netns) + l2tp_devices(node, gateway.netns))]

    def node_status(self, node: Node) -> dict:
        """`vpnha status --json` of a node."""
        done = node.run("vpnha", "status", "--json", check=False)
        if done.code not in (0, DEGRADED):
            raise CommandFailed(node.name, done)
        return json.loads(done.stdout)

    def status(self, node: Node) -> dict:
        """The node's own view of the gateway."""
        return next(each for each in self.node_status(node)["gateways"]
                    if each["name"] == self.gateway.name)

    def gate(self, node: Node) -> dict:
        """The gateway in `vpnha gate --json` of a node, whatever the command found."""
        return next(each for each in self._gate_view(node)["gateways"]
                    if each["name"] == self.gateway.name)

    def gate_devices(self, node: Node) -> list[dict]:
        """The node's devices in the same."""
        return self._gate_view(node)["devices"]

    def without_gate(self, node: Node) -> list[str]:
        """Devices that let pass what they should not, and in which direction."""
        return [f"{device['interface']} {direction}" for device in self.gate_devices(node)
                for direction in ("in", "out") if device[direction] != "attached"]

    def _gate_view(self, node: Node) -> dict:
        return json.loads(node.run("vpnha", "gate", "--json", check=False).stdout)

    def metrics(self, node: Node) -> dict[str, float]:
        """The series that `vpnha metrics` of a node writes for node_exporter."""
        node.run("vpnha", "metrics", "--output", METRICS_FILE)
        lines = (node.read(METRICS_FILE) or "").splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {series: float(value) for series, value in pairs}

    def follow_events(self, node: Node) -> None:
        """From now on events() knows what the node's vpnhad reports, also after a power cut."""
        node.start("vpnha", "events", "--follow", "--json", stdout=f"/var/log/{EVENTS_LOG}")

    def events(self, node: Node, word: str) -> list[dict]:
        """Those with that word since follow_events(), and those that vpnhad still had then."""
        # The last line may be half written.
        lines = node.read_log(EVENTS_LOG).splitlines(keepends=True)
        seen = [json.loads(line) for line in lines if line.endswith("\n")]
        return [each for each in seen if each["event"] == word]

    def conntrack(self, node: Node) -> dict:
        """What the node reports of the gateway's flows: how many its replica and its kernel hold,
        and what has happened to them."""
        return self.status(node)["conntrack"]

    def differences(self, node: Node) -> list[dict]:
        """In what other nodes are set up differently, as this one sees it."""
        return self.node_status(node)["differences"]

    def sessions(self, node: Node) -> list[dict]:
        listed = json.loads(node.run("vpnha", "sessions", "--json").stdout)["sessions"]
        return [each for each in listed if each["gateway"] == self.gateway.name]

    def promoted(self) -> Node | None:
        """The node that calls itself promoted; an error when there are two."""
        found = [node for node in self.cluster.nodes
                 if node.powered() and self._role(node) == "promoted"]
        if len(found) > 1:
            raise LabError(f"promoted at once: {', '.join(node.name for node in found)}")
        return found[0] if found else None

    def _role(self, node: Node) -> str:
        try:
            return self.status(node)["role"]
        except CommandFailed:
            return "absent"

    def wait_promoted(self, among: Iterable[str] = (),
                      deadline_s: float = PROMOTE_LIMIT_S) -> Node:
        """Waits until a node, one of the named ones if any are named, is promoted. Reads the
        nodes' logs on the host: asking a node costs its only CPU a process, which is felt in the
        middle of a takeover."""
        names = set(among)

        def ask() -> Node | None:
            return next((node for node in self.cluster.nodes
                         if node.powered() and (not names or node.name in names)
                         and self._logged_role(node) == "promoted"), None)
        return self._lab.wait_for(f"{' or '.join(sorted(names)) or 'a gateway'} is promoted", ask,
                                  deadline_s)

    def _logged_role(self, node: Node) -> str:
        """The role that vpnhad of the node's present boot logged last."""
        roles = role_pattern(self.gateway).findall(self.daemon_log(node))
        role = "".join(roles[-1]) if roles else "absent"
        return "promoted" if role in PROMOTED else role

    def daemon_log(self, node: Node) -> str:
        """What vpnhad of the node's present boot has logged so far, read on the host."""
        return node.read_log(DAEMON_LOG)

    def members(self, node: Node) -> set[int]:
        """The ids of the group's members, as the node's vpnhad logged them last."""
        lists = MEMBERS.findall(self.daemon_log(node))
        return {int(each) for each in lists[-1].split(",")} if lists else set()

    def members_line(self, nodes: Iterable[Node]) -> str:
        """What vpnhad logs when these are the group's members."""
        ids = sorted(node.spec.id for node in nodes)
        return f"event=members list={','.join(map(str, ids))} "

    def promotions(self) -> int:
        """How often a node was promoted so far, in all boots of all nodes."""
        return sum(found[0] in PROMOTED for node in self._lab.gateways
                   for directory in node.log_directories()
                   for found in role_pattern(self.gateway).findall(
                       text_of(directory / DAEMON_LOG)))

    def wait_in_sync(self, deadline_s: float = SYNC_LIMIT_S) -> Node:
        """Waits until one node is promoted and all others that have power are standbys with a
        complete replica; returns the promoted one."""
        def ask() -> Node | None:
            node = self.promoted()
            if node is None:
                return None
            others = [each for each in self.cluster.nodes if each.powered() and each is not node]
            ready = set(self.status(node)["standbys"]) >= {each.spec.id for each in others}
            return node if ready and all(self.status(each)["role"] == "unpromoted"
                                         and self.status(each)["replica"] == "complete"
                                         for each in others) else None
        return self._lab.wait_for("one gateway is promoted, all others are in sync", ask,
                                  deadline_s, interval_s=0.2)

    def votes(self, node: Node) -> bool:
        """The node's list of voters has the witness."""
        return WITNESS_ID in self.status(node)["lease"]["voters"]

    def wait_witness_votes(self, deadline_s: float = SYNC_LIMIT_S) -> None:
        """Waits until all nodes that have power count the witness among the voters."""
        self._lab.wait_for("the witness is one of the voters", lambda: all(
            self.votes(node) for node in self.cluster.nodes if node.powered()), deadline_s,
            interval_s=0.2)

    def wait_complete(self, node: Node, deadline_s: float = SYNC_LIMIT_S) -> None:
        """Waits until a node that joins has written the score of a complete replica. Read from its
        log: nobody that serves is asked."""
        self._lab.wait_for(f"{node.name} has a complete replica",
                           lambda: COMPLETE_SCORE.search(self.daemon_log(node)) is not None,
                           deadline_s)

    def session_names(self, node: Node) -> list[str]:
        """The L2TP sessions that a node holds, by what makes each of them unique."""
        return sorted(f"{each['peer']} {each['tunnel']}/{each['session']} {each['address']}"
                      for each in self.sessions(node) if each["protocol"] == "l2tp")

    def wait_protected(self, count: int, deadline_s: float = 10.0,
                       standbys: Iterable[Node] | None = None) -> None:
        """Waits until so many sessions are protected at the promoted node and hot at every other
        one, or at those named."""
        def ask() -> bool:
            node = self.promoted()
            if node is None or self._count(node, lambda state: state in (
                    "protected", "resumed")) != count:
                return False
            others = [each for each in self.cluster.nodes
                      if each.powered() and each is not node] if standbys is None else standbys
            return all(self._count(each, lambda state: state == "hot") == count
                       for each in others)
        self._lab.wait_for(f"{count} sessions are protected and hot", ask, deadline_s,
                           interval_s=0.1)

    def _count(self, node: Node, wanted: Callable[[str], bool]) -> int:
        """Of a client of L2TP/IPsec its session of L2TP counts, and its IKE SA has to be as well
        off."""
        sessions = self.sessions(node)
        carriers = [each for each in sessions if each["protocol"] in ("ikev1", "l2tp-ipsec")]
        if not all(wanted(each["state"]) for each in carriers):
            return 0
        return sum(wanted(each["state"]) for each in sessions if each not in carriers)
