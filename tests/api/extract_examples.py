# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the examples of public headers into one source: extract_examples.py OUT HEADER…

An example is the indented block after a comment line "Example:". Each gets a namespace of its own,
so that several may define main(). A header without one is fine; no example at all is an error.
"""
from __future__ import annotations

import sys
from pathlib import Path


def example(text: str) -> list[str]:
    lines = text.splitlines()
    starts = [index for index, line in enumerate(lines) if line.strip() == "// Example:"]
    found: list[str] = []
    for start in starts:
        for line in lines[start + 1:]:
            if line.startswith("//     "):
                found.append(line.removeprefix("//     "))
            elif line == "//":
                found.append("")
            else:
                break
    return found


def main() -> int:
    out, headers = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    parts = [f'#include "vpnha/{header.name}"' for header in headers]
    parts += [f"#include <{name}>" for name in ("cstdio", "map", "poll.h", "string")]
    count = 0
    for header in headers:
        code = example(header.read_text(encoding="utf-8"))
        if code:
            count += 1
            parts += [f"namespace example_{header.stem} {{", *code, "}"]
    if not count:
        print("no header has an example", file=sys.stderr)
        return 1
    out.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
