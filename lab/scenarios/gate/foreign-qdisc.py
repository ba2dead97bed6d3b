# SPDX-License-Identifier: GPL-2.0-or-later
"""A device that is no gateway's has an ingress qdisc, where the gate needs clsact; all nodes serve.

Purpose: containers and hypervisors limit the bandwidth of a veth or a tap so. The gate cannot stand
there; a device that carries nothing of a gateway is no reason for a failover.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; on each gateway a veth pair.

Steps: before the cluster starts, each gateway gets a veth with an ingress qdisc and a police
filter. client1 dials and makes traffic. On the promoted node another such veth is a port of a
bridge, and leaves it. A standby sends from the PPP address by its veth, and then from the veth's
own address. Somebody flushes all nftables rules of the promoted node.

Expected: the node is promoted and the session is protected, with such a device on all nodes.
`vpnha status --check` exits with 1 and names them, the port as well; `vpnha doctor` names
them. No gap is longer than 50 ms, or twice the longest of a fault-free time, and nobody else is
promoted. The devices are barred, within a second of the flush as well. Nothing that the standby
sends from the PPP address leaves.
"""
from vpnlab.evidence.expectation import equals, is_empty, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.steps.live import Live, expect_unnoticed_act
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=0, vpnha=True)
ROUTED, PORT, BRIDGE = "ve8", "ve7", "br7"
OWN, FAR, FAR_MAC = "172.20.8.1", "172.20.8.9", "02:00:00:00:08:09"
BARRED = "event=device-barred"
# A gate or an address that the kernel refuses is tried again each second.
BARRED_LIMIT_S = 5
WARNING = 1
PINGS = 3


def steps(run: Run) -> None:
    run.step(f"{ROUTED} of each gateway has an ingress qdisc")
    for node in run.lab.gateways:
        add_pair(node, ROUTED)
        limit(node, ROUTED)
        node.run("ip", "address", "add", f"{OWN}/24", "dev", ROUTED)
        node.run("ip", "neighbour", "add", FAR, "lladdr", FAR_MAC, "dev", ROUTED)

    def leave_bridge(live: Live) -> None:
        for node in run.lab.gateways:
            run.expect(f"barred_on_{node.name}", barred(live, node), equals([ROUTED]))
            run.expect(f"named_by_{node.name}", named_by_check(node, ROUTED), is_true())
            run.expect(f"config_check_of_{node.name}_names_it",
                       ROUTED in node.run("vpnha", "doctor", check=False).stdout,
                       is_true())
        let_port_leave(run, live)
        speak_on_standby(run, live)
        run.step(f"all nftables rules of {live.active.name} are flushed")
        live.active.run("nft", "flush", "ruleset")
        wait_barred(run, live)
        run.expect("ends", [node.name for node in run.lab.gateways
                            if "event=ended" in live.stack.daemon_log(node)], is_empty())

    expect_unnoticed_act(run, leave_bridge)


def let_port_leave(run: Run, live: Live) -> None:
    """On the node that serves."""
    active = live.active
    run.step(f"{PORT}, a port of {BRIDGE} on {active.name}, gets an ingress qdisc")
    add_pair(active, PORT)
    active.run("ip", "link", "add", BRIDGE, "type", "bridge")
    active.run("ip", "link", "set", PORT, "master", BRIDGE)
    limit(active, PORT)
    run.expect("named_as_a_port", named_by_check(active, f"{PORT} could not"), is_true())
    run.step(f"{PORT} leaves {BRIDGE}")
    active.run("ip", "link", "set", PORT, "nomaster")
    wait_barred(run, live)
    run.expect("named_as_barred", named_by_check(active, f"{PORT} cannot"), is_true())
    run.expect("warnings", live.stack.daemon_log(active).count(BARRED), equals(2))


def speak_on_standby(run: Run, live: Live) -> None:
    """A standby has the PPP address of its hot session."""
    standby = live.standbys[0]
    run.step(f"{standby.name} sends by {ROUTED} from the PPP address, and from its own")
    for name, source, expected in (("from_the_ppp_address", L2TP.ppp_local, 0),
                                   ("from_its_own_address", OWN, PINGS)):
        before = received(standby)
        standby.run("ping", "-n", "-q", "-c", str(PINGS), "-i", "0.2", "-W", "0.2", "-I", source,
                    FAR, check=False)
        run.expect(name, received(standby) - before, equals(expected))


def add_pair(node: Node, device: str) -> None:
    """Without IPv6, so that nobody sends there but who is meant to."""
    other = f"{device}p"
    node.run("ip", "link", "add", device, "type", "veth", "peer", "name", other)
    for each in (device, other):
        node.put(f"/proc/sys/net/ipv6/conf/{each}/disable_ipv6", "1")
        node.run("ip", "link", "set", each, "up")


def limit(node: Node, device: str) -> None:
    """As a container's runtime does it, which takes off what is there."""
    node.run("tc", "qdisc", "del", "dev", device, "clsact", check=False)
    node.run("tc", "qdisc", "add", "dev", device, "handle", "ffff:", "ingress")
    node.run("tc", "filter", "add", "dev", device, "parent", "ffff:", "protocol", "all", "u32",
             "match", "u32", "0", "0", "police", "rate", "10mbit", "burst", "100k", "drop",
             "flowid", ":1")


def wait_barred(run: Run, live: Live) -> None:
    run.wait_for(f"{PORT} and {ROUTED} of {live.active.name} are barred",
                 lambda: barred(live, live.active) == [PORT, ROUTED], BARRED_LIMIT_S)


def barred(live: Live, node: Node) -> list[str]:
    """Devices that have no gate for outgoing packets, and let none of a gateway's pass."""
    return sorted(device["interface"] for device in live.stack.gate_devices(node)
                  if device["out"] == "barred")


def named_by_check(node: Node, what: str) -> bool:
    done = node.run("vpnha", "status", "--check", check=False)
    return done.code == WARNING and f"device {what}" in done.stdout


def received(node: Node) -> int:
    """Packets that the other end of the veth has received."""
    return int(node.read(f"/sys/class/net/{ROUTED}p/statistics/rx_packets") or 0)
