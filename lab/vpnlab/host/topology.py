# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's networks, nodes and addresses, as data.

                outside 192.0.2.0/24                inside 198.51.100.0/24
    client1 .51 ──┐   VIP .100                         VIP .100   ┌── server .21
    client2 .52 ──┼────────────┬── gw1 .11 ──┬────────────────────┤
    client3 .53 ──┤            ├── gw2 .12 ──┤                    │
    client4 .54 ──┤            └── gw3 .13 ──┘                    │
    cluster0 10.77.1.0/24, cluster1 10.77.2.0/24: gateways only, also gw4 (.14) and gw5 (.15),
    which boot only where they are asked for
    wit1 .31, outside and inside: no node of the cluster; a witness, where a scenario wants one
    management 10.77.9.0/24: every node .ID, the lab's own side .254
"""
from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from .errors import NotFound

AGENT_PORT = 7001
FRESH_MEMORY_MB = 1024
MANAGEMENT_HOST = "10.77.9.254"


@dataclasses.dataclass(frozen=True)
class VpnGateway:
    """What fails over together: addresses, and the sessions that came in by them. All its clients
    and its end of every PPP link are in one /16, `net` is the first half of it."""

    name: str
    id: int
    vip_outside: str
    vip_inside: str
    net: str
    # Where a scenario wants IPv6.
    vip6_outside: str
    vip6_inside: str
    net6: str
    # That clients of L2TP dial.
    l2tp_port: int = 1701
    # Its network namespace on the nodes; empty: the host's.
    netns: str = ""

    @property
    def vips(self) -> tuple[str, ...]:
        return self.vip_outside, self.vip_inside, self.vip6_outside, self.vip6_inside

    @property
    def addresses(self) -> str:
        return f"{self.net}.0.0/16"

    @property
    def ppp_local(self) -> str:
        return f"{self.net}.0.1"

    def pool(self, node: NodeSpec) -> tuple[str, str]:
        """First and last address that this node hands out to the gateway's clients."""
        return f"{self.net}.{node.id}.10", f"{self.net}.{node.id}.250"

    @property
    def virtual_pool(self) -> str:
        """What all nodes together hand out as virtual IPs of IKE: outside of what pppd has."""
        return f"{self.net}.64.0/20"

    @property
    def virtual_pool6(self) -> str:
        """The same of IPv6, where a scenario wants it."""
        return f"{self.net6.partition('::')[0]}:64::/112"

    @property
    def announced_pool(self) -> str:
        """Of sessions that a program announces in the place of pppds: no xl2tpd hands it out."""
        return f"{self.net}.128.0/17"


L2TP = VpnGateway("l2tp", 1, "192.0.2.100", "198.51.100.100", "10.200",
                  "2001:db8:1::100", "2001:db8:2::100", "2001:db8:200::/48")
L2TP_2 = VpnGateway("l2tp2", 2, "192.0.2.101", "198.51.100.101", "10.201",
                    "2001:db8:1::101", "2001:db8:2::101", "2001:db8:201::/48")
VPN_GATEWAYS = (L2TP, L2TP_2, *(
    VpnGateway(f"l2tp{number}", number, f"192.0.2.{99 + number}", f"198.51.100.{99 + number}",
               f"10.{199 + number}", f"2001:db8:1::{99 + number}", f"2001:db8:2::{99 + number}",
               f"2001:db8:{199 + number}::/48") for number in (3, 4, 5)))
# A second one with IPsec, and three.
L2TP_APART = dataclasses.replace(L2TP_2, netns="apart")
IPSEC_GATEWAYS = (L2TP, L2TP_APART, dataclasses.replace(VPN_GATEWAYS[2], netns="third"))
# Of the one that most scenarios have.
VIP_OUTSIDE = L2TP.vip_outside
VIP_INSIDE = L2TP.vip_inside


@dataclasses.dataclass(frozen=True)
class Network:
    """One bridge of the lab. `link` is the interface's name in the nodes and part of the
    TAP's name, which may have 15 characters."""

    name: str
    number: int
    prefix: str
    link: str
    gateway_offset: int = 0


NETWORKS = {network.name: network for network in (
    Network("cluster0", 1, "10.77.1.0/24", "cluster0"),
    Network("cluster1", 2, "10.77.2.0/24", "cluster1"),
    Network("outside", 3, "192.0.2.0/24", "outside", gateway_offset=10),
    Network("inside", 4, "198.51.100.0/24", "inside", gateway_offset=10),
    Network("home", 5, "192.168.55.0/24", "home"),
    Network("management", 9, "10.77.9.0/24", "mgmt"),
)}


