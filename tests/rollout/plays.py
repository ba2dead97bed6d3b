# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays of the collection on nodes that are folders: each has an /etc of its own, in a mount
namespace, and programs that only note how they were called. No cluster, no ssh."""
from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GROUP = "vpnha_gateways"
WITNESSES = "vpnha_witnesses"
# Of the witness's unit.
INSTANCE = "vpnha"
# What Python and Ansible's modules read there.
ETC = ("group", "ld.so.cache", "nsswitch.conf", "passwd")
FOLDERS = ("apt/apt.conf.d", "corosync", "default", "modules-load.d", "ppp", "strongswan.d",
           "swanctl/conf.d", "vpnha", "xl2tpd")
PYTHON = """#!/bin/sh
PATH={node}/bin:$PATH exec unshare --mount sh -c \\
    'mount --bind {node}/etc /etc && exec /usr/bin/python3 "$@"' sh "$@"
"""
PROGRAM = """#!/bin/sh
echo "${{0##*/}} $*" >>{node}/calls
{does}
"""
PROGRAMS = {"corosync-cfgtool": "", "crm": "", "nft": "", "swanctl": "", "vpnha": "",
            # As if what was to be loaded were loaded.
            "cibadmin": r"""sed -En \
    's|^primitive (\S+) (stonith):.*|<primitive id="\1" class="\2"/>|p' \
    /etc/vpnha/cluster.crm""",
            # A unit that runs and is enabled.
            "systemctl": 'case "$1" in show) echo ActiveState=active; echo LoadState=loaded;; esac',
            "crm_mon": """for each in 1 2 3 4; do
    echo "<node name=\\"gw$each\\" id=\\"$each\\" online=\\"true\\" standby=\\"false\\"/>"
