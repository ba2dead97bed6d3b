# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills a VPN gateway under live traffic and shows what the client saw: with today's stack (stock
daemons and IPaddr2 on the same cluster), of L2TP/IPsec also with strongSwan's own HA pair, and with
vpnha."""
from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from vpnlab.host.errors import (EXIT_INTERRUPTED, EXIT_SCENARIO_FAILED, AlreadyUp,  # noqa: E402
                                LabError, NotRoot, ResourcesShort)
from vpnlab.host.kernel import DEFAULT_SERIES  # noqa: E402
from vpnlab.host.machines import ensure_machine, usual_kind  # noqa: E402
from vpnlab.host.lab import Lab, check_host, known_labs  # noqa: E402
from vpnlab.host.progress import emit, run_logged  # noqa: E402
from vpnlab.host.stage import install_stage  # noqa: E402
from vpnlab.report.report import print_summary, write_report  # noqa: E402
from vpnlab.steps import scenario  # noqa: E402 - the path must be set first

ROOT = Path(__file__).resolve().parent.parent
NAME = "demo"
# Build tree, kernel source and captures.
DISK_MB = 4000
TAIL_LINES = 15
REPORT = "report.html"


@dataclass(frozen=True)
class Act:
    """One part of the demo: a scenario, and what it shows."""

    label: str
    scenario: str
    shows: str
    survives: bool = True


def acts(control: str, ours: str, *beside: Act,
         end: str = "the session is lost") -> tuple[Act, ...]:
    """`beside`: what one would take instead of vpnha, too. `end`: what becomes of the session in
    today's stack."""
    return (Act("today's stack", control,
                "the gateway dies, the cluster moves its addresses and daemons, " + end,
                survives=False),
            *beside,
            Act("vpnha", ours,
                "the gateway dies, a standby stands in, and the client's session continues there"))


HA_PAIR = Act("strongSwan's HA pair", "ipsec-ha-pair",
              "two gateways share their SAs by strongSwan's ha plugin; one dies, the L2TP session "
              "is lost, and IKEv2 is silent until ESP's numbers, counted anew, reach the old ones",
              survives=False)
PROTOCOLS = {"l2tp-ipsec": acts("ipsec-control", "l2tp-ipsec-power-cut", HA_PAIR),
             "l2tp": acts("l2tp-control", "l2tp-power-cut"),
             "pptp": acts("pptp-control", "pptp-power-cut"),
             "wireguard": acts("wireguard-control", "wireguard-power-cut",
                               end="the client is silent until it tries by itself, after 15 s")}

EPILOG = """\
exit codes:
    0  the session survived with vpnha, and died without it 1  it was otherwise; see the report
    2  wrong usage                  10, 11, 12  a package is missing and cannot be installed
  101  the lab itself failed              102  not root
  103  no /dev/net/tun                    104  memory or disk short
  106  another lab of this name is up     108  the kernel build failed
  110  the build of vpnha failed          130  interrupted
"""


class BuildFailed(Exception):
    """No error of the lab, so none of its exit codes."""

    exit_code = 110


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="demo", description=__doc__, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protocol", choices=PROTOCOLS, default="l2tp-ipsec",
                        help="what the client speaks: L2TP/IPsec from behind a NAT, as phones and "
                             "Windows do (default), plain L2TP, PPTP, or WireGuard")
    parser.add_argument("--keep", action="store_true",
                        help="leave the lab up afterwards and show how to look around")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo", metavar="DIR",
                        help="where report and captures go (default: build/demo)")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return run(PROTOCOLS[options.protocol], options.out.resolve(), options.keep)
    except (LabError, BuildFailed) as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def run(chosen: Sequence[Act], out: Path, keep: bool) -> int:
    check_machine(chosen)
    emit("building vpnha as it would be packaged; the first time takes minutes")
    stage = build()
    emit("the lab's kernel: made once from Debian's package, then cached")
    ensure_machine(usual_kind(), DEFAULT_SERIES)
    remove_earlier(out)
    met = []
    for act in chosen:
        emit(f"--- {act.label}: {act.shows}")
        met.append(run_act(act, out, stage, keep and act is chosen[-1]))
    # First what vpnha does.
    results = [(act.label, out / act.scenario)
               for act in sorted(chosen, key=lambda act: not act.survives)]
    report = out / REPORT
    write_report(results, report)
    print_summary(results, sys.stdout)
    print(f"\nReport: {report}")
    if keep:
        print(f"""
The lab of vpnha is still up. Look around:
  lab/lab status --name {NAME}
  lab/lab exec --name {NAME} gw2 -- vpnha status
  lab/lab exec --name {NAME} gw2 -- crm_mon -1
Take it down with: lab/lab down --name {NAME}""")
    return 0 if all(met) else EXIT_SCENARIO_FAILED


def remove_earlier(out: Path) -> None:
    """Removes what an earlier demo wrote, and nothing else: the directory is the user's."""
    (out / REPORT).unlink(missing_ok=True)
    for chosen in PROTOCOLS.values():
        for act in chosen:
            shutil.rmtree(out / act.scenario, ignore_errors=True)


def check_machine(chosen: Sequence[Act]) -> None:
    """Everything that would stop the demo, before minutes of building."""
    if os.geteuid() != 0:
        raise NotRoot("the demo needs root: it makes network namespaces and TAP devices")
    if NAME in known_labs():
        raise AlreadyUp(f"a lab named {NAME!r} is up; take it down: lab/lab down --name {NAME}")
    for act in chosen:
        chosen_scenario = scenario.load(act.scenario).scenario
        check_host(chosen_scenario.nodes, chosen_scenario.memory_mb)
    free_mb = shutil.disk_usage(ROOT).free // 2**20
    if free_mb < DISK_MB:
        raise ResourcesShort(f"{free_mb} MB free below {ROOT}, {DISK_MB} MB are needed; make room")


def build() -> Path:
    log = ROOT / "build" / "demo-build.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        for argv in (["cmake", "--preset", "release"],
                     ["cmake", "--build", "--preset", "release", "--target", "product"]):
            if run_logged(argv, ROOT, output, lambda text: emit(f"vpnha: {text}")):
                output.flush()
                raise BuildFailed(build_failure(argv, log))
    return install_stage()


def build_failure(argv: Sequence[str], log: Path) -> str:
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"{' '.join(argv)} failed; the end of {log}:", *tail])


def run_act(act: Act, out: Path, stage: Path, keep: bool) -> bool:
    loaded = scenario.load(act.scenario)
    lab = Lab.new(NAME, loaded.scenario.nodes, stage)
    lab.up()
    ok = False
    try:
        ok = scenario.execute(loaded, lab, out / act.scenario, seed=1)
    finally:
        if not (keep and ok):
            lab.down()
    return ok


if __name__ == "__main__":
    sys.exit(main())
