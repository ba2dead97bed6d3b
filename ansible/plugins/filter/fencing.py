# SPDX-License-Identifier: GPL-2.0-or-later
"""The fencing of an inventory: what is wrong with it, and how crmsh writes it. Devices and levels
are those of linux-system-roles' ha_cluster: ha_cluster_resource_primitives, of which fence agents
alone, and ha_cluster_stonith_levels."""
from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FENCE_VPNHA = "fence_vpnha"
# Agents of a management board, which switches the machine that it is built into.
BOARD = re.compile(r"fence_(amt(_ws)?|idrac|drac5?|ilo(?!_moonshot)\w*|imm|ipmilan(plus)?|redfish"
                   r"|rsa|rsb)")
YES = ("1", "true", "yes", "on")
LEVEL_MAX = 9
# What the topologies of stonith/ have of fence_vpnha.
PARAMETERS = {"revoke": {"timeout": "5"}, "duel": {"timeout": "10"}, "yield": {"delay_ms": "1700"},
              "confirm": {"timeout": "5"}}
# Modes of two nodes that have to come before a power device of the same level.
BEFORE_POWER = ("duel", "yield")


class Device:
    """A fence device; `given`: a dict of ha_cluster_resource_primitives, or the one of
    vpnha_fence_agent, whose parameters are crmsh's text."""

    def __init__(self, given: Mapping[str, Any], nodes: Sequence[str]) -> None:
        self.id = str(given["id"])
        self.standard, _, self.agent = str(given["agent"]).rpartition(":")
        if "parameters" in given:
            words = (word.partition("=") for word in shlex.split(given["parameters"]))
            self.parameters = {name: value for name, _, value in words}
        else:
            self.parameters = named_values(given.get("instance_attrs"))
        self._nodes = list(nodes)
        self._named = self._named_hosts()

    @property
    def mode(self) -> str:
        """Of fence_vpnha; nothing of a device that switches power."""
        return self.parameters.get("mode", "revoke") if self.agent == FENCE_VPNHA else ""

    @property
    def hosts(self) -> list[str]:
        return self._named or self._nodes

    @property
    def board(self) -> str:
        """Where the board is that is one machine's; nothing where the device reaches several."""
        reaches_several = self.parameters.get("port_as_ip", "").lower() in YES
        if not BOARD.fullmatch(self.agent) or reaches_several:
            return ""
        return self.parameters.get("ip") or self.parameters.get("ipaddr") or "?"

    def _named_hosts(self) -> list[str]:
        """As Pacemaker reads them: node:port;node:port, or a list."""
        mapped = re.split(r"[;\s]+", self.parameters.get("pcmk_host_map", ""))
        listed = re.split(r"[,;\s]+", self.parameters.get("pcmk_host_list", ""))
        hosts = [re.split("[:=]", each)[0] for each in mapped] + listed
        return list(dict.fromkeys(each for each in hosts if each))

    def all_parameters(self) -> dict[str, str]:
        """With those that vpnha's templates have."""
        found = dict(self.parameters)
        if not self._named:
            found["pcmk_host_list"] = " ".join(self._nodes)
        found.setdefault("pcmk_host_check", "static-list")
        if self.agent == FENCE_VPNHA:
            found = {"pcmk_reboot_action": "off", **PARAMETERS.get(self.mode, {}), **found}
        return found


class Level:
    """One of ha_cluster_stonith_levels."""

    TARGETS = ("target", "target_pattern", "target_attribute")

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.number = int(given["level"])
        self.kinds = [kind for kind in self.TARGETS if given.get(kind)]
        self.kind = self.kinds[0] if self.kinds else ""
        self.target = str(given.get(self.kind, ""))
        self.value = str(given.get("target_value", ""))
        self.ids = [str(each) for each in given["resource_ids"]]

    @property
    def words(self) -> str:
        """The target, as crmsh has it."""
        return {"target": f"{self.target}:", "target_pattern": f"pattern:{self.target}",
                "target_attribute": f"attr:{self.target}={self.value}"}.get(self.kind, "")

    def is_for(self, node: str) -> bool:
        """Which nodes have an attribute is known in the cluster only: all of them count."""
        if self.kind == "target_pattern":
            return re.search(self.target, node) is not None
        return self.kind == "target_attribute" or self.target == node


