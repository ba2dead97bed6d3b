# SPDX-License-Identifier: GPL-2.0-or-later
"""index.py ROOT: docs/README.md names each document of each folder once."""
from __future__ import annotations

import re
import sys
from pathlib import Path

# Which have their own order, and are named as a folder.
DECISIONS = "adr/"


def main(root: Path) -> int:
    docs = root / "docs"
    # The second part of a link, without the heading.
    linked = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)",
                        (docs / "README.md").read_text(encoding="utf-8"))
    documents = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    wanted = {name for name in documents - {"README.md"} if not name.startswith(DECISIONS)}
    faults = [*(f"{name} is missing" for name in sorted(wanted - set(linked))),
              *(f"{name} stands there twice" for name in sorted(set(linked))
                if linked.count(name) > 1)]
    for fault in faults:
        print(f"docs/README.md: {fault}")
    return 1 if faults or not linked else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