done
echo '<current_dc with_quorum="true"/>'"""}
EXAMPLES = ("docs/reference/radius-dictionary.example", "nftables/gateway.nft", "nftables/node.nft")
FIRST_PLAY = ("cluster", "secrets")


def host(number: int) -> dict[str, Any]:
    return {"vpnha_node_id": number, "ha_cluster": {
        "node_name": f"gw{number}",
        "corosync_addresses": [f"10.77.{link}.{number}" for link in (1, 2)]}}


def inventory(nodes: int, **values: Any) -> dict[str, Any]:
    """As a user writes it; `values` beside or instead of what all of these have."""
    return {GROUP: {"hosts": {f"gw{number}": host(number) for number in range(1, nodes + 1)},
                    "vars": {
        "ha_cluster_corosync_key_src": "authkey",
        "vpnha_fence_agent": "fence_virsh", "vpnha_fence_parameters": "ip=host username=fence",
        "vpnha_users": [{"name": "alice", "password": "secret-of-alice"}],
        "vpnha_ipsec_psk": "psk", "vpnha_wait_s": 4,
        "vpnha_instances": [{
            "name": "dialin", "id": 1, "ppp_local": "10.200.0.1", "pools": ["10.200.1.0/24"],
            "ip_range": "10.200.{{ vpnha_node_id }}.10-10.200.{{ vpnha_node_id }}.190",
            "outside": {"interface": "eth1", "addresses": ["192.0.2.100/24"]},
            "inside": {"interface": "eth2", "addresses": ["198.51.100.100/24"]},
            "ipsec": True}],
        **values}}}


@dataclass(frozen=True)
class Played:
    ok: bool
    changed: int
    output: str


class Site:
    """`directory` has the nodes, and what the administrator has."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def set_up(self) -> None:
        collections = self.directory / "collections" / "ansible_collections" / "vpnha"
        collections.mkdir(parents=True)
        (collections / "gateway").symlink_to(ROOT / "ansible")
        (self.directory / "authkey").write_bytes(b"k" * 256)
        # Of the package vpnha.
        (self.directory / "examples").mkdir()
        for example in EXAMPLES:
            shutil.copy(ROOT / example, self.directory / "examples")

    def add_node(self, name: str) -> None:
        """As a newly installed machine."""
        node = self.directory / name
        shutil.rmtree(node, ignore_errors=True)
        for folder in ("bin", *(f"etc/{each}" for each in FOLDERS)):
            (node / folder).mkdir(parents=True)
        (node / "etc" / "nftables.conf").touch()
        for each in ETC:
            shutil.copy(f"/etc/{each}", node / "etc")
        self._write(node / "python", PYTHON.format(node=node))
        for program, does in PROGRAMS.items():
            self._write(node / "bin" / program, PROGRAM.format(node=node, does=does))

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def text(self, node: str, path: str) -> str:
        """Of a file below the node's /etc; nothing where it is not."""
        found = self.directory / node / "etc" / path
        return found.read_text(encoding="utf-8") if found.exists() else ""

    def mode(self, node: str, path: str) -> int:
        return (self.directory / node / "etc" / path).stat().st_mode & 0o7777

    def program(self, node: str, name: str, does: str) -> None:
        """What that program does there from now on."""
        path = self.directory / node
        self._write(path / "bin" / name, PROGRAM.format(node=path, does=does))

    def calls(self, node: str) -> str:
        """Programs that were called on the node."""
        found = self.directory / node / "calls"
        return found.read_text(encoding="utf-8") if found.exists() else ""

    def play(self, listed: dict[str, Any], *arguments: str,
             tasks: tuple[str, ...] = ("whole", *FIRST_PLAY)) -> Played:
        """These parts of the role, and vpnha.toml, which needs a vpnhad otherwise."""
        role = ROOT / "ansible" / "roles" / "vpnha"
        steps: list[dict[str, Any]] = [
            {"import_role": {"name": "vpnha.gateway.vpnha", "tasks_from": f"{each}.yml"}}
            for each in tasks]
        if "secrets" in tasks:
            steps.append({"template": {"src": str(role / "templates" / "vpnha.toml.j2"),
                                       "dest": "/etc/vpnha/vpnha.toml"}})
        return self._run(listed, GROUP, steps, *arguments)

    def play_witness(self, listed: dict[str, Any]) -> Played:
        """The part of the role of a witness that needs no package."""
        return self._run(listed, WITNESSES, [{"import_role": {
            "name": "vpnha.gateway.witness", "tasks_from": "vote.yml"}}])

    def _run(self, listed: dict[str, Any], group: str, steps: list[dict[str, Any]],
             *arguments: str) -> Played:
        for members in listed.values():
            for name, values in members["hosts"].items():
                values.setdefault("ansible_connection", "local")
                values["ansible_python_interpreter"] = str(self.directory / name / "python")
        for name, content in (("inventory.json", listed), ("play.json", [
                {"hosts": group, "gather_facts": False, "tasks": steps}])):
            (self.directory / name).write_text(json.dumps(content), encoding="utf-8")
        done = subprocess.run(
            ["ansible-playbook", "-i", "inventory.json", "play.json",
             "-e", f"vpnha_templates={ROOT / 'cib-templates'}",
             "-e", f"vpnha_examples={self.directory / 'examples'}", *arguments],
            cwd=self.directory, capture_output=True, text=True, check=False, env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.directory),
                "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "True", "PYTHONDONTWRITEBYTECODE": "1",
                "ANSIBLE_COLLECTIONS_PATH": str(self.directory / "collections"),
                "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_PIPELINING": "True",
                "ANSIBLE_LOCAL_TEMP": str(self.directory / "tmp")})
        changed = re.findall(r"changed=(\d+)", done.stdout)
        # A message has line ends where its words have none.
        return Played(done.returncode == 0, sum(map(int, changed)),
                      " ".join((done.stdout + done.stderr).split()))


def copied(site: Site, directory: Path) -> Site:
    """The same nodes elsewhere, for a test that changes them."""
    shutil.copytree(site.directory, directory, symlinks=True, dirs_exist_ok=True)
    old, new = str(site.directory), str(directory)
    for path in [*directory.glob("gw*/bin/*"), *directory.glob("gw*/python")]:
        path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    return Site(directory)