def named_values(sets: Sequence[Mapping[str, Any]] | None) -> dict[str, str]:
    """The first set of names and values, which is all that ha_cluster takes."""
    attributes = sets[0].get("attrs", []) if sets else []
    return {str(each["name"]): text_of(each["value"]) for each in attributes}


def text_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def levels_of(node: str, levels: Iterable[Level]) -> list[Level]:
    """Those that Pacemaker takes for a node: a name before a pattern before an attribute."""
    fitting = [level for level in levels if level.is_for(node)]
    for kind in Level.TARGETS:
        found = sorted((level for level in fitting if level.kind == kind),
                       key=lambda level: level.number)
        if found:
            return found
    return []


def fencing_faults(devices: Sequence[Mapping[str, Any]], levels: Sequence[Mapping[str, Any]],
                   nodes: Sequence[str], sbd: bool = False) -> list[str]:
    """What has to be another way in the inventory, in words; nothing: the fencing of each node is
    the node's own, and a fenced node is off."""
    ids = [str(each["id"]) for each in devices]
    faults = [f"there are two devices {each}" for each in sorted(set(ids)) if ids.count(each) > 1]
    known = {device.id: device for device in (Device(each, nodes) for each in devices)}
    topology = [Level(each) for each in levels]
    for device in known.values():
        faults += _of_device(device, nodes)
    faults += _of_boards(known.values())
    for level in topology:
        faults += _of_level(level, topology, known, nodes)
    if sbd and len(nodes) < 3:
        faults.append("sbd without a disk takes three nodes or more: of two that lose each other "
                      "both end themselves, or neither")
    if not faults:
        for node in nodes:
            faults += _of_node(node, levels_of(node, topology), known, len(nodes), sbd)
    return faults


def _of_device(device: Device, nodes: Sequence[str]) -> list[str]:
    if device.standard != "stonith":
        return [f"{device.id} is no fence device (stonith:…); the role makes the resources of the "
                "gateways by itself"]
    faults = [f"{device.id} is for {host}, which is no node of the cluster"
              for host in device.hosts if host not in nodes]
    if device.mode and device.mode not in PARAMETERS:
        faults.append(f"{device.id}: mode={device.mode} is none of {', '.join(PARAMETERS)}")
    if device.mode == "revoke" and len(nodes) < 3:
        faults.append(f"{device.id}: fence_vpnha takes leases away by a majority of three nodes or "
                      "more; two nodes have mode=yield and mode=confirm")
    if device.mode in (*BEFORE_POWER, "confirm") and len(nodes) != 2:
        faults.append(f"{device.id}: mode={device.mode} is for clusters of two nodes")
    if device.board and len(device.hosts) > 1:
        faults.append(f"{device.id}: the board {device.board} switches the machine that it is "
                      f"built into, and the device is for {', '.join(device.hosts)}: list a device "
                      "with pcmk_host_list for each node")
    return faults


def _of_boards(devices: Iterable[Device]) -> list[str]:
    """Addresses that several devices have."""
    owners: dict[str, list[Device]] = {}
    for device in devices:
        if device.board:
            port = device.parameters.get("ipport", "")
            system = device.parameters.get("systems_uri", "")
            owners.setdefault(f"{device.board} {port} {system}", []).append(device)
    return [f"{' and '.join(each.id for each in found)} have the same board, {found[0].board}"
            for found in owners.values() if len({host for each in found for host in each.hosts}) > 1
            and len(found) > 1]


