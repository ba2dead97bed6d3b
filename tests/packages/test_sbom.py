# SPDX-License-Identifier: GPL-2.0-or-later
"""setup/sbom must have what was linked, and sbom.py must name each fault of a document."""
from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

# The path must be set first.
import sbom  # noqa: E402

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(sample C CXX)
add_library(own SHARED own.c)
add_library(plugin MODULE own.c)
target_link_libraries(plugin m)
set_target_properties(plugin PROPERTIES PREFIX "")
add_executable(program main.c)
target_link_libraries(program own z)
"""
SOURCES = {"CMakeLists.txt": PROJECT,
           "own.c": "#include <libmnl/libmnl.h>\nint own(void) { return 1; }\n",
           "main.c": "#include <zlib.h>\nint own(void);\n"
                     "int main(void) { return zlibVersion()[0] == (char)own(); }\n"}


def run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{argv}: {done.stdout}{done.stderr}")


def package(directory: Path, name: str, program: Path) -> None:
    tree = directory / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr" / "bin").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: {name}\nVersion: 1~rc1\nArchitecture: amd64\nMaintainer: a <a@a>\n"
        "Description: a\n", encoding="utf-8")
    (tree / "usr" / "bin" / program.name).write_bytes(program.read_bytes())
    run("dpkg-deb", "--build", str(tree), str(directory / f"{name}_1_amd64.deb"))


def found(packages: Path) -> tuple[int, str]:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        code = sbom.main([str(packages)])
    return code, text.getvalue()


class SbomTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        for name, text in SOURCES.items():
            (directory / name).write_text(text, encoding="utf-8")
        build = directory / "build"
        run("cmake", "-G", "Ninja", "-S", str(directory), "-B", str(build),
            "-DVPNHA_BPF_CLANG:FILEPATH=/usr/bin/clang",
            "-DVPNHA_BPFTOOL:FILEPATH=/usr/sbin/bpftool")
        run("ninja", "-C", str(build))
        cls.packages = directory / "packages"
        package(cls.packages, "sample", build / "program")
        package(cls.packages, "libown", build / "libown.so")
        package(cls.packages, "plugin", build / "plugin.so")
        run(str(ROOT / "setup" / "sbom"), str(cls.packages), str(build))
        (cls.path,) = cls.packages.glob("*.spdx.json")
        cls.document = json.loads(cls.path.read_text(encoding="utf-8"))

    def setUp(self) -> None:
        self.path.write_text(json.dumps(self.document), encoding="utf-8")

    def related(self, kind: str) -> set[tuple[str, str]]:
        return {(one["spdxElementId"], one["relatedSpdxElement"])
                for one in self.document["relationships"] if one["relationshipType"] == kind}

    def test_it_has_what_was_linked_and_compiled_in(self):
        self.assertEqual(found(self.packages)[0], 0, found(self.packages)[1])
        loaded, compiled = self.related("DYNAMIC_LINK"), self.related("STATIC_LINK")
        for end in ("SPDXRef-deb-zlib1g", "SPDXRef-deb-libc6", "SPDXRef-deb-libown"):
            self.assertIn(("SPDXRef-deb-sample", end), loaded)
        self.assertIn(("SPDXRef-deb-zlib1g", "SPDXRef-deb-libc6"), loaded)
        self.assertIn(("SPDXRef-deb-sample", "SPDXRef-deb-zlib1g-dev"), compiled)
        self.assertNotIn(("SPDXRef-deb-libown", "SPDXRef-deb-zlib1g-dev"), compiled)
        for end in ("libown", "plugin"):
            self.assertIn((f"SPDXRef-deb-{end}", "SPDXRef-deb-libmnl-dev"), compiled)
        # It is in libown, which the program loads.
        self.assertNotIn(("SPDXRef-deb-sample", "SPDXRef-deb-libmnl-dev"), compiled)
        self.assertIn("SPDXRef-deb-bpftool", {tool for tool, _ in self.related("BUILD_TOOL_OF")})
        licences = {one["licenseDeclared"] for one in self.document["packages"]
                    if one["SPDXID"] in ("SPDXRef-source", "SPDXRef-deb-sample")}
        self.assertEqual(licences, {"GPL-2.0-or-later"})

    def test_each_fault_is_named(self):
        def without(name):
            return [one for one in self.document["packages"] if one["name"] != name]

        def other(name, **changed):
            return [{**one, **changed} if one["name"] == name else one
                    for one in self.document["packages"]]

        for changed, named in (
                ({"spdxVersion": "SPDX-2.2"}, "not of SPDX 2.3"),
                ({"documentNamespace": ""}, "the document has no documentNamespace"),
                ({"creationInfo": {"created": "now"}}, "no time in SPDX's form"),
                ({"packages": other("zlib1g", SPDXID="zlib 1")}, "zlib 1 is no identifier"),
                ({"packages": other("zlib1g", versionInfo="1")}, "libz.so.1 of zlib1g"),
                ({"packages": other("sample", checksums=[])}, "sample_1_amd64.deb is not in"),
                ({"packages": other("libc6", copyrightText="")}, "libc6 has no copyrightText"),
                ({"packages": other("libc6", externalRefs=[{"referenceLocator": "libc6"}])},
                 "libc6 is no purl"),
                ({"packages": without("zlib1g")}, "SPDXRef-deb-zlib1g is in no package"),
                ({"relationships": [{"spdxElementId": "SPDXRef-source", "relationshipType": "IS",
                                     "relatedSpdxElement": "SPDXRef-source"}]},
                 "sample: the document does not state that it loads zlib1g")):
            with self.subTest(named):
                self.path.write_text(json.dumps({**self.document, **changed}), encoding="utf-8")
                code, text = found(self.packages)
                self.assertEqual(code, 1, text)
                self.assertIn(named, text)

    def test_no_document_is_a_fault(self):
        self.path.unlink()
        self.assertEqual(found(self.packages)[0], 1)


if __name__ == "__main__":
    unittest.main()
