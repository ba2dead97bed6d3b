#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0-or-later
"""First process of a lab node: builds the root, the links and the names, then becomes the agent;
where the node is a fresh Debian it becomes systemd, and the agent is its child.

The kernel starts it on the host's files (read only, by hostfs) with VPNHA_NODE=FILE, a JSON file
the lab wrote. One resident process does it all, because fork+exec costs 20 to 30 ms in here: the
only commands run are one `ip -batch` and one `modprobe`.
"""
from __future__ import annotations

import codecs
import ctypes
import json
import os
import signal
import socket
import stat
import struct
import sys

# Python imports a codec where it is first used: the node's root may have another Python's.
CODECS = ("ascii", "idna", "latin-1", "utf-8")
HERE = os.path.dirname(os.path.abspath(__file__))
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_MOVE = 1, 2, 4, 8192
MNT_DETACH = 2
POWER_OFF = 0x4321fedc
# sched_setattr(2), on x86_64.
SYS_SCHED_SETATTR = 314
SCHED_DEADLINE = 6
# Runtime, deadline and period: nearly all of a core.
FORWARDING_NS = (9_000_000, 10_000_000, 10_000_000)
# Directories whose files belong to the host's own past: a node sees their skeleton only.
STATE_DIRECTORY = "/var/lib/vpnha"
# What a fresh Debian has written, in its directory of the host.
DISK = "root.tar"
SYSTEMD = "/lib/systemd/systemd"
# A plugin of charon that has the kernel load each algorithm there is, at each start: half a minute
# of an emulated processor's time. Nothing needs it.
AF_ALG = "/etc/strongswan.d/charon/af-alg.conf"
EMPTIED = ("/var/lib/corosync", "/var/lib/pacemaker", "/var/lib/pcsd")

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    result = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags),
                         options.encode())
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"mount {kind} on {target}: {os.strerror(code)}")


def mount_host(config: dict, directory: str, target: str, flags: int = 0) -> None:
    """A directory of the host. A user-mode kernel mounts any; an emulated one has a device for
    each."""
    if directory in config["shares"]:
        tag, options = config["shares"][directory]
        mount(tag, target, "9p", flags, options)
    else:
        mount("none", target, "hostfs", flags, directory)


def uncover(target: str) -> None:
    """Takes away what is mounted there."""
    if _libc.umount2(target.encode(), MNT_DETACH):
        code = ctypes.get_errno()
        raise OSError(code, f"umount {target}: {os.strerror(code)}")


def keep_disk(config: dict) -> None:
    """What a fresh Debian writes outlives a reboot, as a file of the host's
    directory: systemd ends this process's children last, when all else has ended. A power cut loses
    what was written since."""
    os.mkdir("/run/disk")
    mount_host(config, config["disk_directory"], "/run/disk")
    if os.path.exists(f"/run/disk/{DISK}"):
        tar("--extract", f"--file=/run/disk/{DISK}", "--directory=/run/upper")
        # Of the logs, which lie elsewhere, what daemons do not make themselves.
        stem, _, boot = config["log_directory"].rpartition("-")
        make_directories(skeleton(f"{stem}-{int(boot) - 1}"), "/run/upper/var/log")
    # Of directories that systemd does not see, and so cannot unmount before.
    upper, disk = (os.open(path, os.O_RDONLY) for path in ("/run/upper", "/run/disk"))

    def save(*_: object) -> None:
        os.fchdir(upper)
        file = os.open("partial", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600, dir_fd=disk)
        tar("--create", "--file=-", ".", output=file)
        os.rename("partial", DISK, src_dir_fd=disk, dst_dir_fd=disk)
        os._exit(0)
    signal.signal(signal.SIGTERM, save)


def tar(*arguments: str, output: int = 1) -> None:
    """With the marks of overlayfs."""
    process = os.posix_spawn("/usr/bin/tar", ["tar", "--xattrs", "--xattrs-include=*", *arguments],
                             os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, output, 1)])
    _, status = os.waitpid(process, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):  # 1: a file changed meanwhile.
        raise RuntimeError(f"tar failed with status {status}")


