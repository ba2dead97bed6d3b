# SPDX-License-Identifier: GPL-2.0-or-later
"""The project's collection, used from the lab's own place on the management network, by ssh, as an
administrator would: an inventory, secrets in a vault, the site play."""
from __future__ import annotations

import dataclasses
import json
import re
import secrets
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..host.errors import LabError
from ..host.lab import Lab
from ..host.node import Node
from ..host.release import THIS_RELEASE
from ..host.roots import in_root
from ..host.stage import ROOT
from ..host.topology import L2TP, NODES
from ..product.cluster import KEY_BYTES, RELAXED
from ..product.ipsec_gateway import SECRET
from ..product.l2tp_gateway import PASSWORD, USER
from .packages import SOURCE
from ..product.pki import DIRECTORY as SWANCTL

COLLECTION = ROOT / "ansible"
GROUP, WITNESSES = "vpnha_gateways", "vpnha_witnesses"
INVENTORY = "inventory.json"
PLAY_LIMIT_S = 1500.0
RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)",
                   re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Played:
    """The recap of a play: tasks that changed something, by node; whether all went well."""

    changed: dict[str, int]
    ok: bool


@dataclasses.dataclass(frozen=True)
class Site:
    """What an inventory has beside or instead of the lab's usual one, which is a gateway for
    L2TP/IPsec and PPTP. `gateway`: its keys; None takes one away. `secrets`: in the vault.
    `witness`: the node that votes for a pair."""

    gateway: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    secrets: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    witness: str | None = None


