# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of one target of libFuzzer, and what it found."""
from __future__ import annotations

import hashlib
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 4096


@dataclass
class Run:
    ok: bool
    seconds: int
    inputs: int
    # Of what failed: the input, and all that the target printed.
    found: Path | None
    log: Path


def fuzz(binary: Path, seconds: int, found: Path, corpus: Path, seeds: Path) -> Run:
    """Begins with what earlier runs have left in `found`, with `corpus` and with `seeds`, as far as
    they are there. An input that ends the target is copied into `corpus`."""
    (found / "corpus").mkdir(parents=True, exist_ok=True)
    log = found / "log"
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        code = subprocess.run(
            [str(binary), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024",
             f"-max_len={MAX_BYTES}", "-print_final_stats=1", f"-artifact_prefix={found}/",
             str(found / "corpus"), *(str(each) for each in (corpus, seeds) if each.is_dir())],
            cwd=found, stdout=output, stderr=output, check=False).returncode
    spent = round(time.monotonic() - began)
    text = log.read_text(encoding="utf-8", errors="replace")
    inputs = re.findall(r"^stat::number_of_executed_units: *(\d+)", text, re.MULTILINE)
    if code == 0:
        return Run(True, spent, int(inputs[-1]) if inputs else 0, None, log)
    written = re.findall(r"Test unit written to (.*)$", text, re.MULTILINE)
    if not written:
        return Run(False, spent, 0, None, log)
    data = Path(written[-1]).read_bytes()
    kept = corpus / f"found-{hashlib.sha256(data).hexdigest()[:12]}"
    corpus.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(data)
    return Run(False, spent, 0, kept, log)
