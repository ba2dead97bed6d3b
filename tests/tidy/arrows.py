# SPDX-License-Identifier: GPL-2.0-or-later
"""Which room of libvpnha/src may include which other one, and what a core may not do."""
from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from sources import CPP, Tree, Violation, code_of

# What each room of libvpnha/src may include besides itself; public headers (vpnha/…) are free.
# A room is a folder, and in protocols/ and services/ a storey of one (protocols/l2tp/keeper) or a
# module beside the storeys (protocols/l2tp/work). Lines that match the same room add up. "./" is
# the room's own protocol or service. No protocol includes another but ppp.
RECORDS = {"base", "cluster/wire"}
WORK = {*RECORDS, "cluster/effects", "protocols/ppp/model", "protocols/ppp/plugin_event"}
KEEPER = {*WORK, "cluster/replica", "protocols/keeper", "protocols/margin"}
WORLD = {"base", "config", "host", "ports"}
BACKEND = {*WORK, *WORLD, "protocols/backend"}
LAYERS: dict[str, set[str]] = {
    "base": set(),
    "cluster/wire": {"base"},
    "cluster/replica": RECORDS,
    "cluster/lease": {"base"},
    "cluster/takeover": {"base"},
    "cluster/effects": {"base", "cluster/lease", "cluster/takeover", "protocols/ppp/model"},
    "cluster/gateway": {*KEEPER, "cluster/lease", "cluster/takeover", "protocols/families",
                        "services/drain/keeper"},
    "cluster/node": {*WORK, "cluster/gateway", "services/accounting/keeper"},
    "protocols/backend": {*RECORDS, "cluster/effects"},
    "protocols/margin": {"base"},
    "protocols/keeper": KEEPER,
    "protocols/list": set(),
    "protocols/families": {"base", "config", "protocols/keeper", "protocols/list",
                           "services/*/keeper"},
    "protocols/gateway_services": {"host", "protocols/list"},
    "protocols/backends": {*WORLD, "protocols/backend", "protocols/list"},
    "protocols/tables": {"config", "tuning", "protocols/list"},
    "protocols/configuration": {"protocols/tables"},
    "protocols/*/model": {"base", "protocols/ppp/model"},
    "protocols/*/table": {"base", "config", "tuning", "protocols/tables"},
    # Its files are checked as they are read.
    "protocols/wireguard/table": {"./model"},
    "protocols/*/work": {*WORK, "./model"},
    "protocols/*/keeper": {*KEEPER, "./model", "./table", "./work", "protocols/families",
                           "protocols/ppp/keeper"},
    "protocols/*/service": {*WORLD, "./model", "./table", "protocols/gateway_services",
                            "protocols/tables", "protocols/ppp/model"},
    "protocols/*/backend": {*BACKEND, "./model", "./table", "./work", "./service",
                            "protocols/backends", "protocols/tables",
                            "protocols/ppp/ppp_protocol"},
    "protocols/ppp/plugin_event": WORK,
    "protocols/ppp/ppp_protocol": {*WORK, "config"},
    "protocols/ppp/keeper": {"services/*/work", "services/bandwidth/keeper",
                             "services/proxies/keeper", "services/scripts/keeper"},
    "protocols/ppp/backend": {"cluster/node"},
    "protocols/pptp/mppe": {"base"},
    "protocols/pptp/model": {"./mppe"},
    "protocols/pptp/backend": {"services/accounting/work", "services/accounting/backend"},
    "services/*/model": RECORDS,
    "services/*/work": {*WORK, "./model"},
    "services/*/keeper": {*KEEPER, "./model", "./work"},
    "services/*/backend": {*BACKEND, "./model", "./work"},
    "services/accounting/backend": {"protocols/ppp/service"},
    "services/flows/backend": {"cluster/node"},
    "config": {*RECORDS, "cluster/lease"},
    "tuning": {"base", "config", "services/flows/model"},
    "checkpoint": {*RECORDS, "cluster/replica"},
    "ports": {"base", "cluster/lease"},
    "host": {"base", "config", "ports", "tuning", "cluster/lease"},
    "daemon": {"*"},
    "ocf": {"base"},
}
# All rooms but these are cores.
WORLDLY = ("host", "daemon", "ocf", "protocols/gateway_services", "protocols/backends",
           "*/*/backend", "*/*/service")