def _of_level(level: Level, topology: Sequence[Level], known: Mapping[str, Device],
              nodes: Sequence[str]) -> list[str]:
    where = f"level {level.number} of {level.target}"
    if len(level.kinds) != 1:
        return [f"level {level.number} needs one of {', '.join(Level.TARGETS)}"]
    faults = [f"{where}: {each} is no device" for each in level.ids if each not in known]
    if not 1 <= level.number <= LEVEL_MAX:
        faults.append(f"{where}: levels are 1 to {LEVEL_MAX}")
    if sum(each.number == level.number and each.words == level.words for each in topology) > 1:
        faults.append(f"{where} is there twice")
    if not any(level.is_for(node) for node in nodes):
        faults.append(f"{where}: no node of the cluster is meant")
    return faults


def _of_node(node: str, levels: Sequence[Level], known: Mapping[str, Device], voters: int,
             sbd: bool) -> list[str]:
    faults = [f"level {level.number} of {node}: {each} does not fence {node}"
              for level in levels for each in level.ids if node not in known[each].hosts]
    if not levels and any(device.mode for device in known.values()):
        return [*faults, f"{node} has no level, so that fence_vpnha alone would do: write levels "
                         "with a power device"]
    used = [known[each] for level in levels for each in level.ids] if levels else known.values()
    has_power = any(not device.mode and node in device.hosts for device in used)
    if not has_power and (levels or not sbd):
        faults.append(f"nothing switches {node} off: no power device is for it")
    decided = False
    for level in levels:
        modes = [known[each].mode for each in level.ids]
        powers = [place for place, mode in enumerate(modes) if not mode]
        faults += [f"level {level.number} of {node}: mode={mode} has to be before a power device"
                   for mode in BEFORE_POWER
                   if mode in modes and not (powers and modes.index(mode) < powers[0])]
        if "confirm" in modes and not (powers and powers[-1] < modes.index("confirm")):
            faults.append(f"level {level.number} of {node}: mode=confirm has to be behind a power "
                          "device")
        decided = decided or {"yield", "confirm"} <= set(modes)
    used_modes = {device.mode for device in used}
    if "duel" in used_modes and "yield" not in used_modes:
        faults.append(f"{node} has no level for a witness that does not answer: write one with "
                      "mode=yield and power behind the one with mode=duel")
    decided = decided or "duel" in used_modes
    if voters == 2 and not decided:
        faults.append(f"of two nodes both have to answer, so that the death of {node} has to be "
                      "confirmed: write a level with mode=yield, power and mode=confirm, as "
                      "inventory/two-nodes.yml has it, or add a third node")
    return faults


def fencing_devices(devices: Sequence[Mapping[str, Any]], nodes: Sequence[str]) -> str:
    """Statements of crmsh, an instance of each device on every node."""
    lines: list[str] = []
    for given in devices:
        device = Device(given, nodes)
        operations = given.get("operations") or [
            {"action": "start", "attrs": [{"name": "interval", "value": 0},
                                          {"name": "timeout", "value": "60s"}]}]
        meta = named_values(given.get("meta_attrs"))
        words = [f"primitive {device.id} {device.standard}:{device.agent} params",
                 *_assigned(device.all_parameters()),
                 *(["meta", *_assigned(meta)] if meta else [])]
        for each in operations:
            words += [f"op {each['action']}", *_assigned(named_values([each]))]
        lines += [" ".join(words), f"clone {device.id}-clone {device.id}"]
    return "\n".join(lines)


def _assigned(values: Mapping[str, str]) -> list[str]:
    return [f'{name}="{escaped(value)}"' for name, value in values.items()]


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def fencing_topology(levels: Sequence[Mapping[str, Any]]) -> str:
    """The statement of crmsh; nothing without levels."""
    found: dict[str, list[Level]] = {}
    for level in map(Level, levels):
        found.setdefault(level.words, []).append(level)
    targets: list[str] = []
    for target, these in found.items():
        in_order = sorted(these, key=lambda level: level.number)
        targets += [shlex.quote(target), *(",".join(level.ids) for level in in_order)]
    return " ".join(["fencing_topology", *targets]) if targets else ""


class FilterModule:
    """Of vpnha.gateway."""

    def filters(self) -> dict[str, Any]:
        return {"fencing_faults": fencing_faults, "fencing_devices": fencing_devices,
                "fencing_topology": fencing_topology}
