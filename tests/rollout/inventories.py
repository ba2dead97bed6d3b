# SPDX-License-Identifier: GPL-2.0-or-later
"""Fencing as inventories have it."""
from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import yaml
from vpnlab.rollout.ansible import fence_device as device

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "ansible" / "inventory"
THREE, TWO = ("gw1", "gw2", "gw3"), ("gw1", "gw2")
Given = dict[str, Any]


def _plugin() -> Any:
    path = ROOT / "ansible" / "plugins" / "filter" / "fencing.py"
    spec = importlib.util.spec_from_file_location("fencing", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fencing = _plugin()


def board(node: str, **parameters: Any) -> Given:
    return device(f"fencing-{node}", "fence_ipmilan", **{
        "pcmk_host_list": node, "ip": f"{node}.example", "username": "vpnha",
        "password_script": "/etc/vpnha/board", "lanplus": 1, "privlvl": "operator",
        "method": "onoff", **parameters})


def one_for_all(agent: str, parameters: str = "") -> Given:
    """The device of vpnha_fence_agent."""
    return {"id": "fencing", "agent": f"stonith:{agent}", "parameters": parameters}


def level(number: int, target: str, *ids: str, kind: str = "target") -> Given:
    return {"level": number, kind: target, "resource_ids": list(ids)}


VPNHA = device("fencing-vpnha", "fence_vpnha")
DUEL = device("fencing-duel", "fence_vpnha", mode="duel")
YIELD = device("fencing-yield", "fence_vpnha", mode="yield")
CONFIRM = device("fencing-confirm", "fence_vpnha", mode="confirm")


def group_of(name: str) -> Given:
    return yaml.safe_load((EXAMPLES / name).read_text("utf-8"))["vpnha_gateways"]


def example(name: str) -> tuple[list[Given], list[Given], list[str]]:
    """Devices, levels and nodes."""
    group = group_of(name)
    values = group["vars"]
    return (values["ha_cluster_resource_primitives"], values["ha_cluster_stonith_levels"],
            [host["ha_cluster"]["node_name"] for host in group["hosts"].values()])
