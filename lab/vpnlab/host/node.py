# SPDX-License-Identifier: GPL-2.0-or-later
"""One node of a lab: power, commands, files, faults."""
from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .channel import Channel, ClockSample, Completed, RemoteError
from .cores import core_of, host_cores, pin, prefer
from .errors import LabError, TimedOut
from .machines import TRAITS, USER_MODE, Machine, Traits
from .netns import NetworkNamespace
from .state import Process, StateDirectory, text_of
from .topology import HOST_ROOT, NETWORKS, NodeRoot, NodeSpec, boot_config

INIT = Path(__file__).resolve().parents[2] / "node" / "init.py"
# Where a node finds the programs of lab/node.
TOOLS = "/run/lab/node"
PYTHON = ("/usr/bin/python3", "-IuS")
BOOT_LIMIT_S = 60.0
COMMAND_LIMIT_S = 30.0
# Of a node: a stall would cost Corosync its token.
NICE = -20
# Of one that takes what the other nodes leave; programs beside the lab have 0.
BEHIND_THE_OTHERS = -10
SESSION_LIMIT_S = 1.0
FILTER = "lab-filter"
# Of a process the kernel knows 15 characters of its name.
RUNNING = """pgrep -l -x -- "$0" | while read -r pid name; do
    program=$(readlink "/proc/$pid/exe")
    case ${program##*/} in "$name"*) echo "$pid";; esac
done"""


class CommandFailed(LabError):
    """A command in a node ended with a code that its caller did not expect."""

    def __init__(self, node: str, completed: Completed) -> None:
        text = (completed.stderr or completed.stdout).strip()
        super().__init__(f"{node}: {' '.join(completed.argv)} ended with {completed.code}: {text}")
        self.completed = completed


@dataclasses.dataclass(frozen=True)
class Background:
    """A process in a node that runs beside the scenario."""

    node: Node
    handle: int

    def exit_code(self) -> int | None:
        """None while it runs; a negative code is the signal that ended it."""
        return self.node.channel.request("poll", handle=self.handle)[0].get("exit")

    def send_signal(self, number: int) -> None:
        self.node.channel.request("signal", handle=self.handle, number=int(number))

    def wait(self, timeout: float = COMMAND_LIMIT_S) -> int:
        answer, _ = self.node.channel.request("wait", handle=self.handle, timeout=timeout)
        return answer["exit"]

    def stop(self, number: int = signal.SIGTERM, timeout: float = COMMAND_LIMIT_S) -> int:
        self.send_signal(number)
        return self.wait(timeout)


def within(netns: str) -> tuple[str, ...]:
    """What a command of a node begins with to run in that network namespace. "": the first one."""
    return ("ip", "netns", "exec", netns) if netns else ()


def received_bytes(net_dev: str, device: str) -> int:
    """Of a device in the format of /proc/net/dev."""
    for line in net_dev.splitlines():
        name, _, counters = line.strip().partition(":")
        if name == device:
            return int(counters.split()[0])
    raise LabError(f"there is no device {device}")