class Ansible:
    """`directory`: of the run; Ansible's output lies there. The secrets do not."""

    def __init__(self, lab: Lab, private: Path, directory: Path, site: Site = Site()) -> None:
        self._lab = lab
        self._site = site
        self._home = private
        self._out = directory
        self._secrets = {SECRET, PASSWORD}
        # An Ansible of Debian 12 has no modules for the Python of a newer node.
        self._within = [] if lab.release == THIS_RELEASE else in_root(lab.release)
        self._environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(private), "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(private / "collections"),
            "ANSIBLE_HOST_KEY_CHECKING": "False", "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_NOCOLOR": "True", "ANSIBLE_VAULT_PASSWORD_FILE": str(private / "vault"),
            "ANSIBLE_LOCAL_TEMP": str(private / "tmp")}

    def set_up(self) -> None:
        """Collection, secrets, inventory, keys. A lab that was left up by another run keeps its
        keys."""
        self._home.mkdir(mode=0o700, exist_ok=True)
        self._call("ansible-galaxy", "collection", "install", str(COLLECTION), "--offline",
                   "--force", "-p", str(self._home / "collections"))
        if not (self._home / "key").exists():
            self._let_in()
        (self._home / INVENTORY).write_text(
            json.dumps(inventory(self.managed(), self._home, self._site)), encoding="utf-8")
        self.put_secrets()

    def managed(self) -> list[Node]:
        """The nodes that plays reach."""
        witness = self._site.witness
        return [*self._lab.gateways, *([self._lab.node(witness)] if witness else [])]

    def _let_in(self) -> None:
        """The nodes let the key of ssh in."""
        self._call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._home / "key"))
        for node in self.managed():
            node.put("/root/.ssh/authorized_keys", (self._home / "key.pub").read_bytes(),
                     mode=0o600)
        (self._home / "vault").write_text(secrets.token_hex(16), encoding="ascii")
        self.put_cluster_key()

    def put_cluster_key(self) -> None:
        """A new one each time, for the next site play."""
        self._encrypt(self._home / "corosync.authkey", secrets.token_bytes(KEY_BYTES))

    def put_secrets(self, psk: str = SECRET, password: str = PASSWORD,
                    files: Mapping[str, bytes] = {}) -> None:
        """What the next play brings to the nodes; `files` of strongSwan by their paths there."""
        self._secrets |= {psk, password, *(
            each for each in self._site.secrets.values() if isinstance(each, str))}
        listed = []
        for path, content in files.items():
            name = Path(path).relative_to(SWANCTL)
            self._encrypt(self._home / "files" / name, content)
            listed.append({"src": str(self._home / "files" / name), "dest": str(name)})
        self._encrypt(self._home / "group_vars" / GROUP / "vault.json", json.dumps({
            "vpnha_users": [{"name": USER, "password": password}], "vpnha_ipsec_psk": psk,
            "vpnha_swanctl_files": listed, **self._site.secrets}).encode())

    def _encrypt(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._call("ansible-vault", "encrypt", str(path))

    def secret_words(self) -> list[str]:
        """Secrets that are in Ansible's output so far."""
        return secret_words(self._out, self._secrets)

    def play(self, name: str, log: str, *arguments: str) -> Played:
        """A play of the collection; its words go to the file `log` of the run."""
        with open(self._out / log, "w", encoding="utf-8") as output:
            done = subprocess.run([*self._lab.namespace.prefix(), *self._within,
                                   "ansible-playbook", "-i",
                                   str(self._home / INVENTORY), f"vpnha.gateway.{name}",
                                   *arguments], env=self._environment, cwd=self._home,
                                  stdin=subprocess.DEVNULL, stdout=output,
                                  stderr=subprocess.STDOUT, timeout=PLAY_LIMIT_S, check=False)
        text = (self._out / log).read_text(encoding="utf-8")
        return Played({node: int(changed) for node, _, changed, _, _ in RECAP.findall(text)},
                      done.returncode == 0)

    def _call(self, *argv: str) -> None:
        done = subprocess.run([*self._within, *argv], env=self._environment, cwd=self._home,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()}")


def fence_device(name: str, agent: str, **parameters: Any) -> dict[str, Any]:
    """As an inventory has it."""
    return {"id": name, "agent": f"stonith:{agent}", "instance_attrs": [
        {"attrs": [{"name": key, "value": value} for key, value in parameters.items()]}]}


def secret_words(directory: Path, words: Iterable[str]) -> list[str]:
    """Those of the words that are in Ansible's output, in any file of the directory."""
    texts = "".join(path.read_text(encoding="utf-8", errors="replace")
                    for path in sorted(directory.glob("ansible-*.log")))
    return sorted(word for word in words if word in texts)


def inventory(nodes: list[Node], home: Path, site: Site = Site()) -> dict:
    """Of the lab's gateways, and of a witness beside them. A cluster of the lab forms under a
    relaxed token."""
    token, consensus = RELAXED
    common = f"{L2TP.net}.32.0/26"
    pools = [*(f"{L2TP.net}.{node.id}.0/24" for node in NODES.values() if node.is_gateway), common]
    gateway = {
        "name": L2TP.name, "id": L2TP.id, "ppp_local": L2TP.ppp_local, "pools": pools,
        "common_pool": [common],
        "ip_range": f"{L2TP.net}.{{{{ vpnha_node_id }}}}.10-"
                    f"{L2TP.net}.{{{{ vpnha_node_id }}}}.190",
        "pptp": {"ip_range": f"{L2TP.net}.{{{{ vpnha_node_id }}}}.200-250"},
        "outside": {"interface": "outside", "addresses": [f"{L2TP.vip_outside}/24"]},
        "inside": {"interface": "inside", "addresses": [f"{L2TP.vip_inside}/24"]},
        # The server has a route to the clients.
        "snat": False, "ipsec": True, **site.gateway}
    login = {"ansible_user": "root", "ansible_ssh_private_key_file": str(home / "key"),
             "ansible_python_interpreter": "/usr/bin/python3", "vpnha_package_source": SOURCE}
    witnesses = [node for node in nodes if not node.spec.is_gateway]
    groups = {WITNESSES: {"hosts": {node.name: {"ansible_host": node.address("management")}
                                    for node in witnesses}, "vars": login}} if witnesses else {}
    return {**groups, GROUP: {
        "hosts": {node.name: {
            "ansible_host": node.address("management"), "vpnha_node_id": node.spec.id,
            "ha_cluster": {"node_name": node.name, "corosync_addresses": [
                node.address("cluster0"), node.address("cluster1")]}}
            for node in nodes if node.spec.is_gateway},
        "vars": {
            **login,
            "ha_cluster_corosync_key_src": str(home / "corosync.authkey"),
            "ha_cluster_totem": {"options": [{"name": "token", "value": token},
                                             {"name": "consensus", "value": consensus}]},
            # The agent of the lab's power switch is none of Debian's.
            "vpnha_fence_agent": "fence_lab", "vpnha_fence_packages": [],
            "vpnha_wait_s": 300, "vpnha_security_by_play": True,
            "vpnha_instances": [{key: value for key, value in gateway.items()
                                 if value is not None}],
            **site.values}}}
