# SPDX-License-Identifier: GPL-2.0-or-later
"""The sites that docs/use/cluster-templates.md lists, and their configuration in each of the
forms."""
from __future__ import annotations

import copy
import functools
import os
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

import pcs_scripts
from vpnlab.product.cluster import fill, render_cib

ROOT = Path(__file__).resolve().parents[2]
THREE, TWO = ("gw1", "gw2", "gw3"), ("gw1", "gw2")
VALUES = {"GATEWAY": "dialin", "SUFFIX": "", "XL2TPD_CONFIG": "/etc/xl2tpd/dialin.conf",
          "SWANCTL_CONFIG": "/etc/swanctl/swanctl.conf",
          "PPTPD_CONFIG": "/etc/pptpd/dialin.conf", "FENCE_AGENT": "fence_dummy",
          "FENCE_PARAMETERS": "status_file=/run/power",
          "ADDRESSES": "192.0.2.9/24 2001:db8::9/64", "INTERFACE": "outside",
          "SERVICE": "ocf:pacemaker:Dummy", "PROTOCOL": "pptp", "PEER": "192.0.2.51",
          "LOGIN": "site one", "SECRET_FILE": "/etc/vpnha/office.secret", "LINK": "link0",
          "ROUTES": "10.1.0.0/16 10.2.0.0/16", "PRIMARY": "gw2", "WITNESS": "gw3",
          "ADDRESS": "192.0.2.100", "PROTOCOLS": "l2tp ike",
          "PREFIXES": "203.0.113.9/32 10.8.0.0/24", "ANNOUNCE": "announce0"}
SECOND = {"GATEWAY": "dialin2", "SUFFIX": "-dialin2", "XL2TPD_CONFIG": "/etc/xl2tpd/dialin2.conf",
          "SWANCTL_CONFIG": "/etc/swanctl/dialin2.conf"}
XML_VALUES = {"FENCE_PARAMETERS":
              '<nvpair id="fencing-file" name="status_file" value="/run/power"/>',
              "SERVICE": 'class="ocf" provider="pacemaker" type="Dummy"'}

Part = tuple[str, dict[str, str]]


def part(path: str, **values: str) -> Part:
    return path, values


def board(agent: str) -> list[Part]:
    return [part(f"stonith/{agent}", NODE=node, BOARD=f"{node}.example", USER="vpnha",
                 SYSTEM="/redfish/v1/Systems/1", PASSWORD="/etc/vpnha/board") for node in THREE]


L2TP = part("cib-templates/l2tp-gateway")
# Nodes, and what is loaded, in that order.
SITES: dict[str, tuple[Sequence[str], list[Part]]] = {
    "l2tp": (THREE, [L2TP]),
    "l2tp-ipsec": (THREE, [part("cib-templates/l2tp-ipsec-gateway")]),
    "ikev2": (THREE, [part("cib-templates/ikev2-gateway")]),
    "pptp": (THREE, [part("cib-templates/pptp-gateway")]),
    "wireguard": (THREE, [part("cib-templates/wireguard-gateway")]),
    "addresses": (THREE, [part("cib-templates/vip-gateway")]),
    "link": (THREE, [part("cib-templates/pppd-link")]),
    "two-gateways": (THREE, [L2TP, part("cib-templates/l2tp-gateway", **SECOND)]),
    "two-gateways-apart": (THREE, [part("cib-templates/ikev2-gateway"),
                                   part("cib-templates/ikev2-gateway", **SECOND),
                                   part("cib-templates/apart", OTHER=SECOND["SUFFIX"]),
                                   part("cib-templates/apart", SUFFIX=SECOND["SUFFIX"],
                                        OTHER="")]),
    "witness": (THREE, [L2TP, part("cib-templates/witness")]),
    "fence-vpnha": (THREE, [L2TP, part("stonith/fence-vpnha-then-power")]),
    "two-nodes": (TWO, [L2TP, part("stonith/two-nodes")]),
    "two-nodes-witness": (TWO, [L2TP, part("stonith/two-nodes-witness")]),
    "sbd": (THREE, [L2TP, part("stonith/sbd")]),
    "probe": (THREE, [L2TP, part("cib-templates/probe")]),
    "announce": (THREE, [L2TP, part("cib-templates/announce")]),
}
# What takes the place of a gateway's own power device, or is the same.
DEVICES: dict[str, tuple[Sequence[str], list[Part]]] = {
    "power": (THREE, [part("stonith/power")]),
    "ipmilan": (THREE, board("ipmilan")),
    "redfish": (THREE, board("redfish")),
    "virsh": (THREE, [part("stonith/virsh", MACHINES="gw1:a;gw2:b;gw3:c", HYPERVISOR="host",
                           USER="vpnha", KEY="/etc/vpnha/key")]),
}
ALL = {**SITES, **DEVICES}