def build_root(config: dict) -> None:
    """Overlay of a tmpfs over the staged project files over the host's root, or over another one,
    becomes /. A fresh Debian has no staged files."""
    mount("tmpfs", "/run", "tmpfs", 0, "mode=0755,size=75%")
    for name in ("upper", "work", "root", "stage", "base"):
        os.mkdir(f"/run/{name}")
    lower = "/"
    if config["root"]:
        mount_host(config, config["root"], "/run/base", MS_RDONLY)
        lower = "/run/base"
    if config["fresh"]:
        keep_disk(config)
    elif config["stage"]:
        # A mount of its own: overlayfs refuses a layer that lies inside another one.
        mount_host(config, config["stage"], "/run/stage", MS_RDONLY)
        lower = f"/run/stage:{lower}"
    mount("overlay", "/run/root", "overlay", 0,
          f"lowerdir={lower},upperdir=/run/upper,workdir=/run/work")
    os.chdir("/run/root")
    mount(".", "/", "", MS_MOVE)
    os.chroot(".")
    os.chdir("/")


def empty_directory(top: str) -> None:
    """Hides the files below `top` and keeps its directories with their owners and modes."""
    if os.path.isdir(top):
        directories = skeleton(top)
        mount("tmpfs", top, "tmpfs")
        make_directories(directories, top)


def skeleton(top: str) -> list[tuple[str, os.stat_result]]:
    """`top` and the directories below, from there, in an order in which they can be made."""
    return [(os.path.relpath(path, top), os.stat(path)) for path, _, _ in os.walk(top)]


def make_directories(directories: list[tuple[str, os.stat_result]], top: str) -> None:
    """With their owners and modes; some may be there."""
    for name, status in directories:
        path = os.path.join(top, name)
        os.makedirs(path, exist_ok=True)
        os.chown(path, status.st_uid, status.st_gid)
        os.chmod(path, status.st_mode & 0o7777)


def mount_special(config: dict) -> None:
    mount("devtmpfs", "/dev", "devtmpfs", 0, "mode=0755")
    for name in ("pts", "shm"):
        os.makedirs(f"/dev/{name}", exist_ok=True)
    mount("devpts", "/dev/pts", "devpts", 0, "mode=0620,gid=5,ptmxmode=0666")
    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV)
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777")
    # devtmpfs has none of these, and shells need them.
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
                         ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")):
        if not os.path.lexists(f"/dev/{name}"):
            os.symlink(target, f"/dev/{name}")
    for path in ("/run/lock", "/run/lab"):
        os.mkdir(path)
    # Logs must survive a power cut: they show its cause.
    logs = skeleton("/var/log")
    mount_host(config, config["log_directory"], "/var/log")
    make_directories(logs, "/var/log")
    for target, directory in config["mounts"].items():
        os.makedirs(target, exist_ok=True)
        mount_host(config, directory, target, MS_RDONLY)
    if config["fresh"]:
        return  # Its packages make what else they need.
    for path in EMPTIED:
        empty_directory(path)
    # And what vpnhad must know of its past: it is what the disk of a real node is for.
    os.makedirs(STATE_DIRECTORY, mode=0o700, exist_ok=True)
    mount_host(config, config["disk_directory"], STATE_DIRECTORY)


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read_tools() -> dict[str, bytes]:
    """The programs of this directory and of those below, by their paths from here. The host's /tmp
    and /run, where a checkout may lie, are not visible in a node."""
    tools = {}
    for directory, _, names in os.walk(HERE):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    tools[os.path.relpath(path, HERE)] = file.read()
    return tools