# Those whose headers few sources elsewhere may see.
PROTOCOLS = ("l2tp", "pptp", "ipsec", "wireguard")
# Sources of the library elsewhere that are compiled again when a header of a protocol changes.
FOREIGN_MAX = 9
# Sources of the product elsewhere that name a protocol. A limit only falls: 6 is the aim.
NAMING_MAX = {"l2tp": 6, "pptp": 6, "ipsec": 6, "wireguard": 2}
# Sources elsewhere that open the namespace of cluster/node and cluster/gateway, as if they stood
# above them. A limit only falls: 0 is the aim.
NODE_NAMESPACE_MAX = 10
OWN_PATH = "tests/tidy/arrows.py"
# What speaks to a gateway as its clients do has to name what it speaks.
CLIENTS = ("probe/", "agents/probe")
# The programs stand above all layers, and do not know each other.
PROGRAMS = ("daemon", "cli", "agents", "stonith", "pppd-plugin", "probe", "witness")
# A comment goes, and a text for humans: a string literal with a blank. A name has none.
NO_NAMES = re.compile(r"""//[^\n]*|/\*.*?\*/|'(?:[^'\\\n]|\\.)'|"(?:[^"\\\n]|\\.)*\"""",
                      re.DOTALL)

CORE_HEADERS = re.compile(
    r"<(?:(?:sys|corosync|systemd|linux|qb|netinet|arpa|libmnl|bpf|net)/[^>]+|unistd\.h|fcntl\.h"
    r"|pthread\.h|thread|mutex|random|ctime|time\.h|iostream|fstream|filesystem)>"
)
# Headers of the world in a core, each with its reason.
CORE_HEADERS_ALLOWED = {
    # load(), which all programs and the public API share: it reads one file into parse().
    ("libvpnha/src/config/config.cpp", "<fstream>"),
}
CORE_CALLS = re.compile(
    r"\bclock_gettime\b|_clock::now\b|\bs?rand\s*\(|\bgetenv\b|\brandom_device\b|\bsyslog\b"
    r"|\bgettimeofday\b|\btime\s*\(\s*(?:nullptr|NULL|0)\s*\)"
)
# Layers whose folders include one another without a circle.
ROOMS = ("libvpnha/src/host", "libvpnha/src/daemon")


def room_of(included: str) -> str:
    """The room of a header or source, by its path below libvpnha/src."""
    parts = PurePosixPath(re.sub(r"\.\w+$", "", included)).parts
    depth = {"cluster": 2, "protocols": 3, "services": 3}.get(parts[0], 1)
    return "/".join(parts[:depth])


def layer_of(path: str) -> str | None:
    below = path.removeprefix("libvpnha/src/")
    return room_of(below) if below != path and "/" in below else None


def matches(room: str, *patterns: str) -> bool:
    return any(fnmatchcase(room, pattern) for pattern in patterns)


def allowed(layer: str) -> set[str] | None:
    """What it may include; None: no line of LAYERS is its own."""
    own = [targets for pattern, targets in LAYERS.items() if matches(layer, pattern)]
    folder = layer.rpartition("/")[0]
    return {target.replace("./", f"{folder}/") for targets in own for target in targets} \
        if own else None


def include_arrow(tree: Tree) -> Iterator[Violation]:
    for path, number, line in tree.lines(*CPP):
        included = re.match(r'\s*#\s*include\s+"([\w-]+)(/[^"]+)', line)
        layer = layer_of(path)
        if not included or included[1] == "vpnha":
            continue
        program, target = included[1], room_of(included[1] + included[2])
        if layer is not None:
            may = allowed(layer)
            if may is None:
                yield Violation(path, number, "arrow", f"'{layer}' is no layer of arrows.py")
            elif target != layer and not matches(target, *may):
                yield Violation(path, number, "arrow", f"{layer} must not include {target}")
        elif path.startswith("libvpnha/include/"):
            yield Violation(path, number, "arrow", f"a public header must not include {target}")
        elif program in PROGRAMS and path.split("/")[0] in set(PROGRAMS) - {program}:
            yield Violation(path, number, "arrow", f"a program must not include {program}")


