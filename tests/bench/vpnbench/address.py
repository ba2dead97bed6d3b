# SPDX-License-Identifier: GPL-2.0-or-later
"""How long an address without sessions does not answer after the death of its service, on nodes
with Corosync and Pacemaker and cib-templates/vip-gateway.crm: with ocf:vpnha:vip, and with
ocf:heartbeat:IPaddr2 in its place. A process starts here in the time that it takes on a machine,
not in that of a node of the lab."""
from __future__ import annotations

import contextlib
import random
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path

from vpnlab.host.stage import ROOT, install_stage
from vpnlab.product.cluster import (PACEMAKER_ENVIRONMENT, TEMPLATES, Status, fill, parse_status,
                                    render_cib)
from vpnlab.traffic.names import Answer, longest_silence_ms, parse_answers

from .rig import SETUP, Node, Rig, RigError

NODES = 3
KILLS = 10
PORT = 7003
ADDRESS, PREFIX = "10.99.9.100", 24
CLIENT = f"10.99.9.254/{PREFIX}"
DEVICE = "outside0"
ASK_INTERVAL_S = 0.005
READY_LIMIT_S = 60.0
ANSWER_LIMIT_S = 20.0
# Where the monitor is in its interval when the service dies: anywhere.
MONITOR_S = 0.15

VIP = f'ocf:vpnha:vip params addresses="{ADDRESS}/{PREFIX}" interface={DEVICE}'
AGENTS = {"vpnha": VIP,
          "IPaddr2": f"ocf:heartbeat:IPaddr2 params ip={ADDRESS} cidr_netmask={PREFIX} "
                     f"nic={DEVICE}"}
# `ocf` finds what the project installs; the service is the one of the lab's scenario vip-claim.
PREPARE = f"""set -e
mount -t overlay none -o lowerdir={{stage}}/usr:/usr /usr
for folder in /var/lib/pacemaker /var/log/pacemaker /etc/init.d; do
    mount -t tmpfs none $folder
done
for folder in cib pengine blackbox cores; do
    install -d -o hacluster -g haclient -m 750 /var/lib/pacemaker/$folder
done
chown hacluster:haclient /var/lib/pacemaker /var/log/pacemaker
install -m 755 {ROOT}/lab/cluster/names.lsb /etc/init.d/names
hostname n{{number}}
{SETUP}"""

# Corosync, the first process of a node, reaps nobody; and a dead service that is not reaped has a
# process still. PR_SET_CHILD_SUBREAPER.
REAPER = """import ctypes, os, subprocess
ctypes.CDLL(None).prctl(36, 1)
subprocess.Popen(["pacemakerd"])
while True:
    os.wait()
"""


class Client:
    """Asks the address all the time who answers."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "answers"
        self._process = subprocess.Popen([
            "/usr/bin/python3", "-I", str(ROOT / "lab/node/name_client.py"), ADDRESS, str(PORT),
            str(ASK_INTERVAL_S), str(self._log)])

    def answers(self) -> list[Answer]:
        return parse_answers(self._log.read_text(encoding="ascii") if self._log.exists() else "")

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


def measure(agent: str) -> list[float]:
    """Of so many deaths of the service: milliseconds without an answer."""
    stage = install_stage()
    with (tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack,
          Rig(NODES, setup=lambda number: PREPARE.format(stage=stage, number=number)) as rig):
        rig.add_network(DEVICE, CLIENT)
        cib = _configuration(agent)
        for node in rig.nodes:
            stack.enter_context(_pacemaker(node, cib))
        wait(lambda: _settled(rig), READY_LIMIT_S, "one node has the address, all run the service")
        client = Client(Path(folder))
        stack.callback(client.end)
        wait(client.answers, ANSWER_LIMIT_S, "the address answers")
        silences = [_kill(rig, client) for _ in range(KILLS)]
    return silences


def _kill(rig: Rig, client: Client) -> float:
    observe(1 + random.uniform(0, MONITOR_S))
    holder = client.answers()[-1].name
    node = rig.named(holder)
    killed_at = time.time()
    _in(node, "sh", "-c", "kill -KILL $(cat /run/names.pid)")
    wait(lambda: client.answers()[-1].name != holder, ANSWER_LIMIT_S, "another node answers")
    observe(1)
    silence = longest_silence_ms(client.answers(), killed_at, time.time())
    _in(node, "crm_resource", "--cleanup")
    wait(lambda: _settled(rig), READY_LIMIT_S, f"{holder} is a candidate again")
    return silence


def _settled(rig: Rig) -> bool:
    seen = _status(rig.nodes[0])
    return len(seen.on("vip")) == 1 and len(seen.on("service")) == NODES and not seen.failures


def _status(node: Node) -> Status:
    done = subprocess.run([*node.enter(), "crm_mon", "--output-as=xml"], capture_output=True,
                          text=True, check=False)
    return parse_status(done.stdout) if done.returncode == 0 else Status(False, "", frozenset())


def _configuration(agent: str) -> bytes:
    """The template without its fencing: no node dies here."""
    text = fill((TEMPLATES / "vip-gateway.crm").read_text(encoding="utf-8"), {
        "NODES": " ".join(f"n{number}" for number in range(1, NODES + 1)), "SUFFIX": "",
        "ADDRESSES": f"{ADDRESS}/{PREFIX}", "INTERFACE": DEVICE, "SERVICE": "lsb:names",
        "PRIMARY": "n1", "FENCE_AGENT": "fence_dummy", "FENCE_PARAMETERS": ""})
    if VIP not in text:
        raise RigError(f"vip-gateway.crm has no primitive {VIP}")
    root = render_cib(text.replace(VIP, AGENTS[agent]).replace("stonith-enabled=true",
                                                               "stonith-enabled=false"))
    resources = root.find("./configuration/resources")
    assert resources is not None
    resources.remove(next(each for each in resources if each.get("id") == "fencing-clone"))
    return ElementTree.tostring(root)


@contextlib.contextmanager
def _pacemaker(node: Node, cib: bytes) -> Iterator[None]:
    folder = "/var/lib/pacemaker/cib"
    subprocess.run([*node.enter(), "sh", "-c", f"cat > {folder}/cib.xml && "
                    f"chown hacluster:haclient {folder}/cib.xml && chmod 600 {folder}/cib.xml && "
                    f"mkdir -p /run/lab && ln -s {ROOT}/lab/node /run/lab/node"],
                   input=cib, check=True)
    words = [f"{name}={value}" for name, value in PACEMAKER_ENVIRONMENT.items()]
    daemon = subprocess.Popen([*node.enter(), "env", *words, "/usr/bin/python3", "-Ic", REAPER],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        daemon.kill()
        daemon.wait()


def _in(node: Node, *command: str) -> None:
    subprocess.run([*node.enter(), *command], capture_output=True, check=True)


def observe(seconds: float) -> None:
    """The client continues asking."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() >= end, seconds + 1, "the end of an observation")


def wait(condition: Callable[[], object], limit_s: float, what: str) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise RigError(f"not within {limit_s:g} s: {what}")
        time.sleep(0.05)