def write_tools(tools: dict[str, bytes], to: str) -> None:
    for path, content in tools.items():
        place = os.path.join(to, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(content)


def load_modules(config: dict) -> None:
    """What no program of a node asks for. A user-mode kernel has all built in."""
    if config["shares"]:
        make_devices(f"/lib/modules/{os.uname().release}/modules.devname")
        if config["modules"]:
            run("/usr/sbin/modprobe", "--all", *config["modules"])
        if os.path.exists(AF_ALG):
            write(AF_ALG, "af-alg {\n    load = no\n}\n")


def make_devices(file: str) -> None:
    """Devices whose modules are loaded when they are opened, as kmod-static-nodes.service of
    systemd makes them."""
    with open(file, encoding="ascii") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            _, name, device = line.split()
            major, _, minor = device[1:].partition(":")
            path = f"/dev/{name}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if not os.path.exists(path):
                kind = stat.S_IFCHR if device[0] == "c" else stat.S_IFBLK
                os.mknod(path, kind | 0o600, os.makedev(int(major), int(minor)))


def run(*argv: str) -> None:
    process = os.posix_spawn(argv[0], argv, os.environ)
    _, status = os.waitpid(process, 0)
    if status:
        raise RuntimeError(f"{' '.join(argv)} failed with status {status}")


def name_node(config: dict) -> None:
    socket.sethostname(config["name"])
    write("/etc/hostname", config["name"] + "\n")
    write("/etc/hosts", config["hosts"])
    # A node has no name server; without this every lookup of a foreign name waits for one.
    if os.path.lexists("/etc/resolv.conf"):
        os.unlink("/etc/resolv.conf")
    write("/etc/resolv.conf", "")
    for key, value in config["sysctls"].items():
        write("/proc/sys/" + key.replace(".", "/"), value)


def configure_links(config: dict) -> None:
    """Finds each link by its MAC, names it after its network and gives it its addresses."""
    by_mac = {}
    for name in os.listdir("/sys/class/net"):
        with open(f"/sys/class/net/{name}/address", encoding="ascii") as file:
            by_mac[file.read().strip()] = name
    lines = ["link set lo up"]
    for link in config["links"]:
        lines.append(f"link set {by_mac[link['mac']]} name {link['name']}")
        lines.append(f"address add {link['address']} brd + dev {link['name']}")
        lines.append(f"link set {link['name']} up")
    lines += [f"route add {route}" for route in config["routes"]]
    write("/run/lab/links", "\n".join(lines) + "\n")
    run("/usr/sbin/ip", "-batch", "/run/lab/links")


def forward_first() -> None:
    """Packets before Corosync, which has the highest real-time priority: on a machine they have
    another core. In here, once there are more than an interrupt takes care of, they are left to a
    thread that would wait until Corosync has nothing to do."""
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/comm", encoding="utf-8") as file:
                if file.read() != "ksoftirqd/0\n":
                    continue
        except (FileNotFoundError, NotADirectoryError):
            continue
        attributes = struct.pack("=IIQiIQQQ", 48, SCHED_DEADLINE, 0, 0, 0, *FORWARDING_NS)
        if _libc.syscall(SYS_SCHED_SETATTR, int(name), attributes, 0):
            code = ctypes.get_errno()
            raise OSError(code, f"deadline scheduling of ksoftirqd: {os.strerror(code)}")
        return
    raise RuntimeError("this kernel has no ksoftirqd/0")


def stay_off() -> None:
    """The node has reset itself, and its logs are another life's. Its kernel starts in the same
    process, and would not get its links from the host again; so a reset ends in power off, and the
    lab switches it on."""
    _libc.reboot(POWER_OFF)


def main() -> None:
    # A user-mode kernel has mounted its devices over the host's /dev, where the lab keeps its
    # state; the node's own come with its root.
    if os.path.ismount("/dev"):
        uncover("/dev")
    with open(os.environ.pop("VPNHA_NODE"), encoding="utf-8") as file:
        config = json.load(file)
    if os.listdir(config["log_directory"]):
        stay_off()
    # All imports before the root changes: one pass over the host's files.
    sys.path.insert(0, HERE)
    import agent
    for name in CODECS:
        codecs.lookup(name)
    tools = read_tools()
    build_root(config)
    mount_special(config)
    os.environ.clear()
    os.environ.update(PATH=PATH, HOME="/root", LANG="C.UTF-8", TERM="dumb", SHELL="/bin/sh")
    write_tools(tools, "/run/lab/node")
    load_modules(config)
    name_node(config)
    configure_links(config)
    forward_first()
    print(f"node {config['name']} is up", flush=True)
    if config["fresh"] and os.fork():
        os.execv(SYSTEMD, [SYSTEMD])
    agent.serve(config["agent_address"], config["agent_port"], config["token"])


if __name__ == "__main__":
    main()
