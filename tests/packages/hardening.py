# SPDX-License-Identifier: GPL-2.0-or-later
"""hardening.py [--build DIR] FILE…: has each ELF file what docs/operate/security.md promises of it?

FILE is an ELF file or a Debian package. With --build each object of the product in that build
directory is looked at too: what its compiler was given, and whether it may run with CET. One line
for each property that is missing; exit 1 when there is one.
"""
from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PRODUCT = ("agents/", "cli/", "daemon/", "exporter/", "libvpnha/", "pppd-plugin/",
           "probe/", "stonith/", "witness/")
# What an ELF file shows of these is that at least one object had them.
COMPILED_WITH = ("-O2", "-D_FORTIFY_SOURCE=3", "-fstack-protector-strong",
                 "-fstack-clash-protection", "-fcf-protection", "-ftrivial-auto-var-init=zero")
ENVIRONMENT = {**os.environ, "LC_ALL": "C"}


def output_of(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, env=ENVIRONMENT, check=True).stdout


def is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def missing_of_file(path: Path) -> Iterator[str]:
    # It knows PIE, RELRO, BIND_NOW, the stack protector and fortified functions. It fails where it
    # finds something, and shows what.
    found = subprocess.run(["hardening-check", "--quiet", "--nocfprotection", str(path)],
                           capture_output=True, text=True, env=ENVIRONMENT, check=False)
    named = [line.strip() for line in found.stdout.splitlines()
             if ": no" in line and "(ignored)" not in line]
    # It finds the protector by a name of the C library's, which a static program has in itself.
    # What its objects were compiled with is looked at beside that.
    loads_nothing = "(NEEDED)" not in output_of("readelf", "--dynamic", "--wide", str(path))
    yield from (each for each in named
                if not (loads_nothing and each.startswith("Stack protected: no"))
                # Newer ones look for arm64's in every file.
                and not each.startswith("Branch Protection: no"))
    if found.returncode and not named:
        yield f"hardening-check fails: {found.stderr.strip()}"
    stack = re.search(r"^ *GNU_STACK\b.*$", output_of("readelf", "--segments", "--wide", str(path)),
                      re.MULTILINE)
    if not stack or "E" in stack[0].split()[6]:
        yield "NX: no, the stack may be executable"
    # The note has IBT as well where Debian's own start-up objects have it: from Debian 13 on.
    if not re.search(r"x86 feature:.*\bSHSTK\b", output_of("readelf", "--notes", str(path))):
        yield "Shadow stack: no, not in the notes"


def missing_of_objects(build: Path) -> Iterator[str]:
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    objects = []
    for entry in commands:
        given = entry["command"].split()
        output = given[given.index("-o") + 1]
        if not output.startswith(PRODUCT):
            continue
        for flag in COMPILED_WITH:
            if flag not in given:
                yield f"{output}: compiled without {flag}"
        if (build / output).exists():
            objects.append(output)
    if not objects:
        yield f"{build}: no object of the product is built"
    for name in objects:
        notes = output_of("readelf", "--notes", str(build / name))
        if not re.search(r"x86 feature: IBT, SHSTK", notes):
            yield f"{name}: CET: no, IBT and SHSTK are not in its notes"


def elf_files(path: Path, unpacked: Path) -> Iterator[tuple[str, Path]]:
    """The ELF files of a package, or the file itself, each with its name for a reader. Separate
    debug symbols are no programs."""
    if path.suffix != ".deb":
        yield str(path), path
        return
    subprocess.run(["dpkg-deb", "--extract", str(path), str(unpacked)], check=True)
    for file in sorted(unpacked.rglob("*")):
        if is_elf(file) and "usr/lib/debug" not in str(file):
            yield f"{path.name}: /{file.relative_to(unpacked)}", file


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="hardening.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path)
    parser.add_argument("file", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    missing = list(missing_of_objects(options.build)) if options.build else []
    looked_at = 0
    for path in options.file:
        with tempfile.TemporaryDirectory() as unpacked:
            for name, file in elf_files(path, Path(unpacked)):
                looked_at += 1
                missing += (f"{name}: {found}" for found in missing_of_file(file))
    if not looked_at:
        missing.append("there is no ELF file in what was given")
    for line in missing:
        print(line)
    print(f"hardening: {looked_at} ELF files, {len(missing)} findings")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
