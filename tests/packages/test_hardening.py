# SPDX-License-Identifier: GPL-2.0-or-later
"""hardening.py must name each property that a program misses."""
from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

# The path must be set first.
import hardening  # noqa: E402

SOURCE = """#include <stdio.h>
#include <string.h>
int main(int argc, char** argv) {
    char name[64];
    strcpy(name, argv[argc - 1]);
    return printf("%s", name);
}
"""
PRESETS = json.loads((Path(__file__).resolve().parents[2] / "CMakePresets.json")
                     .read_text(encoding="utf-8"))["configurePresets"]
FLAGS = next(preset["environment"] for preset in PRESETS if preset["name"] == "release")
COMPILER, LINKER = FLAGS["HARDENING"], FLAGS["LINKING"]


def found(*arguments: str) -> tuple[int, str]:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        code = hardening.main(list(arguments))
    return code, text.getvalue()


class HardeningTest(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.directory / "a.c").write_text(SOURCE, encoding="utf-8")

    def build(self, compiler: str, linker: str) -> str:
        program = self.directory / "program"
        subprocess.run(["gcc", "-O2", "-w", *compiler.split(), *linker.split(), "-o", str(program),
                        str(self.directory / "a.c")], check=True)
        return str(program)

    def test_the_flags_of_the_preset_are_enough(self):
        code, text = found(self.build(f"{COMPILER} -fPIE", f"{LINKER} -pie"))
        self.assertEqual(code, 0, text)

    def test_so_they_are_for_a_static_program(self):
        program = self.build(f"{COMPILER} -fPIE", f"{LINKER} -pie -static-pie")
        subprocess.run(["strip", program], check=True)
        code, text = found(program)
        self.assertEqual(code, 0, text)
        code, text = found(self.build(f"{COMPILER} -fPIE", "-pie -static-pie -Wl,-z,norelro"))
        self.assertIn("relocations", text)

    def test_each_property_that_is_missing_is_named(self):
        pie = f"{COMPILER} -fPIE"
        for compiler, linker, named in (
                (COMPILER + " -fno-pie", LINKER + " -no-pie", "Position Independent Executable"),
                (pie + " -fno-stack-protector", LINKER + " -pie", "Stack protected"),
                (pie + " -U_FORTIFY_SOURCE", LINKER + " -pie", "Fortify Source functions"),
                (pie, LINKER + " -pie -Wl,-z,norelro", "Read-only relocations"),
                (pie, LINKER + " -pie -Wl,-z,lazy", "Immediate binding"),
                (pie, LINKER + " -pie -Wl,-z,execstack", "NX"),
                (pie, LINKER.replace("-Wl,-z,shstk", "") + " -pie", "Shadow stack")):
            with self.subTest(named):
                code, text = found(self.build(compiler, linker))
                self.assertEqual(code, 1, text)
                self.assertIn(f"program: {named}: no", text)
                self.assertIn("1 ELF files, 1 findings", text)

    def test_an_object_that_is_compiled_otherwise_is_named(self):
        for left_out in hardening.COMPILED_WITH:
            given = " ".join(flag for flag in f"-O2 {COMPILER}".split() if flag != left_out)
            (self.directory / "cli").mkdir(exist_ok=True)
            subprocess.run(["gcc", "-w", *given.split(), "-c", "-o",
                            str(self.directory / "cli" / "a.o"), str(self.directory / "a.c")],
                           check=True)
            (self.directory / "compile_commands.json").write_text(json.dumps(
                [{"command": f"gcc {given} -o cli/a.o -c a.c"}]), encoding="utf-8")
            with self.subTest(left_out):
                named = list(hardening.missing_of_objects(self.directory))
                self.assertIn(f"cli/a.o: compiled without {left_out}", named)
                self.assertEqual(left_out == "-fcf-protection",
                                 any("CET: no" in line for line in named), named)

    def test_nothing_to_look_at_is_a_failure(self):
        package = self.directory / "package"
        (package / "DEBIAN").mkdir(parents=True)
        (package / "DEBIAN" / "control").write_text(
            "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@a>\nDescription: a\n",
            encoding="utf-8")
        subprocess.run(["dpkg-deb", "--build", str(package), str(self.directory / "a.deb")],
                       check=True, capture_output=True)
        code, text = found(str(self.directory / "a.deb"))
        self.assertEqual(code, 1)
        self.assertIn("there is no ELF file", text)


if __name__ == "__main__":
    unittest.main()