# Of these networks, where a scenario wants IPv6.
PREFIXES6 = {"outside": "2001:db8:1::/64", "inside": "2001:db8:2::/64"}


@dataclasses.dataclass(frozen=True)
class NodeSpec:
    """One node: its id is the last byte of its addresses (gateways: 10 + id where clients and
    servers are)."""

    name: str
    id: int
    role: str
    networks: tuple[str, ...]
    memory_mb: int
    sysctls: tuple[tuple[str, str], ...] = ()
    routes: tuple[str, ...] = ()
    # Of a kernel that has them; a user-mode kernel has all built in.
    modules: tuple[str, ...] = ()

    @property
    def is_gateway(self) -> bool:
        return self.role == "gateway"

    @property
    def access(self) -> str:
        """The network by which a client reaches the gateways."""
        return self.networks[0]

    @property
    def access_address(self) -> str:
        """Its own address there."""
        return self.address(self.access)

    @property
    def public_address(self) -> str:
        """What the gateways see a client as."""
        if self.access == "home":
            return NODES[NAT].address("outside")
        return self.access_address

    def address(self, network: str) -> str:
        """The node's own address in the network."""
        if network not in self.networks:
            raise NotFound(f"{self.name} has no link to {network}")
        net = NETWORKS[network]
        offset = net.gateway_offset if self.is_gateway else 0
        return str(ipaddress.ip_network(net.prefix)[self.id + offset])

    def address6(self, network: str) -> str:
        """The same with IPv6, where a scenario wants it."""
        prefix = PREFIXES6[network].partition("::")[0]
        return f"{prefix}::{self.address(network).rpartition('.')[2]}"

    def mac(self, network: str, apart: int = 0) -> str:
        """Locally administered, from the node and the network, so the same in every lab. `apart`:
        of the device of that name in the network namespace of the gateway with this id."""
        return f"02:00:00:{apart:02x}:{NETWORKS[network].number:02x}:{self.id:02x}"

    def macs(self, network: str) -> tuple[str, ...]:
        """Of all that it may send there."""
        return tuple(self.mac(network, gateway.id if gateway.netns else 0)
                     for gateway in IPSEC_GATEWAYS)

    def tap(self, network: str) -> str:
        """Name of the host's side of the link, inside the lab's namespace."""
        return f"{self.name}-{NETWORKS[network].link}"


def sysctls_of(file: Path) -> tuple[tuple[str, str], ...]:
    """What a file of /etc/sysctl.d sets."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and line[0] not in "#;")
    settings = ((key.strip(), value.strip()) for key, _, value in pairs)
    # What it sets of each device is the kernel's own value in the lab.
    return tuple((key, value) for key, value in settings if "*" not in key)


def modules_of(file: Path) -> tuple[str, ...]:
    """What a file of /etc/modules-load.d loads."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and line[0] not in "#;")


# What a gateway wants of its node, as an administrator would set it.
_SETTINGS = Path(__file__).resolve().parents[3] / "nftables"
SYSCTL_CONF = _SETTINGS / "vpnha-sysctl.conf"
_GATEWAY_SYSCTLS = sysctls_of(SYSCTL_CONF)
# And a watchdog for sbd. The rest is what sessions load: an emulated node stands still meanwhile,
# for longer than its lease lasts.
_GATEWAY_MODULES = (*modules_of(_SETTINGS / "vpnha-modules.conf"), "softdog",
                    "esp4", "esp6", "xfrm_user", "authenc", "echainiv", "cbc", "ctr", "gcm",
                    "l2tp_ppp", "pptp", "ppp_mppe", "wireguard",
                    "sch_ingress", "sch_plug", "cls_bpf",
                    "nft_ct", "nft_nat", "nft_masq", "nft_limit", "nft_connlimit")
_ALL = ("cluster0", "cluster1", "outside", "inside", "management")
_CLIENT = ("outside", "management")
_HOME = ("home", "management")
# The machine that votes for two gateways.
WITNESS = "wit1"
# The node between home and outside.
NAT = "nat1"
_BY_NAT = (f"{NETWORKS['outside'].prefix} via 192.168.55.61",)


def _gateway(name: str, number: int) -> NodeSpec:
    return NodeSpec(name, number, "gateway", _ALL, 512, _GATEWAY_SYSCTLS, modules=_GATEWAY_MODULES)


