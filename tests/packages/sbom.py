# SPDX-License-Identifier: GPL-2.0-or-later
"""sbom.py PACKAGES: is the bill of materials beside Debian packages valid and whole?

Valid: what SPDX 2.3 wants of a document. Whole: each package is in it with its checksum, and each
shared library that a program of theirs names, with the version that this machine has. One line for
each fault; exit 1 when there is one.
"""
from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OF_DOCUMENT = ("spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace",
               "creationInfo", "packages", "relationships")
OF_PACKAGE = ("SPDXID", "name", "versionInfo", "downloadLocation", "licenseConcluded",
              "licenseDeclared", "copyrightText")
RELATIONSHIPS = ("BUILD_TOOL_OF", "DESCRIBES", "DYNAMIC_LINK", "GENERATED_FROM", "STATIC_LINK")


def output_of(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def invalid(document: dict[str, Any]) -> Iterator[str]:
    yield from (f"the document has no {key}" for key in OF_DOCUMENT if not document.get(key))
    if document.get("spdxVersion") != "SPDX-2.3" or document.get("dataLicense") != "CC0-1.0":
        yield "the document is not of SPDX 2.3 under CC0-1.0"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                        document.get("creationInfo", {}).get("created", "")):
        yield "the document has no time in SPDX's form"
    known = {"SPDXRef-DOCUMENT"}
    for package in document.get("packages", ()):
        name = package.get("name")
        yield from (f"{name} has no {key}" for key in OF_PACKAGE if not package.get(key))
        identifier = package.get("SPDXID", "")
        if not re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", identifier) or identifier in known:
            yield f"{name}: {identifier} is no identifier, or that of another package"
        known.add(identifier)
        for reference in package.get("externalRefs", ()):
            if not re.fullmatch(r"pkg:deb/debian/[a-z0-9.%B+-]+@[^ +~?]+\?arch=[a-z0-9]+",
                                reference.get("referenceLocator", "")):
                yield f"{name}: {reference.get('referenceLocator')} is no purl"
    for relationship in document.get("relationships", ()):
        if relationship["relationshipType"] not in RELATIONSHIPS:
            yield f"{relationship['relationshipType']} is no relationship that is used here"
        for end in (relationship["spdxElementId"], relationship["relatedSpdxElement"]):
            if end not in known:
                yield f"{end} is in no package"


def missing(document: dict[str, Any], packages: Path) -> Iterator[str]:
    by_name = {package["name"]: package for package in document.get("packages", ())
               if package["SPDXID"] != "SPDXRef-source"}
    linked = {(relationship["spdxElementId"], relationship["relatedSpdxElement"])
              for relationship in document.get("relationships", ())
              if relationship["relationshipType"] == "DYNAMIC_LINK"}
    ours: dict[str, str] = {}
    needs: dict[str, set[str]] = {}
    for path in sorted(packages.glob("*.deb")):
        name = output_of("dpkg-deb", "--field", str(path), "Package").strip()
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        sums = by_name.get(name, {}).get("checksums", ())
        if checksum not in [one["checksumValue"] for one in sums]:
            yield f"{path.name} is not in the document with its checksum"
        with tempfile.TemporaryDirectory() as unpacked:
            output_of("dpkg-deb", "--extract", str(path), unpacked)
            for file in Path(unpacked).rglob("*"):
                if file.is_symlink() or not file.is_file() or "usr/lib/debug" in str(file):
                    continue
                if file.read_bytes()[:4] == b"\x7fELF":
                    dynamic = output_of("readelf", "--dynamic", "--wide", str(file))
                    ours.update({soname: name for soname in
                                 re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)})
                    needs.setdefault(name, set()).update(
                        re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    if not needs:
        yield f"no package in {packages} has a program"
    for name, libraries in needs.items():
        for library in sorted(libraries):
            owner, version = ours.get(library), None
            if owner is None:
                found = output_of("dpkg-query", "--search", f"*/x86_64-linux-gnu/{library}")
                owner = found.split(":")[0].split(",")[0]
                version = output_of("dpkg-query", "--show", "-f", "${Version}\n",
                                    owner).splitlines()[0]
            package = by_name.get(owner)
            if package is None or version not in (None, package["versionInfo"]):
                yield f"{name}: {library} of {owner} {version or ''} is not in the document"
            elif name in by_name and (by_name[name]["SPDXID"], package["SPDXID"]) not in linked:
                yield f"{name}: the document does not state that it loads {owner}"


def main(arguments: list[str]) -> int:
    packages = Path(arguments[0])
    documents = sorted(packages.glob("*.spdx.json"))
    faults = []
    if len(documents) != 1:
        faults.append(f"{packages} has {len(documents)} bills of materials")
    for path in documents:
        document = json.loads(path.read_text(encoding="utf-8"))
        faults += [*invalid(document), *missing(document, packages)]
        print(f"sbom: {path.name}, {len(document.get('packages', ()))} packages, "
              f"{len(faults)} faults")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
