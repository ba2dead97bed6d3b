# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages that have a look of their own: of `vpnha page` beside a vpnhad of the test, of `vpnha
drill report`, and of the lab's report. $VPNHA is the command."""
from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "lab"), str(ROOT / "lab/tests")]

import report_sample  # noqa: E402 - where these lie is known since now
from fake_vpnhad import Vpnhad, documented  # noqa: E402
from vpnlab.report.report import write_report  # noqa: E402

# A name without a place at which a line may break.
LONG_NAME = "gateway_of_the_site_" * 3
GOOD, UNREACHABLE, DEGRADED = 0, 3, 6
STRUCK_MS = 1_764_000_000_990.0
DRILL: dict[str, Any] = {
    "version": 1, "what": "a drill", "drill": "node-power", "gateway": "dialin",
    "outcome": "moved", "good": True, "node": "gw2", "from": "gw1", "to": "gw2",
    "fault": "the cluster's fencing resets gw1, which serves", "output": "",
    "begun_unix_ms": STRUCK_MS - 6000, "struck_unix_ms": STRUCK_MS,
    "noticed_unix_ms": STRUCK_MS + 50, "moved_unix_ms": STRUCK_MS + 310,
    "undone_unix_ms": STRUCK_MS + 6000, "recovered_unix_ms": STRUCK_MS + 20_010,
    "undo_trouble": "", "timers": {"stands_in": True, "lease_ms": 300.0, "token_ms": 650.0},
    "ruled": {"timer": "", "set": ""},
    "sessions": {"before": 3, "kept": 3, "lost": 0, "anew": 1}, "notes": [],
    "moments": [{"unix_ms": STRUCK_MS + 50, "node": "gw2", "text": "gw1 is lost"},
                {"unix_ms": STRUCK_MS + 310, "node": "gw2", "text": "gate opened"}],
    "watches": [{"version": 1, "what": "a watch", "address": "192.0.2.100", "machine": "client1",
                 "interval_ms": 50.0,
                 "probes": [[STRUCK_MS - 990 + 50 * n, None if 20 <= n < 26 else 1.0]
                            for n in range(60)]}]}


def type_command(*words: str, codes: tuple[int, ...]) -> None:
    done = subprocess.run([os.environ["VPNHA"], *words], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode in codes, done.stderr


def cluster(directory: Path, name: str, status: Any, sessions: Any) -> None:
    path = directory / f"{name}.socket"
    vpnhad = Vpnhad(path, {"status": status, "sessions": sessions})
    type_command("--socket", str(path), "page", "--output", str(directory / f"{name}.html"),
                 codes=(GOOD,))
    vpnhad.close()


def cluster_in_trouble(directory: Path) -> None:
    """Two gateways, one of which has long names and much amiss."""
    status, sessions = documented("status"), documented("sessions")
    status["quorate"] = False
    gateway = copy.deepcopy(status["gateways"][0])
    gateway["name"] = LONG_NAME
    gateway["blockers"] = ["secrets of node 2 differ from those of this node",
                           f"a blocker of one word: {LONG_NAME}{LONG_NAME}"]
    gateway["last_takeover"]["silence_ms"] = 4.5
    status["gateways"].insert(0, gateway)
    sessions["sessions"] += [
        {**sessions["sessions"][0], "gateway": LONG_NAME, "state": "unprotected",
         "reason": "pppd's plugin of the site has options of which the record has no place, and "
                   "no standby would carry them on"}] * 60
    cluster(directory, "cluster-in-trouble", status, sessions)


def drill(directory: Path, name: str, record: Any) -> None:
    file = directory / f"{name}.json"
    file.write_text(json.dumps(record), encoding="utf-8")
    type_command("drill", "report", str(file), "--html", str(directory / f"{name}.html"),
                 codes=(GOOD, DEGRADED))


def drill_in_trouble() -> dict[str, Any]:
    """A silence without an end, names and addresses that are long, many things at once."""
    watch = DRILL["watches"][0]
    moments = [{"unix_ms": STRUCK_MS + 300 + 3 * n, "node": ("gw2", "gw3")[n % 2],
                "text": f"epoch claimed gateway=dialin epoch=2.{n}"} for n in range(36)]
    moments.append({"unix_ms": STRUCK_MS + 301, "node": LONG_NAME, "text": LONG_NAME * 4})
    return {**DRILL, "good": False, "recovered_unix_ms": None, "moments": moments,
            "fault": f"nftables of {LONG_NAME} drops all packets from and to the other nodes",
            "sessions": {"before": 3, "kept": 1, "lost": 2, "anew": 0},
            "notes": ["the clock of gw3 is 2.4 s away"],
            "watches": [{**watch, "machine": LONG_NAME,
                         "address": "2001:db8:100:200:300:400:500:600",
                         "probes": [[sent, 140.0 if sent < STRUCK_MS else None]
                                    for sent, _ in watch["probes"]]}]}


def write_all(directory: Path) -> None:
    cluster(directory, "cluster", documented("status"), documented("sessions"))
    cluster_in_trouble(directory)
    type_command("--socket", str(directory / "nobody.socket"), "page", "--output",
                 str(directory / "cluster-without-vpnhad.html"), codes=(UNREACHABLE,))
    drill(directory, "drill", DRILL)
    drill(directory, "drill-in-trouble", drill_in_trouble())
    write_report([("vpnha", report_sample.survives(directory / "survives")),
                  ("today's stack", report_sample.dies(directory / "dies"))],
                 directory / "report.html")
