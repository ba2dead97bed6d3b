# SPDX-License-Identifier: GPL-2.0-or-later
"""How long an address of a gateway does not answer after the power cut of its node, by the length
of the lease: nodes with Corosync and vpnhad on this host's kernel, where no user-mode kernel
decides how late a loop is. Nobody dials: the kernel of this host needs no PPP. Pacemaker does not
run; the agent is called by hand, and a standby that stands in does not wait for it. Beside them
keepalived in the same nodes, which has no quorum."""
from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import time
from pathlib import Path

from vpnlab.host.stage import ROOT, install_stage
from vpnlab.traffic.names import longest_silence_ms

from .address import ADDRESS, ANSWER_LIMIT_S, CLIENT, DEVICE, PORT, PREFIX, Client, observe, wait
from .rig import SETUP, Node, Rig, RigError

NODES = 3
READY_LIMIT_S = 60.0
GATEWAY = "address"
# Keys of [lease] by the name of the line.
LEASES = {"300 ms": ('duration = "300ms"', 'renew = "100ms"'),
          "100 ms": ('duration = "100ms"', 'renew = "25ms"'),
          "auto": ('duration = "auto"', 'watch = "60s"')}
# A node that has just started needs 300 ms until it has watched for a minute.
LEARN_S = 75.0
CUTS = {"auto": 2}
# VRRP version 3, an advertisement each 0.1 s; a backup waits for three and a part of one.
KEEPALIVED = "keepalived, 100 ms"
KINDS = (*LEASES, KEEPALIVED)
VRRP = f"""global_defs {{{{
    vrrp_version 3
    vrrp_garp_master_delay 0
}}}}
vrrp_instance address {{{{
    state BACKUP
    nopreempt
    interface {DEVICE}
    virtual_router_id 1
    priority {{priority}}
    advert_int 0.1
    virtual_ipaddress {{{{
        {ADDRESS}/{PREFIX}
    }}}}
}}}}
"""
CALM_S = 1.0
# The node's disk is a folder of the host, and outlives it. Nobody resets this host.
PREPARE = f"""set -e
mount -t overlay none -o lowerdir={{stage}}/usr:/usr /usr
mkdir -p /var/lib/vpnha /etc/vpnha
mount --bind {{disk}} /var/lib/vpnha
for folder in /etc/vpnha /var/log; do
    mount -t tmpfs none $folder
done
mkdir -p /var/log/corosync /var/log/vpnha
cat >/etc/vpnha/vpnha.toml <<'END'
[lease]
{{lease}}

[fencing]
reset = false

[gateway.{GATEWAY}]
id = 1
ppp_local = "10.99.6.1"
pools = ["10.99.7.0/24"]

[gateway.{GATEWAY}.outside]
interface = "{DEVICE}"
addresses = ["{ADDRESS}/{PREFIX}"]

[gateway.{GATEWAY}.inside]
interface = "inside0"
addresses = ["10.99.8.100/24"]

[gateway.{GATEWAY}.conntrack]
replicate = false

[gateway.{GATEWAY}.ipsec]
END
hostname n{{number}}
{SETUP}"""


