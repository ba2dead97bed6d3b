# SPDX-License-Identifier: GPL-2.0-or-later
"""What the role makes of the gateways of an inventory. Keys of vpnha.toml(5) are passed on as they
are: vpnhad names those that it does not know."""
from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

BARE = re.compile(r"[A-Za-z0-9_-]+")
# Of an element of vpnha_instances: what the role makes other files of.
OF_THE_ROLE = ("name", "ip_range", "snat", "ikev2", "dns")
# Protocols with a table of their own, and whether a gateway serves them by default.
DEFAULTS = {"l2tp": True, "pptp": False, "ipsec": False, "wireguard": False}
OF_THE_ROLE_IN_PPTP = ("ip_range", "from")
OF_THE_ROLE_IN_WIREGUARD = ("key_src", "peers_src")
# Debian's swanctl.conf includes it.
HOSTS_CONNECTIONS = "/etc/swanctl/conf.d/vpnha.conf"


def toml_tables(tables: Mapping[str, Any], header: str = "") -> str:
    """A table for each dict, values before tables, as TOML wants them."""
    return "\n".join(_lines(tables, header))


def _lines(tables: Mapping[str, Any], header: str) -> list[str]:
    inner = {key: value for key, value in tables.items() if isinstance(value, Mapping)}
    own = [f"{_key(key)} = {_value(value, header, key)}" for key, value in tables.items()
           if key not in inner]
    # A table may be there to show that something is served, and be empty.
    found = ([f"[{header}]"] if header and (own or not inner) else []) + own
    for key, value in inner.items():
        found += [*([""] if found else []),
                  *_lines(value, f"{header}.{_key(key)}" if header else _key(key))]
    return found


def _key(key: Any) -> str:
    return str(key) if BARE.fullmatch(str(key)) else json.dumps(str(key))


def _value(value: Any, header: str, key: Any) -> str:
    if isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, str):
        # Of what JSON leaves as it is TOML refuses DEL.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(each, header, key) for each in value) + "]"
    raise AnsibleFilterError(f"'{key}' of [{header}] is {value!r}; write true or false, a whole "
                             "number, a text or a list of them")


def gateway_table(gateway: Mapping[str, Any], connections: Sequence[str]) -> dict[str, Any]:
    """The table [gateway.NAME] of an element of vpnha_instances, with a table for each protocol.
    `connections`: what swanctl loads in the host's network namespace."""
    name = gateway["name"]
    of_protocols = (*DEFAULTS, *OF_THE_ROLE)
    table = {key: value for key, value in gateway.items() if key not in of_protocols}
    l2tp, pptp, ipsec, wireguard = (_keys(gateway, protocol) for protocol in DEFAULTS)
    if l2tp is not None:
        table["l2tp"] = {"ppp_options": f"/etc/ppp/options.{name}", **l2tp}
    if pptp is not None:
        table["pptp"] = {"ppp_options": f"/etc/ppp/options.{name}.pptp", **{
            key: value for key, value in pptp.items() if key not in OF_THE_ROLE_IN_PPTP}}
    ikev2 = gateway.get("ikev2")
    if ipsec is not None or ikev2:
        table["ipsec"] = {
            **({"required": True} if l2tp is not None and ipsec is not None else {}),
            "connections": [swanctl_file(gateway)] if gateway.get("netns") else list(connections),
            **({"virtual_pools": [*ikev2["pools"], *ikev2.get("fixed_pools", [])]}
               if ikev2 else {}),
            **(ipsec or {})}
    if wireguard is not None:
        table["wireguard"] = {
            **{key: _wireguard_file(name, key) for key in ("private_key", "peers")},
            **{key: value for key, value in wireguard.items()
               if key not in OF_THE_ROLE_IN_WIREGUARD}}
    return table


def _keys(gateway: Mapping[str, Any], protocol: str) -> dict[str, Any] | None:
    """Of a protocol's table; None where the gateway does not serve it."""
    given = gateway.get(protocol, DEFAULTS[protocol])
    if isinstance(given, Mapping):
        return dict(given)
    return {} if boolean(given, strict=True) else None


def serving(gateways: Sequence[Mapping[str, Any]], service: str) -> list[Mapping[str, Any]]:
    """Those that serve l2tp, pptp, ipsec (L2TP within IPsec), wireguard, ikev2 or ike (ipsec or
    ikev2)."""
    services = {"ike": ("ipsec", "ikev2")}.get(service, (service,))
    return [gateway for gateway in gateways if any(
        bool(gateway.get(each)) if each == "ikev2" else _keys(gateway, each) is not None
        for each in services)]


def swanctl_file(gateway: Mapping[str, Any]) -> str:
    """Of its charon: a network namespace has one."""
    return f"/etc/swanctl/{gateway['name']}.conf" if gateway.get("netns") else HOSTS_CONNECTIONS


def swanctl_files(gateways: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What is rendered to each node, for each charon."""
    return [{"src": "swanctl.conf.j2", "dest": path}
            for path in dict.fromkeys(map(swanctl_file, gateways))]


def of_swanctl_file(gateways: Sequence[Mapping[str, Any]], path: str) -> list[Mapping[str, Any]]:
    """Whose connections are there."""
    return [gateway for gateway in gateways if swanctl_file(gateway) == path]


def swanctl_uri(gateway: Mapping[str, Any]) -> list[str]:
    """How swanctl reaches its charon."""
    netns = gateway.get("netns")
    return ["--uri", f"unix:///run/vpnha/run/{netns}/charon.vici"] if netns else []


def wireguard_files(gateways: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What is copied to each node: the private key of each gateway, and its peers."""
    return [{"src": gateway["wireguard"][source], "dest": _wireguard_file(gateway["name"], key)}
            for gateway in serving(gateways, "wireguard")
            for source, key in (("key_src", "private_key"), ("peers_src", "peers"))]


def _wireguard_file(gateway: str, key: str) -> str:
    return f"/etc/vpnha/wireguard-{gateway}.{'key' if key == 'private_key' else key}"


def template_of(gateway: Mapping[str, Any]) -> str:
    """Of cib-templates/: the one that has most of what the gateway serves."""
    with_ike = bool(serving([gateway], "ike"))
    if serving([gateway], "l2tp"):
        return "l2tp-ipsec" if with_ike else "l2tp"
    if with_ike:
        return "ikev2"
    return "pptp" if serving([gateway], "pptp") else "wireguard"


class FilterModule:
    """Of vpnha.gateway."""

    def filters(self) -> dict[str, Any]:
        return {"toml_tables": toml_tables, "gateway_table": gateway_table, "serving": serving,
                "template_of": template_of, "wireguard_files": wireguard_files,
                "swanctl_file": swanctl_file, "swanctl_files": swanctl_files,
                "of_swanctl_file": of_swanctl_file, "swanctl_uri": swanctl_uri}
