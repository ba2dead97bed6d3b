# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of the lab."""
from __future__ import annotations

import argparse
import math
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from .history.check import check
from .history.packets import captures
from .host.errors import EXIT_INTERRUPTED, EXIT_SCENARIO_FAILED, LabError, NotFound, NotRoot
from .host.kernel import DEFAULT_SERIES, SERIES
from .host.machines import KINDS, ensure_machine, usual_kind
from .host.lab import Lab, known_labs, take_down
from .host.progress import emit
from .host.release import OTHER_RELEASE, RELEASES, THIS_RELEASE, Release
from .host.speed import complaint, page_us
from .host.stage import ROOT, built_packages, install_stage
from .host.state import StateDirectory, check_name
from .host.topology import DEFAULT_NODES, NODES
from .steps import scenario, soak
from .steps.mixed import slice as soak_slice
from .sweep import book, page, slices
from .sweep.areas import AREAS
from .sweep.conduct import Sum, conduct
from .sweep.order import Choice, candidates, choices, chosen, forecast
from .sweep.runner import Runner, only_sweep
from .sweep.tree import Tree

DEFAULT_NAME = "lab"
EXEC_LIMIT_S = 86400.0
# Of a drill: its captures are analysed at its end, in memory.
MINUTES_MAX = 120.0
SWEEP_MINUTES = 30.0
# What commands write into the tree makes it no dirty one.
IGNORED = [str(path.relative_to(ROOT))
           for path in (*(book.kept(release, suffix) for release in RELEASES.values()
                          for suffix in (".json", ".md")), slices.KEPT, slices.PAGE)]

SWEEP_TEXT = """\
Runs scenarios one after the other, builds what they need first, and keeps the results in
docs/reference/evidence.json and docs/reference/evidence.md, with --release of another Debian in
evidence-RELEASE.json and .md. Commit both files.

The order, each time with the oldest evidence first:
  1. scenarios that never ran
  2. scenarios that were red last time
  3. scenarios whose own file, or a file of whose area, changed since the commit of their evidence
  4. all others

No scenario begins after the time is over. One that took longer last time than what is left is
passed over for one that fits. A scenario that has begun is finished. Artifacts are in
build/sweep/NAME; they stay when the scenario is red.
"""