def measure(kind: str, cuts: int) -> list[dict]:
    """A line for each of so many power cuts, or of CUTS: milliseconds without an answer, and with
    vpnhad what the lease was and how late the dead node's rounds had been at worst."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        disks = Path(folder)
        stage = install_stage()

        def setup(number: int) -> str:
            disk = disks / f"disk{number}"
            disk.mkdir(exist_ok=True)
            return PREPARE.format(stage=stage, number=number, disk=disk,
                                  lease="\n".join(LEASES.get(kind, ())))
        rig = stack.enter_context(Rig(NODES, setup=setup))
        rig.add_network(DEVICE, CLIENT)
        rig.add_network("inside0", "10.99.8.254/24")
        cluster: _Vrrp | _Vpnhad = _Vrrp(rig) if kind == KEEPALIVED else _Vpnhad(rig)
        for node in rig.nodes:
            _serve(node)
            cluster.start(node)
        cluster.promote(rig.nodes[0])
        wait(cluster.is_ready, READY_LIMIT_S, "one node serves, two are in sync")
        client = Client(disks)
        stack.callback(client.end)
        wait(client.answers, ANSWER_LIMIT_S, "the address answers")
        calm_s = LEARN_S if kind == "auto" else CALM_S
        found = [_cut(rig, cluster, client, calm_s) for _ in range(CUTS.get(kind, cuts))]
    return found


class _Vpnhad:
    """vpnhad on each node, by its agent."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def start(self, node: Node) -> None:
        self._agent(node, "start")

    def promote(self, node: Node) -> None:
        self._agent(node, "promote")

    def facts(self, node: Node) -> dict:
        lease = self._status(node)["lease"]
        return {"lease_ms": lease["duration_ms"], "rounds": sum(lease["rounds"]["late"]),
                "worst_late_ms": lease["rounds"]["worst_of_day_ms"]}

    def is_ready(self) -> bool:
        """One node serves, and both others could take over."""
        seen = [self._status(node) for node in self._rig.nodes]
        return all(each["replica"] == "complete" for each in seen) and [
            len(each["standbys"]) for each in seen if each["role"] == "promoted"] == [NODES - 1]

    @staticmethod
    def _agent(node: Node, verb: str) -> None:
        done = subprocess.run(
            [*node.enter(), "env", "OCF_ROOT=/usr/lib/ocf", f"OCF_RESKEY_gateway={GATEWAY}",
             "OCF_RESOURCE_INSTANCE=checkpoint:0", "/usr/lib/ocf/resource.d/vpnha/checkpoint",
             verb], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RigError(f"{verb} on node {node.number}: {done.stderr}")

    @staticmethod
    def _status(node: Node) -> dict:
        done = subprocess.run([*node.enter(), "vpnha", "status", "--json"], capture_output=True,
                              text=True, check=False)
        return json.loads(done.stdout)["gateways"][0]


class _Vrrp:
    """keepalived on each node; who advertises first serves."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def start(self, node: Node) -> None:
        conf = Path(f"/proc/{node.corosync}/root/run/keepalived.conf")
        conf.write_text(VRRP.format(priority=100 - node.number), encoding="ascii")
        # The device's own address: VRRP speaks from it.
        subprocess.run([*node.enter(), "ip", "address", "replace", f"10.99.9.{node.number}/24",
                        "dev", DEVICE], check=True)
        subprocess.run([*node.enter(), "keepalived", "--vrrp", "--use-file", "/run/keepalived.conf",
                        "--pid", "/run/keepalived.pid", "--vrrp_pid", "/run/vrrp.pid"], check=True)

    def promote(self, node: Node) -> None:
        """It needs no order."""

    def facts(self, _node: Node) -> dict:
        return {}

    def is_ready(self) -> bool:
        return any(ADDRESS in subprocess.run(
            [*node.enter(), "ip", "-o", "address", "show", "dev", DEVICE], capture_output=True,
            text=True, check=True).stdout for node in self._rig.nodes)


def _cut(rig: Rig, cluster: _Vpnhad | _Vrrp, client: Client, calm_s: float) -> dict:
    observe(calm_s)
    holder = client.answers()[-1].name
    node = rig.named(holder)
    facts = cluster.facts(node)
    cut_at = time.time()
    rig.cut(node)
    wait(lambda: client.answers()[-1].name != holder, ANSWER_LIMIT_S, "another node answers")
    observe(CALM_S)
    silence = longest_silence_ms(client.answers(), cut_at, time.time())
    cluster.promote(rig.named(client.answers()[-1].name))
    back = rig.start_again(node)
    _serve(back)
    cluster.start(back)
    wait(cluster.is_ready, READY_LIMIT_S, "one node serves, two are in sync")
    return {"silence_ms": silence, **facts}


def _serve(node: Node) -> None:
    """The service that answers, when the ring is whole."""
    wait(lambda: node.sees(NODES), READY_LIMIT_S, f"node {node.number} sees all")
    subprocess.Popen([*node.enter(), "/usr/bin/python3", "-IuS",
                      str(ROOT / "lab/node/name_server.py"), str(PORT), "/run/names.pid"],
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