NODES = {node.name: node for node in (
    _gateway("gw1", 1),
    _gateway("gw2", 2),
    _gateway("gw3", 3),
    NodeSpec("client1", 51, "client", _CLIENT, 256),
    NodeSpec("client2", 52, "client", _CLIENT, 256),
    NodeSpec("server", 21, "server", ("inside", "management"), 256,
             routes=tuple(f"{each.addresses} via {each.vip_inside}" for each in VPN_GATEWAYS)),
    NodeSpec("client3", 53, "client", _CLIENT, 256),
    _gateway("gw4", 4),
    _gateway("gw5", 5),
    NodeSpec(NAT, 61, "nat", ("outside", "home", "management"), 128,
             (("net.ipv4.ip_forward", "1"),)),
    NodeSpec(WITNESS, 31, "witness", ("inside", "outside", "management"), 128),
    NodeSpec("home1", 71, "client", _HOME, 256, routes=_BY_NAT),
    NodeSpec("home2", 72, "client", _HOME, 256, routes=_BY_NAT),
    NodeSpec("client4", 54, "client", _CLIENT, 256),
)}
DEFAULT_NODES = ("gw1", "gw2", "gw3", "client1", "server")


def node_spec(name: str, memory_mb: Mapping[str, int] = MappingProxyType({})) -> NodeSpec:
    """`memory_mb`: of the nodes of a role, in place of what is usual."""
    if name not in NODES:
        raise NotFound(f"no node {name!r}; there are {', '.join(NODES)}")
    spec = NODES[name]
    return dataclasses.replace(spec, memory_mb=memory_mb.get(spec.role, spec.memory_mb))


def hosts_file() -> str:
    """/etc/hosts of every node. A gateway's name is its first cluster address, which is what
    its cluster software must resolve it to; others have one address besides management."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    for node in NODES.values():
        lines.append(f"{node.address(node.networks[0])} {node.name}")
        lines += [f"{node.address(name)} {node.name}-{NETWORKS[name].link}"
                  for name in node.networks]
    lines.append(f"{VIP_OUTSIDE} vip-outside")
    lines.append(f"{VIP_INSIDE} vip-inside")
    return "\n".join(lines) + "\n"


@dataclasses.dataclass(frozen=True)
class NodeRoot:
    """What a node has in place of the host's root: a directory of the host, and others that it sees
    by where. `fresh`: it is as it was installed. systemd is its first process, and it has no
    settings of the lab but its links."""

    directory: str = ""
    mounts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fresh: bool = False


HOST_ROOT = NodeRoot()


def boot_config(node: NodeSpec, token: str, stage: str, log_directory: str,
                disk_directory: str, root: NodeRoot = HOST_ROOT) -> dict:
    """What the node's init reads."""
    links = [{"name": NETWORKS[name].link, "mac": node.mac(name),
              "address": f"{node.address(name)}/"
                         f"{ipaddress.ip_network(NETWORKS[name].prefix).prefixlen}"}
             for name in node.networks]
    return {"name": node.name, "links": links, "routes": list(node.routes),
            "sysctls": {} if root.fresh else dict(node.sysctls), "root": root.directory,
            "fresh": root.fresh, "mounts": dict(root.mounts), "hosts": hosts_file(), "stage": stage,
            "modules": [] if root.fresh else list(node.modules), "shares": {},
            "log_directory": log_directory, "disk_directory": disk_directory,
            "agent_address": node.address("management"), "agent_port": AGENT_PORT, "token": token}


def memory_of(node: NodeSpec, fresh: bool) -> int:
    """In MB. `fresh`: it will have packages to install in its root, which is memory."""
    return max(node.memory_mb, FRESH_MEMORY_MB) if fresh else node.memory_mb


def kernel_arguments(node: NodeSpec, kernel: str, init: str, config: str, umid: str,
                     uml_dir: str, fresh: bool = False) -> list[str]:
    """Command line of a user-mode kernel. The root is the host's, read only: what a node
    writes goes to its overlay. `fresh`: it will have packages to install there."""
    vectors = [f"vec{index}:transport=tap,ifname={node.tap(name)},mac={node.mac(name)},"
               "depth=128,gro=1" for index, name in enumerate(node.networks)]
    return [kernel, f"mem={memory_of(node, fresh)}M", "root=/dev/root", "rootfstype=hostfs",
            "rootflags=/", "ro", "con=null", "con0=fd:0,fd:1", "quiet", f"umid={umid}",
            f"uml_dir={uml_dir}", *vectors, f"init={init}", f"VPNHA_NODE={config}"]
