# SPDX-License-Identifier: GPL-2.0-or-later
"""index.py ROOT: docs/README.md names each document once, and no other file."""
from __future__ import annotations

import re
import sys
from pathlib import Path


def main(root: Path) -> int:
    docs = root / "docs"
    # The second part of a link, without the heading.
    linked = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)",
                        (docs / "README.md").read_text(encoding="utf-8"))
    wanted = {path.name for path in docs.glob("*.md")} - {"README.md"}
    faults = [*(f"{name} is not there" for name in linked if not (docs / name).exists()),
              *(f"{name} is missing" for name in sorted(wanted - set(linked))),
              *(f"{name} stands there twice" for name in sorted(set(linked))
                if linked.count(name) > 1)]
    for fault in faults:
        print(f"docs/README.md: {fault}")
    return 1 if faults or not linked else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