class Node:
    """Handle on a node; the node itself is a process that may outlive this object."""

    def __init__(self, spec: NodeSpec, namespace: NetworkNamespace, state: StateDirectory,
                 token: str, on_fault: Callable[[str, str], None],
                 traits: Traits = TRAITS[USER_MODE]) -> None:
        self.spec = spec
        self.name = spec.name
        self._namespace = namespace
        self._state = state
        self._token = token
        self._on_fault = on_fault
        self._wrapper: subprocess.Popen[bytes] | None = None
        self._cores = [core_of(spec.name, host_cores())] if traits.has_own_core else host_cores()
        self._traits = traits
        self.channel = Channel(spec.name, namespace, spec.address("management"), token,
                               self.powered, traits.patience)

    def address(self, network: str) -> str:
        return self.spec.address(network)

    @property
    def console(self) -> Path:
        return self._state.console(self.name)

    def log_directories(self) -> list[Path]:
        """/var/log of each boot of the node, as directories of the host: readable at any time,
        also after a power cut."""
        return self._state.log_directories(self.name)

    @property
    def patience(self) -> float:
        """How much longer than usual to wait for what the node does."""
        return self._traits.patience

    # Power.

    def powered(self) -> bool:
        return self._state.process(self.name) is not None

    def power_on(self, machine: Machine, stage: str = "", root: NodeRoot = HOST_ROOT,
                 nice: int = NICE) -> None:
        """Starts the node anew, with a fresh root, or with what a Debian of its own had at its last
        reboot in good order; wait_ready() waits for its agent. `stage`: is laid over its root. With
        a higher nice value it gets what the other nodes leave of the host's cores, until
        prefer()."""
        with self._state.switching(self.name):
            if self.powered():
                raise LabError(f"{self.name} is powered on already")
            config = machine.complete(
                boot_config(self.spec, self._token, stage,
                            str(self._state.new_log_directory(self.name)),
                            str(self._state.disk_directory(self.name)), root))
            file = self._state.write_config(self.name, config)
            self._start_process(machine.command(self.spec, config, file, INIT))
            process = self._main_process()
            self._state.record_process(self.name, process)
        self.prefer(nice)

    def _start_process(self, arguments: list[str]) -> None:
        # A process number namespace of its own: the death of its first process is the death of
        # all, at once, whatever the node's kernel was doing.
        command = [*self._namespace.prefix(), "taskset", "--cpu-list",
                   ",".join(map(str, self._cores)),
                   "nice", "-n", str(NICE), "unshare", "--pid", "--fork", "--mount-proc",
                   "--kill-child=SIGKILL", *arguments]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/root",
                       "TMPDIR": os.environ.get("TMPDIR", "/dev/shm")}
        with open(self.console, "ab") as console:
            self._wrapper = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console,
                                             stderr=console, start_new_session=True,
                                             env=environment, cwd="/")

    def use_core(self, core: int) -> None:
        """Of the host, from now on and after it is powered on again; nothing where nodes take
        whichever is free."""
        if not self._traits.has_own_core:
            return
        self._cores = [core]
        process = self._state.process(self.name)
        if process is not None:
            pin(process.pid, core)

    def prefer(self, nice: int = NICE) -> None:
        """Where the host's scheduler groups processes by session, nice counts only within one, and
        a node's kernel makes a session of its own at its start: a compiler beside the lab would
        get as much as a node. So the node's group gets the preference."""
        process = self._state.process(self.name)
        if process is None:
            return
        if not self._traits.has_own_group:
            prefer(process.pid, nice)
            return
        deadline = time.monotonic() + SESSION_LIMIT_S
        # Neither kernels without such groups nor nodes that have ended meanwhile are an error.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            while os.getsid(process.pid) != process.pid and time.monotonic() < deadline:
                time.sleep(0.002)
            Path(f"/proc/{process.pid}/autogroup").write_text(str(nice), encoding="ascii")

    def _main_process(self) -> Process:
        """The node's kernel: the only child of `unshare`."""
        assert self._wrapper is not None
        wrapper = self._wrapper.pid
        deadline = time.monotonic() + 10
        while self._wrapper.poll() is None and time.monotonic() < deadline:
            children = Path(f"/proc/{wrapper}/task/{wrapper}/children").read_text("ascii").split()
            if children:
                return Process.of(int(children[0]))
            time.sleep(0.002)
        raise LabError(f"{self.name} did not start; its console: {self.console}\n"
                       + self.console_tail())

    def wait_ready(self, timeout: float = BOOT_LIMIT_S) -> None:
        """Returns when the node's agent answers, with the node's clock set after the host's."""
        try:
            self.channel.request("hello", timeout=timeout)
            self.channel.set_clock()
        except LabError as error:
            raise type(error)(f"{error}; the end of its console:\n{self.console_tail()}") from None

    def console_tail(self, lines: int = 30) -> str:
        try:
            text = self.console.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def power_off(self) -> None:
        """A power cut: SIGKILL of everything the node is."""
        self._on_fault("power-off", self.name)
        self.kill()

    def kill(self) -> None:
        """What power_off() does, without counting as a fault."""
        with self._state.switching(self.name):
            process = self._state.process(self.name)
            if process is not None:
                process.kill()
            self.reap()

    def reap(self) -> None:
        """Collects the node's ended process, if this program started it. If another one switched
        the node since, ours had ended then."""
        if self._wrapper is not None:
            self._wrapper.wait()
            self._wrapper = None

    def freeze(self) -> None:
        """A paused machine. Only the main process stops: stopping all of a node's processes can
        crash its kernel on the thaw."""
        self._on_fault("freeze", self.name)
        self._send_to_main(signal.SIGSTOP)

    def thaw(self) -> None:
        self._on_fault("thaw", self.name)
        self._send_to_main(signal.SIGCONT)

    def _send_to_main(self, number: int) -> None:
        process = self._state.process(self.name)
        if process is None or not process.send(number):
            raise LabError(f"{self.name} is powered off")

    def note_fault(self, what: str) -> None:
        """Books a fault that somebody else is about to make on this node."""
        self._on_fault(what, self.name)

    def fence(self, victim: Node) -> Background:
        """Has the cluster fence another node, as an administrator of this one would; does not wait
        for it."""
        self._on_fault("fence", victim.name)
        return self.start("/usr/sbin/stonith_admin", "--fence", victim.name, "--timeout", "60",
                          stdout="/var/log/stonith_admin", stderr="/var/log/stonith_admin")

    # Processes.

    def processes(self, pattern: str) -> list[str]:
        """The pids of all programs whose names match the pattern as a whole. An OCF agent that is
        called as its daemon is none: its program has another name."""
        return self.run("sh", "-c", RUNNING, pattern).stdout.split()

    def running(self, pattern: str) -> list[str]:
        """The same, and an error if there is none."""
        pids = self.processes(pattern)
        if not pids:
            raise LabError(f"{self.name} runs no {pattern}")
        return pids

    def process(self, name: str) -> str:
        """The pid of a daemon, of its parent if it has children of its name."""
        return min(self.running(name), key=int)

    def core_limits(self, *names: str) -> dict[str, list[str]]:
        """How large core files of these processes may be: the soft limits and the hard ones."""
        limits = {}
        for name in names:
            lines = self.run("cat", f"/proc/{self.process(name)}/limits").stdout.splitlines()
            limits[name] = next(line for line in lines if "core file" in line).split()[4:6]
        return limits

    def kill_process(self, name: str) -> None:
        """A daemon dies at once, by SIGKILL; an error if there is none of that name."""
        self._fault_to_process(f"kill {name}", name, "KILL")

    def kill_processes(self, pattern: str) -> None:
        """The same for all whose names match the pattern as a whole."""
        self._fault_to_process(f"kill {pattern}", pattern, "KILL")

    def stop_process(self, name: str) -> None:
        """A daemon stands still, by SIGSTOP; an error if there is none of that name."""
        self._fault_to_process(f"stop {name}", name, "STOP")

    def continue_process(self, name: str) -> None:
        """Ends stop_process()."""
        self.run("kill", "-CONT", *self.running(name))

    def pause_process(self, name: str, pause_s: float) -> None:
        """A daemon stands still for so long, by SIGSTOP and SIGCONT; an error if there is none of
        that name. Both are sent within the node: a command of the lab's takes 0.1 s and more."""
        pids = " ".join(self.running(name))
        self._on_fault(f"pause {name} for {pause_s} s", self.name)
        self.run("sh", "-c", f"kill -STOP {pids} && sleep {pause_s} && kill -CONT {pids}")

    def signal_process(self, name: str, signal: str) -> None:
        """A daemon gets a signal that is a fault to it; an error if there is none of that name."""
        self._fault_to_process(f"signal {signal} to {name}", name, signal)

    def _fault_to_process(self, fault: str, pattern: str, signal: str) -> None:
        pids = self.running(pattern)
        self._on_fault(fault, self.name)
        # One may end with another, before its own signal.
        self.run("kill", f"-{signal}", *pids, check=len(pids) == 1)

    def step_clock(self, seconds: int) -> None:
        """Sets the node's clock of the time of day."""
        self._on_fault(f"clock {seconds:+d} s", self.name)
        self.run("date", "--set", f"{seconds:+d} seconds")

    def run_clock_at(self, percent: float) -> None:
        """From now on the node's clocks run so much faster, within ±10 %; 0 makes them right."""
        if percent:
            self._on_fault(f"clock {percent:+g} %", self.name)
        self.run_tool("clock_rate.py", str(round(10_000 * (1 + percent / 100))))

    # Links.

    def link_down(self, network: str) -> None:
        """Pulls the cable. The node does not notice by itself: its link has no carrier sense."""
        tap = self.spec.tap(network)
        self._on_fault(f"link-down {network}", self.name)
        self._namespace.set_cable(tap, plugged=False)

    def link_up(self, network: str) -> None:
        self._on_fault(f"link-up {network}", self.name)
        self._namespace.set_cable(self.spec.tap(network), plugged=True)

    def sense_carrier(self, network: str) -> None:
        """Gives the node's link a carrier that can be lost. The device of a node's kernel has none,
        so it becomes the only port of a bridge, which takes its name and addresses: a bridge none
        of whose ports forwards has no carrier."""
        link = NETWORKS[network].link
        self._make_bridge(network, f"link set {link} down", f"address flush dev {link}",
                          f"link set {link} name {link}-port")

    def recreate_bridge(self, network: str) -> None:
        """Deletes the bridge that sense_carrier() made, and makes it anew."""
        self._make_bridge(network, f"link delete {NETWORKS[network].link}")

    def _make_bridge(self, network: str, *before: str) -> None:
        link = NETWORKS[network].link
        prefix = NETWORKS[network].prefix.split("/")[1]
        self.run("ip", "-batch", "-", stdin="\n".join((
            *before,
            f"link add {link} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            f"link set {link} address {self.spec.mac(network)}",
            f"link set {link}-port master {link}", f"link set {link}-port up",
            f"address add {self.address(network)}/{prefix} brd + dev {link}",
            f"link set {link} up\n")))

    def lose_carrier(self, network: str) -> None:
        """Of a link that was given one; the cluster links live."""
        self._on_fault(f"carrier-down {network}", self.name)
        self._set_port(network, "disabled")

    def gain_carrier(self, network: str) -> None:
        self._on_fault(f"carrier-up {network}", self.name)
        self._set_port(network, "forwarding")

    def _set_port(self, network: str, state: str) -> None:
        self.run("bridge", "link", "set", "dev", f"{NETWORKS[network].link}-port", "state", state)

    def deafen(self, network: str) -> None:
        """What is sent to the node there is lost, what it sends is not."""
        self._on_fault(f"deafen {network}", self.name)
        self._namespace.drop_to(self.spec.tap(network))

    def filter_port(self, port: int, sender: Node | None = None) -> None:
        """A packet filter of the node's own drops what arrives for that UDP port on any link; if a
        sender is named, only what it sends."""
        self._on_fault(f"filter udp {port}", self.name)
        source = "" if sender is None else (
            "ip saddr { "
            + ", ".join(sender.address(network) for network in sender.spec.networks) + " } ")
        self.run("nft", "-f", "-", stdin=(
            f"add table inet {FILTER}\n"
            f"add chain inet {FILTER} in {{ type filter hook input priority 0; }}\n"
            f"add rule inet {FILTER} in {source}udp dport {port} drop\n"))

    def unfilter_port(self) -> None:
        self.run("nft", "delete", "table", "inet", FILTER)

    def sent_bytes(self, network: str) -> int:
        """What the node has sent there since its boot, as its TAP counts it: costs the node
        nothing, and no process."""
        process = self._state.process(self.name)
        if process is None:
            raise LabError(f"{self.name} is powered off")
        text = Path(f"/proc/{process.pid}/net/dev").read_text("ascii")
        return received_bytes(text, self.spec.tap(network))

    def netem(self, network: str, *, loss_percent: float = 0, delay_ms: float = 0,
              jitter_ms: float = 0) -> None:
        """Loss and delay of what the node sends there, the latter by so much more or less, which
        changes the order of packets; all zero takes them away."""
        device = NETWORKS[network].link
        self.spec.address(network)
        if loss_percent or delay_ms:
            self._on_fault(f"netem {network} loss {loss_percent:g} % delay {delay_ms:g} ms"
                           + (f" +- {jitter_ms:g} ms" if jitter_ms else ""),
                           self.name)
            self.run("tc", "qdisc", "replace", "dev", device, "root", "netem", "limit", "10000",
                     "loss", f"{loss_percent:g}%", "delay", f"{delay_ms:g}ms",
                     f"{jitter_ms:g}ms")
        else:
            self.run("tc", "qdisc", "delete", "dev", device, "root")

    def slow_link(self, network: str, kbit: int, spared_port: int) -> None:
        """What the node sends there leaves no faster. Datagrams to one UDP port are spared."""
        device = NETWORKS[network].link
        self._on_fault(f"slow {network} {kbit} kbit/s", self.name)
        self.run("tc", "-batch", "-", stdin=(
            f"qdisc add dev {device} root handle 1: htb default 2\n"
            f"class add dev {device} parent 1: classid 1:1 htb rate 1gbit\n"
            f"class add dev {device} parent 1: classid 1:2 htb rate {kbit}kbit burst 16kb\n"
            f"filter add dev {device} parent 1: protocol ip u32 match ip protocol 17 0xff "
            f"match ip dport {spared_port} 0xffff flowid 1:1\n"))

    # Commands and files.

    def run(self, *argv: str, stdin: str | bytes = b"", timeout: float = COMMAND_LIMIT_S,
            check: bool = True, env: dict[str, str] | None = None, cwd: str = "/") -> Completed:
        """Runs a command in the node and waits for its end."""
        output: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        code = self.channel.run(
            argv, stdin=stdin.encode() if isinstance(stdin, str) else stdin, timeout=timeout,
            on_output=lambda stream, data: output[stream].append(data), env=env or {}, cwd=cwd)
        completed = Completed(argv, code,
                              *(b"".join(output[name]).decode(errors="replace")
                                for name in ("stdout", "stderr")))
        if check and code:
            raise CommandFailed(self.name, completed)
        return completed

    def run_through(self, argv: Sequence[str], timeout: float, stdin: bytes = b"") -> int:
        """Runs a command with its output on ours, as it comes."""
        def forward(stream: str, data: bytes) -> None:
            sink = (sys.stdout if stream == "stdout" else sys.stderr).buffer
            sink.write(data)
            sink.flush()
        return self.channel.run(argv, stdin=stdin, timeout=timeout, on_output=forward)

    def start(self, *argv: str, stdout: str = "", stderr: str = "",
              env: dict[str, str] | None = None) -> Background:
        """Starts a process in the background; its output goes to files of the node."""
        answer, _ = self.channel.request("start", argv=list(argv), stdout=stdout, stderr=stderr,
                                         env=env or {})
        return Background(self, answer["handle"])

    def start_tool(self, tool: str, *arguments: str, output: str = "") -> Background:
        """Starts a program of lab/node in the node, unbuffered."""
        return self.start(*PYTHON, f"{TOOLS}/{tool}", *arguments, stdout=output, stderr=output)

    def run_tool(self, tool: str, *arguments: str) -> Completed:
        """Runs a program of lab/node in the node and waits for its end."""
        return self.run(*PYTHON, f"{TOOLS}/{tool}", *arguments)

    def put(self, path: str, content: str | bytes, mode: int | None = None) -> None:
        body = content.encode() if isinstance(content, str) else content
        self.channel.request("put", body, timeout=60, path=path, mode=mode)

    def get(self, path: str) -> bytes:
        return self.channel.request("get", timeout=60, path=path)[1]

    def read(self, path: str) -> str | None:
        """Content of a file, None if there is none. Costs no process in the node."""
        try:
            return self.get(path).decode(errors="replace")
        except RemoteError as error:
            if error.errno in (2, 20):
                return None
            raise

    def read_log(self, name: str) -> str:
        """What is in /var/log/NAME of the present boot, nothing if there is no such file. Read on
        the host, so that it may be asked for all the time: read() takes the node's only CPU from
        what is measured."""
        return text_of(self.log_directories()[-1] / name)

    def has_interface(self, name: str) -> bool:
        return self.read(f"/sys/class/net/{name}/ifindex") is not None

    def clock(self) -> ClockSample:
        return self.channel.clock()

    def responds(self) -> bool:
        """Whether the agent answers now: False for a node without power or frozen."""
        with contextlib.suppress(LabError, TimedOut):
            self.channel.request("hello", timeout=1.0)
            return True
        return False