EPILOG = """\
exit codes:
    0  done; `run`, `soak`, `sweep`: every expectation was met; `check-history`: no violation
    1  `run`, `soak`, `sweep`: one was not; `check-history`: a violation
    2  wrong usage
  101  the lab itself failed             102  not root
  103  no /dev/net/tun                   104  memory or disk short
  105  a Debian package is missing       106  a lab of this name is up already
  107  no such lab, node or scenario     108  the kernel build failed
  109  not done in time                  130  interrupted
`exec` passes the command's own code; 128+N if signal N ended it.

environment:
  VPNHA_LAB_CACHE  where built kernels and roots are kept (default /var/cache/vpnha-lab)
  TMPDIR           where nodes keep their memory (default /dev/shm)
"""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="lab", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Virtual nodes with kernels of their own, on virtual networks, for the "
                    "scenarios of vpnha. Needs root.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, named: bool = True) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if named:
            made.add_argument("--name", default=DEFAULT_NAME,
                              help="which lab; any number may be up (default: %(default)s)")
        return made

    up = command("up", "boot a lab and leave it up")
    up.add_argument("--nodes", type=_nodes, default=DEFAULT_NODES, metavar="A,B,…",
                    help=f"of {', '.join(NODES)} (default: {','.join(DEFAULT_NODES)})")
    up.add_argument("--kernel", choices=SERIES,
                    help="the series of all nodes' kernel (default: that of the release)")
    _add_release(up)
    _add_released(up)
    _add_machine(up)
    _add_stage(up)

    down = command("down", "take a lab down, or what a killed run left of it")
    down.add_argument("--all", action="store_true", help="every lab of this machine")

    command("status", "show the state of each node of a lab")
    command("list", "list labs and scenarios", named=False)
    kernel = command("kernel", "build or fetch a kernel of the nodes if it is not cached, print "
                               "its path", named=False)
    kernel.add_argument("--series", choices=SERIES, default=DEFAULT_SERIES,
                        help="which one (default: %(default)s)")
    _add_machine(kernel)

    execute = command("exec", "run a command in a node")
    execute.add_argument("--timeout", type=float, default=EXEC_LIMIT_S, metavar="S",
                         help="end it after so many seconds")
    execute.add_argument("-i", "--stdin", action="store_true",
                         help="give it our standard input, read to its end first")
    execute.add_argument("node")
    execute.add_argument("argv", nargs="+", metavar="-- CMD")

    run = command("run", "run a scenario and write its result", named=False)
    run.add_argument("scenario")
    run.add_argument("--size", type=_whole, metavar="N",
                     help="so many of what the scenario is about, in place of its own number")
    _add_run(run, "for the scenario's random choices")

    drill = command("soak", "clients of all protocols under random faults, and write the result",
                    named=False)
    drill.add_argument("--minutes", type=_minutes, default=25.0, metavar="M",
                       help="no fault begins later than so long after the first "
                            "(default: %(default)g)")
    drill.add_argument("--one-client", action="store_true",
                       help="one session of plain L2TP, on gateways that serve nothing else")
    drill.add_argument("--resume", type=Path, metavar="DIR",
                       help="a slice: continue in the plan where the last slice in DIR ended, "
                            "and add this one to soak.json there. The seed is that of the last "
                            "slice, if none is given")
    drill.add_argument("--page", type=Path, metavar="DIR",
                       help="make docs/reference/soak.md and soak.json of the slices in DIR, run "
                            "nothing; needs no root")
    _add_run(drill, "of the plan: the same one has the same faults in the same order")

    history = command("check-history", "check captures of runs for owners in turns and for numbers "
                                       "that were used twice", named=False)
    history.add_argument("folder", nargs="+", type=Path,
                         help="a run's directory, with its NODE-NETWORK.pcap")

    sweep = command("sweep", "run the scenarios whose evidence is oldest, keep the results",
                    named=False)
    sweep.description = SWEEP_TEXT
    sweep.formatter_class = argparse.RawDescriptionHelpFormatter
    sweep.add_argument("scenario", nargs="*",
                       help="run these and no others, without a limit of time by default")
    sweep.add_argument("--minutes", type=_positive, metavar="M",
                       help=f"begin no scenario later (default: {SWEEP_MINUTES:g})")
    sweep.add_argument("--only", choices=AREAS, metavar="AREA",
                       help=f"the scenarios of one area: {', '.join(AREAS)}")
    sweep.add_argument("--measurements", action="store_true",
                       help="also the measurements, which repeat one fault for an hour")
    _add_release(sweep)
    instead = sweep.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true",
                         help="print which scenarios would run, in which order and why; needs no "
                              "root")
    instead.add_argument("--page", action="store_true",
                         help="make docs/reference/evidence.md from evidence.json beside it, run "
                              "nothing; needs no root")
    return top


def _add_run(command: argparse.ArgumentParser, seed: str) -> None:
    command.add_argument("--out", type=Path, metavar="DIR",
                         help="where result.json, captures and logs go (default: a temporary "
                              "directory, which stays if the run fails)")
    command.add_argument("--seed", type=int, help=f"{seed} (default: drawn, and printed)")
    command.add_argument("--name", help="run in this lab: booted if it is not up, left up if it "
                                        "was (default: a lab of its own)")
    command.add_argument("--keep", action="store_true", help="leave the lab up afterwards")
    command.add_argument("--waiting", action="store_true",
                         help="the standbys wait for Pacemaker (stand_in = false), also where the "
                              "scenario does not ask for it")
    _add_release(command)
    _add_released(command)
    _add_machine(command)
    _add_stage(command)


def _add_release(command: argparse.ArgumentParser) -> None:
    command.add_argument("--release", choices=RELEASES, default=THIS_RELEASE.name,
                         help="Debian's, of which the gateways have root and kernel. Another than "
                              "this machine's is made first, and what they run is built in it "
                              "(default: %(default)s)")


def _add_released(command: argparse.ArgumentParser) -> None:
    command.add_argument("--released", type=_nodes, metavar="A,B,…",
                         help="these gateways alone are of --release, the others are of this "
                              "machine's")


def _add_machine(command: argparse.ArgumentParser) -> None:
    command.add_argument("--machine", choices=KINDS,
                         help="what nodes are: user-mode kernels that are built here, or machines "
                              "that QEMU emulates, with Debian's own kernel (default: whichever is "
                              "faster on this host)")


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes <= MINUTES_MAX:
        raise argparse.ArgumentTypeError(f"{text} is not within 0 and {MINUTES_MAX:g}")
    return minutes


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return number


