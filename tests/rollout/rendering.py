# SPDX-License-Identifier: GPL-2.0-or-later
"""Templates of the role as its plays render them, without a node."""
from __future__ import annotations

import atexit
import base64
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "ansible" / "roles" / "vpnha"
# Ansible looks for collections when it is loaded.
_COLLECTIONS = Path(tempfile.mkdtemp(prefix="vpnha-collections-"))
atexit.register(shutil.rmtree, _COLLECTIONS)
_NAMESPACE = _COLLECTIONS / "ansible_collections" / "vpnha"
_NAMESPACE.mkdir(parents=True)
(_NAMESPACE / "gateway").symlink_to(ROOT / "ansible")
os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(_COLLECTIONS)

from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.template import Templar  # noqa: E402

GATEWAY: dict[str, Any] = {
    "name": "dialin", "id": 1, "ppp_local": "10.200.0.1", "pools": ["10.200.1.0/24"],
    "ip_range": "10.200.1.10-10.200.1.190",
    "outside": {"interface": "eth1", "addresses": ["192.0.2.100/24"]},
    "inside": {"interface": "eth2", "addresses": ["198.51.100.100/24"]}, "ipsec": True}


def _variables(path: str) -> dict[str, Any]:
    return yaml.safe_load((ROLE / path / "main.yml").read_text("utf-8"))


def rendered(template: str, gateway: dict[str, Any] | None = None, **values: Any) -> str:
    """Of an inventory with one gateway, which has these keys beside or instead of GATEWAY's."""
    item = {**GATEWAY, **(gateway or {})}
    rules = base64.b64encode((ROOT / "nftables" / "gateway.nft").read_bytes()).decode()
    variables = {
        **_variables("defaults"), **_variables("vars"), "ansible_managed": "managed",
        "vpnha_users": [{"name": "alice", "password": "secret-of-alice"}],
        "vpnha_ipsec_psk": "psk", "vpnha_instances": [item], "item": item,
        "vpnha_rules": {"content": rules},
        "template_destpath": "/etc/swanctl/conf.d/vpnha.conf", **values}
    templar = Templar(loader=DataLoader(), variables=variables)
    with templar.set_temporary_context(trim_blocks=True, searchpath=[str(ROLE / "templates")]):
        return templar.do_template((ROLE / "templates" / template).read_text("utf-8"),
                                   preserve_trailing_newlines=True, escape_backslashes=False)
