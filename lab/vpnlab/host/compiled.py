# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of the lab in C: compiled on the host, kept with the kernels."""
from __future__ import annotations

import hashlib
import subprocess
import threading
from pathlib import Path

from .errors import LabError
from .kernel import cache_dir


def compiled(source: Path, *flags: str) -> Path:
    """What gcc makes of a source, kept under its hash; LabError: it does not compile."""
    key = hashlib.sha256(source.read_bytes() + " ".join(flags).encode()).hexdigest()[:12]
    built = cache_dir() / f"{source.stem}-{key}"
    if not built.exists():
        built.parent.mkdir(parents=True, exist_ok=True)
        # Under a name of its own, then renamed: of two callers, which may be threads of one
        # program, neither sees half a program.
        partial = built.with_name(f"{built.name}.{threading.get_native_id()}")
        done = subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", *flags, "-o",
                               str(partial), str(source)], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise LabError(f"{source.name} does not compile: {done.stderr.strip()}")
        partial.rename(built)
    return built