def _positive(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return minutes


def _add_stage(command: argparse.ArgumentParser) -> None:
    command.add_argument("--stage", type=Path, metavar="DIR",
                         help="installed project files (DESTDIR) to lay over every node's root "
                              "(`run`: what the release preset built, if the scenario needs it)")


def _nodes(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    for name in chosen:
        if name not in NODES:
            raise argparse.ArgumentTypeError(f"no node {name!r}; there are {', '.join(NODES)}")
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if os.geteuid() != 0 and not _without_root(options):
            raise NotRoot("the lab needs root")
        return COMMANDS[options.command](options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read has read enough; what is left in the buffer is nobody's.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def _without_root(options: argparse.Namespace) -> bool:
    return options.command in ("list", "check-history") or (
        options.command == "sweep" and (options.list or options.page)) or (
        options.command == "soak" and options.page is not None)


def _interrupt(*_: object) -> None:
    """Ends as Ctrl-C does, through every cleanup."""
    raise KeyboardInterrupt


def _up(options: argparse.Namespace) -> int:
    release, released = _releases(options, scenario.Scenario())
    lab = Lab.new(check_name(options.name), options.nodes, options.stage,
                  kernel=options.kernel, release=release, machine=options.machine,
                  released=released)
    lab.up()
    emit(f"lab {lab.name} is up: {', '.join(lab.nodes)}")
    return 0


def _down(options: argparse.Namespace) -> int:
    labs = known_labs() if options.all else [options.name]
    if not options.all and options.name not in known_labs():
        raise NotFound(f"no lab {options.name!r} is up; `lab list` shows all")
    for name in labs:
        take_down(name)
        emit(f"lab {name} is down")
    return 0


def _status(options: argparse.Namespace) -> int:
    lab = Lab.join(options.name)
    for node in lab.nodes.values():
        if not node.powered():
            state = "off"
        elif node.responds():
            clock = node.clock()
            state = f"up, clock {clock.offset_s * 1000:+.2f} ms ±{clock.uncertainty_s * 1000:.2f}"
        else:
            state = "powered, does not answer"
        addresses = " ".join(f"{name}={node.address(name)}" for name in node.spec.networks)
        print(f"{node.name:8} {state:32} {addresses}")
    print(f"consoles and logs: {StateDirectory(options.name).path}")
    return 0


def _list(_options: argparse.Namespace) -> int:
    for name in known_labs():
        print(f"lab       {name}")
    for name in scenario.names():
        print(f"scenario  {name:24} {scenario.load(name).purpose}")
    return 0


def _kernel(options: argparse.Namespace) -> int:
    print(ensure_machine(options.machine or usual_kind(), options.series).file)
    return 0


def _exec(options: argparse.Namespace) -> int:
    node = Lab.join(options.name).node(options.node)
    stdin = sys.stdin.buffer.read() if options.stdin else b""
    code = node.run_through(options.argv, options.timeout, stdin)
    return code if code >= 0 else 128 - code


def _run(options: argparse.Namespace) -> int:
    loaded = scenario.load(options.scenario)
    if options.size is not None and loaded.scenario.size is None:
        raise NotFound(f"{loaded.name} has no number that --size could replace")
    return _execute(options, loaded, options.size)


def _soak(options: argparse.Namespace) -> int:
    if options.page is not None:
        slices.publish(options.page)
        return 0
    if options.one_client:
        return _execute(options, soak.loaded(options.minutes))
    if options.resume is None:
        return _execute(options, soak_slice.loaded(options.minutes, 0))
    return _slice(options)


def _slice(options: argparse.Namespace) -> int:
    """One slice of a soak. Captures of a green one are removed: nobody reads them any more."""
    file = options.resume / slices.FILE
    known = slices.load(file)
    if options.seed is None:
        options.seed = known[-1].seed if known else secrets.randbits(31)
    first = slices.next_fault(known, options.seed)
    options.out = options.out or options.resume / f"slice-{len(known) + 1:02d}"
    state = Tree(ignored=IGNORED).state()
    date = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    shutil.rmtree(options.out, ignore_errors=True)
    code = _execute(options, soak_slice.loaded(options.minutes, first, len(known)))
    slices.store(file, [*known, slices.of_run(options.out, state, date)])
    emit(f"slice {len(known) + 1} is in {file}")
    if not code:
        for path in options.out.glob("*.pcap"):
            path.unlink()
    return code


def _sweep(options: argparse.Namespace) -> int:
    names = scenario.names()
    release = RELEASES[options.release]
    evidence = book.load(book.kept(release, ".json"))
    if options.page:
        page.write(book.store(evidence, names, book.kept(release, ".json")), names, release)
        return 0
    tree = Tree(ignored=IGNORED)
    minutes = options.minutes or (math.inf if options.scenario else SWEEP_MINUTES)
    seconds = 60 * minutes
    order = choices(chosen(options.scenario, names)
                    or candidates(names, options.only, options.measurements),
                    evidence, tree.changed_since)
    if options.list:
        _print_order(order, seconds)
        return 0
    found = Sum()
    with only_sweep():
        runner = Runner(tree, names, release)
        state = runner.prepare()
        emit(f"sweep of {len(order)} scenarios for {minutes:g} min, commit "
             f"{state.commit[:10]}{', dirty' if state.dirty else ''}")
        try:
            conduct(order, seconds, runner.run_one, found)
        finally:
            emit(f"sweep: {found}")
    return EXIT_SCENARIO_FAILED if found.failed else 0


def _check_history(options: argparse.Namespace) -> int:
    """Whatever scenario it was: what one allows counts as a violation."""
    violated = False
    for folder in options.folder:
        if not captures(folder):
            raise NotFound(f"{folder} has no NODE-NETWORK.pcap of a run")
        history = check(folder)
        violated |= bool(history.against({}))
        for line in history.lines():
            print(line)
    return EXIT_SCENARIO_FAILED if violated else 0


def _print_order(order: Sequence[Choice], seconds: float) -> None:
    """Those that would run first; the durations are those of the last run."""
    run = forecast(order, seconds)
    later = [choice for choice in order if choice not in run]
    for number, choice in enumerate(run, 1):
        _print_choice(f"{number:3}", choice)
    if later:
        print(f"not within {seconds / 60:g} min:")
    for choice in later:
        _print_choice("  -", choice)


def _print_choice(place: str, choice: Choice) -> None:
    last = "" if choice.seconds is None else f"{choice.seconds:5.0f} s"
    print(f"{place}  {choice.name:36} {last:7}  {choice.reason}")


def _execute(options: argparse.Namespace, loaded: scenario.Loaded,
             size: int | None = None) -> int:
    seed = secrets.randbits(31) if options.seed is None else options.seed
    out = options.out or Path(tempfile.mkdtemp(prefix=f"vpnha-{loaded.name}-"))
    failed = False
    try:
        emit(f"scenario {loaded.name}: {loaded.purpose} (seed {seed})")
        if slow := complaint(page_us()):
            emit(slow)
        if options.name and options.name in known_labs():
            failed = not scenario.execute(loaded, Lab.join(options.name), out, seed,
                                          options.waiting, size)
        else:
            failed = not _run_in_own_lab(options, loaded, out, seed, size)
    finally:
        # Only a failure is worth keeping unasked: not a success, not an interrupted run.
        if options.out is None and not failed:
            shutil.rmtree(out)
    where = f"; see {out}" if failed or options.out else ""
    emit(f"scenario {loaded.name}: {'FAILED' if failed else 'passed'}{where}")
    return EXIT_SCENARIO_FAILED if failed else 0


def _releases(options: argparse.Namespace,
              wanted: scenario.Scenario) -> tuple[Release, tuple[str, ...] | None]:
    """The release of the gateways, and which of them have it alone, if not all."""
    release = RELEASES[options.release]
    if options.released is not None and release == THIS_RELEASE:
        raise NotFound(f"--released needs a --release other than {THIS_RELEASE.name}")
    if wanted.other_release is None:
        return release, options.released
    if release != THIS_RELEASE:
        raise NotFound("this scenario has gateways of both releases: run it without --release")
    return OTHER_RELEASE, wanted.other_release


def _run_in_own_lab(options: argparse.Namespace, loaded: scenario.Loaded, out: Path,
                    seed: int, size: int | None = None) -> bool:
    name = check_name(options.name or f"{loaded.name}-{os.getpid()}")
    stage = options.stage
    release, released = _releases(options, loaded.scenario)
    if stage is None and loaded.scenario.vpnha:
        stage = install_stage(THIS_RELEASE if released is not None else release)
    fresh = loaded.scenario.fresh
    lab = Lab.new(name, loaded.scenario.nodes, stage, fresh,
                  built_packages(release) if fresh else None,
                  memory_mb=loaded.scenario.memory_mb, kernel=loaded.scenario.kernel,
                  release=release, machine=options.machine, released=released,
                  released_stage=install_stage(release) if released is not None else None)
    lab.up()
    try:
        emit(f"lab {name} is up: {', '.join(lab.nodes)}")
        return scenario.execute(loaded, lab, out, seed, options.waiting, size)
    finally:
        if options.keep:
            emit(f"lab {name} stays up: lab/lab exec --name {name} gw1 -- CMD; "
                 f"lab/lab down --name {name}")
        else:
            lab.down()


COMMANDS = {"up": _up, "down": _down, "status": _status, "list": _list, "kernel": _kernel,
            "exec": _exec, "run": _run, "soak": _soak, "sweep": _sweep,
            "check-history": _check_history}