def variables(site: str, form: str, values: dict[str, str]) -> dict[str, str]:
    return {**VALUES, "NODES": " ".join(ALL[site][0]), **(XML_VALUES if form == "xml" else {}),
            **values}


@functools.cache
def by_crm(site: str) -> ElementTree.Element:
    return render_cib(*(fill((ROOT / f"{path}.crm").read_text("utf-8"),
                             variables(site, "crm", values)) for path, values in ALL[site][1]))


def by_crm_with_comments(site: str, directory: Path, agents: Path) -> ElementTree.Element:
    """The texts as they are shipped; a value is put into their comments, too, as sed would."""
    cib, text = _empty(directory), directory / "text.crm"
    for path, values in ALL[site][1]:
        shipped = (ROOT / f"{path}.crm").read_text("utf-8")
        text.write_text(_filled(shipped, variables(site, "crm", values)), encoding="utf-8")
        _run(["crm", "configure", "load", "update", text], {
            "CIB_file": str(cib), "HOME": str(directory), "OCF_ROOT": str(agents),
            "PATH": f"{agents}:/usr/sbin:/usr/bin:/sbin:/bin"})
    return ElementTree.parse(cib).getroot()


def by_xml(site: str, directory: Path) -> ElementTree.Element:
    cib, text = _empty(directory), directory / "text.xml"
    for path, values in ALL[site][1]:
        shipped = _form(path, "xml").read_text("utf-8")
        text.write_text(_filled(shipped, variables(site, "xml", values)), encoding="utf-8")
        _run(["cibadmin", "-M", "-c", "-o", "configuration", "-x", text], {"CIB_file": str(cib)})
    return ElementTree.parse(cib).getroot()


def by_pcs(site: str, directory: Path) -> ElementTree.Element:
    cib, text = _empty(directory), directory / "text.sh"
    for path, values in ALL[site][1]:
        shipped = _form(path, "pcs").read_text("utf-8")
        text.write_text(_filled(shipped, variables(site, "pcs", values)), encoding="utf-8")
        pcs_scripts.run(text, cib)
    return ElementTree.parse(cib).getroot()


def _run(argv: Sequence[str | Path], environment: dict[str, str]) -> None:
    done = subprocess.run(argv, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or done.stdout


def _form(path: str, form: str) -> Path:
    folder, name = path.split("/")
    return ROOT / folder / form / f"{name}.{'sh' if form == 'pcs' else 'xml'}"


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _empty(directory: Path) -> Path:
    cib = directory / "cib.xml"
    cib.write_text(subprocess.run(["cibadmin", "--empty"], capture_output=True, text=True,
                                  check=True).stdout, encoding="utf-8")
    return cib


# Their ids name nothing that another element refers to, and each tool makes its own.
NAMELESS = {"nvpair", "instance_attributes", "meta_attributes", "op", "expression", "rule",
            "fencing-level", "cluster_property_set"}
Normal = tuple[str, tuple[tuple[str, str], ...], tuple["Normal", ...]]


def normal(element: ElementTree.Element) -> Normal:
    """An element without what means nothing: ids that nothing refers to, order, empty sections."""
    attributes = {name: value for name, value in element.attrib.items()
                  if not (name == "id" and element.tag in NAMELESS)}
    if element.tag == "rule":
        attributes.setdefault("boolean-op", "and")
    inside = sorted(normal(each) for each in element)
    return (element.tag, tuple(sorted(attributes.items())),
            tuple(each for each in inside if each[1] or each[2]))


def without_cloned_devices(cib: ElementTree.Element) -> ElementTree.Element:
    """A CIB whose fencing devices are not cloned: pcs 0.12 refuses to."""
    made = copy.deepcopy(cib)
    resources = made.find("./configuration/resources")
    assert resources is not None
    for clone in resources.findall("./clone"):
        device = clone.find("./primitive[@class='stonith']")
        if device is not None:
            resources.remove(clone)
            resources.append(device)
    return made


def configuration(cib: ElementTree.Element) -> Normal:
    found = cib.find("./configuration")
    assert found is not None
    return normal(found)