def pure_cores(tree: Tree) -> Iterator[Violation]:
    for path, number, line in tree.lines(*CPP, under="libvpnha/src/"):
        layer = layer_of(path)
        if layer is None or matches(layer, *WORLDLY):
            continue
        header = re.match(r"\s*#\s*include\s+(<[^>]+>)", line)
        if (header and CORE_HEADERS.match(header[1])
                and (path, header[1]) not in CORE_HEADERS_ALLOWED):
            yield Violation(path, number, "pure", f"a core must not include {header[1]}")
        call = CORE_CALLS.search(code_of(line))
        if call:
            yield Violation(path, number, "pure", f"a core must not use {call[0]}")


def room_circles(tree: Tree) -> Iterator[Violation]:
    for layer in ROOMS:
        name = PurePosixPath(layer).name
        arrows: dict[str, dict[str, tuple[str, int]]] = {}
        for path, number, line in tree.lines(*CPP, under=f"{layer}/"):
            room = PurePosixPath(path).parent.name
            included = re.match(rf'\s*#\s*include\s+"{name}/([\w-]+)/', line)
            if included and room not in (name, included[1]):
                arrows.setdefault(room, {}).setdefault(included[1], (path, number))
        for room, targets in arrows.items():
            for target, (path, number) in targets.items():
                if room in everything_behind(arrows, target):
                    yield Violation(path, number, "room", f"{target} includes {room}, too")


def protocol_headers(tree: Tree) -> Iterator[Violation]:
    """A protocol's records and commands are its own: few other sources see its headers."""
    root = "libvpnha/src/"
    included_by: dict[str, set[str]] = {}
    for path, _, line in tree.lines(".hpp", ".cpp", under=root):
        included = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if included:
            included_by.setdefault(root + included[1], set()).add(path)
    for protocol in PROTOCOLS:
        folder = f"{root}protocols/{protocol}/"
        for path in tree.files:
            if path.startswith(folder) and path.endswith(".hpp"):
                foreign = {each for each in everything_behind(included_by, path)
                           if each.endswith(".cpp") and not each.startswith(folder)}
                if len(foreign) > FOREIGN_MAX:
                    yield Violation(path, 1, "protocol",
                                    f"{len(foreign)} sources elsewhere include it, at most "
                                    f"{FOREIGN_MAX} may: {', '.join(sorted(foreign))}")


def protocol_names(tree: Tree) -> Iterator[Violation]:
    """What a protocol is stands in its folder: few other sources have its name in their code."""
    def name_or_not(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith('"') and " " not in match[0] else ""

    product = {path: NO_NAMES.sub(name_or_not, text).lower() for path, text in tree.files.items()
               if path.startswith(("libvpnha/src/", "libvpnha/include/",
                                   *(f"{program}/" for program in PROGRAMS)))
               and path.endswith(CPP) and not path.startswith(CLIENTS)}
    for protocol, most in NAMING_MAX.items():
        # A file that is called after the protocol is its own.
        naming = [path for path, code in product.items() if protocol in code
                  and not path.startswith(f"libvpnha/src/protocols/{protocol}/")
                  and protocol not in PurePosixPath(path).name]
        yield from _falls(tree, "protocol", naming, most, f"name {protocol}")


def node_namespace(tree: Tree) -> Iterator[Violation]:
    """A room has a namespace of its own, so that a name shows where it stands."""
    opening = sorted({path for path, _, line in tree.lines(*CPP, under="libvpnha/src/")
                      if line.startswith("namespace vpnha::node")
                      and layer_of(path) not in ("cluster/node", "cluster/gateway")})
    yield from _falls(tree, "namespace", opening, NODE_NAMESPACE_MAX, "open vpnha::node")


def _falls(tree: Tree, rule: str, found: Sequence[str], most: int, what: str
           ) -> Iterator[Violation]:
    """A limit of sources elsewhere falls with their number."""
    if len(found) > most or (len(found) < most and OWN_PATH in tree.files):
        yield Violation(OWN_PATH, 1, rule,
                        f"{len(found)} sources elsewhere {what}, and the limit is {most}: "
                        f"{', '.join(found)}")


def everything_behind(arrows: Mapping[str, Collection[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = set(arrows.get(waiting.pop(), ())) - seen
        seen |= new
        waiting += new
    return seen
