# SPDX-License-Identifier: GPL-2.0-or-later
"""Nodes that QEMU emulates, with Debian's own kernel package, unchanged.

A user-mode kernel maps each page of a process by system calls of the host, and passes each system
call from one thread of the host to another. On a host that pays for both, an emulated processor is
faster: what a node does between its packets costs the host no system call. It computes eight times
more slowly. Hence nodes are emulated where the host is slow, see speed.py.

A kernel is taken from Debian's package of its series, and kept in the cache beside the built ones:
the kernel itself, its modules, and a first file system with lab/emulated/first.c and what it loads.
"""
from __future__ import annotations

import dataclasses
import functools
import hashlib
import lzma
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from .compiled import compiled
from .errors import LabError, PackageMissing
from .kernel import cache_dir, one_at_a_time
from .progress import emit
from .release import THIS_RELEASE
from .topology import NETWORKS, NodeSpec

SOURCES = Path(__file__).resolve().parents[2] / "emulated"
FIRST = SOURCES / "first.c"
EMULATOR = "qemu-system-x86_64"
# With the packages that bring them.
TOOLS = {EMULATOR: "qemu-system-x86", "zstd": "zstd"}
# What first.c loads, each after what it needs. The rest is loaded as on any Debian.
MODULES = ("virtio_mmio", "9pnet_virtio", "9p", "overlay", "virtio_net")
# Of what the cache has: another one where _make() makes something else of the same package.
FORMAT = 1
# Of a kernel's image (Documentation/arch/x86/boot.rst): setup_sects, payload_offset and
# payload_length.
SETUP_SECTORS_AT, SETUP_SECTORS_USUAL, SECTOR = 0x1F1, 4, 512
PAYLOAD_AT = 0x248
# A Debian of today is compiled for the first of these; the others are what charon asks the
# processor for. AVX costs more to emulate than it saves.
PROCESSOR = "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+aes,+pclmulqdq,+rdrand"
# Room for the translated code of all of a node's programs. Where it is full, all is translated
# anew, and meanwhile the node stands still.
TRANSLATED_MB = 1024
# Without random addresses a program's translated code serves its next process too: starting a
# process takes a third of the time. The kernel's own clock is not to be measured: see tsc_khz.c.
KERNEL_OPTIONS = ("console=ttyS0", "quiet", "panic=-1", "mitigations=off", "norandmaps", "nokaslr",
                  "nopti", "tsc=reliable", "no_timer_check", "random.trust_cpu=on",
                  "cryptomgr.notests")
SHARE_OPTIONS = "trans=virtio,version=9p2000.L,msize=262144"
# Of files that do not change while a node runs.
CACHED = ",cache=loose"
ROOT_TAG = "root"


@dataclasses.dataclass(frozen=True)
class Share:
    """A directory of the host that a node sees, and the name by which it mounts it."""

    tag: str
    directory: str
    writable: bool

    def arguments(self) -> list[str]:
        access = "" if self.writable else ",readonly=on"
        return ["-fsdev", f"local,id={self.tag},path={self.directory},security_model=none,"
                          f"multidevs=remap{access}",
                "-device", f"virtio-9p-device,fsdev={self.tag},mount_tag={self.tag}"]


def shares(writable: Iterable[str], read_only: Iterable[str]) -> list[Share]:
    """Of the host's root, and of these directories; an empty name is none."""
    named = [(directory, can_write) for directories, can_write in
             ((writable, True), (read_only, False)) for directory in directories if directory]
    return [Share(ROOT_TAG, "/", False),
            *(Share(f"share{number}", directory, can_write)
              for number, (directory, can_write) in enumerate(named))]


def mount_options(share: Share) -> str:
    """For mount(2) in the node."""
    return SHARE_OPTIONS if share.writable else SHARE_OPTIONS + CACHED


@dataclasses.dataclass(frozen=True)
class EmulatedKernel:
    """`version`: of the package. `directory`: of the cache."""

    version: str
    directory: Path

    @property
    def file(self) -> Path:
        return self.directory / "vmlinux"

    @property
    def modules(self) -> Path:
        """As /lib/modules of a node."""
        return self.directory / "modules"

    def arguments(self, node: NodeSpec, memory_mb: int, init: str, config: str,
                  shared: Iterable[Share]) -> list[str]:
        """Command line of the node's process."""
        options = [*KERNEL_OPTIONS, f"tsc_early_khz={tsc_khz()}", f"VPNHA_INIT={init}",
                   f"VPNHA_NODE={config}",
                   f"VPNHA_ROOT_OPTIONS={SHARE_OPTIONS}{CACHED}"]
        command = [EMULATOR, "-M", "microvm,rtc=on,acpi=on",
                   "-accel", f"tcg,tb-size={TRANSLATED_MB}", "-cpu", PROCESSOR,
                   "-m", str(memory_mb), "-nodefaults", "-no-user-config", "-no-reboot",
                   "-display", "none", "-chardev", "stdio,id=console,signal=off",
                   "-serial", "chardev:console", "-kernel", str(self.file),
                   "-initrd", str(self.directory / "first.cpio"), "-append", " ".join(options)]
        for name in node.networks:
            command += ["-netdev", f"tap,id={NETWORKS[name].link},ifname={node.tap(name)},"
                                   "script=no,downscript=no,vnet_hdr=on",
                        "-device", f"virtio-net-device,netdev={NETWORKS[name].link},"
                                   f"mac={node.mac(name)}"]
        for share in shared:
            command += share.arguments()
        return command


def package_of(series: str) -> str:
    """Debian's package of the series' kernel: what its name without a version stands for."""
    name = "amd64" if series == THIS_RELEASE.series else f"{series}-amd64"
    reply = _output("apt-cache", "depends", "--important", f"linux-image-{name}")
    for line in reply.splitlines():
        kind, _, package = line.strip().partition(": ")
        if kind == "Depends" and package.startswith("linux-image-"):
            return package
    raise PackageMissing(f"apt knows no linux-image-{name}: apt-get update")


def version_of(package: str) -> str:
    """The newest one that apt knows."""
    for line in _output("apt-cache", "show", "--no-all-versions", package).splitlines():
        if line.startswith("Version: "):
            return line.partition(" ")[2]
    raise PackageMissing(f"apt knows no {package}: apt-get update")


def ensure_emulated(series: str) -> EmulatedKernel:
    """From the cache, or made now."""
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            raise PackageMissing(f"{tool} is missing: "
                                 f"apt-get install --no-install-recommends {package}")
    package = package_of(series)
    version = version_of(package)
    recipe = hashlib.sha256(f"{FORMAT} {' '.join(MODULES)}".encode() + FIRST.read_bytes())
    target = cache_dir() / f"{package}_{version}-{recipe.hexdigest()[:12]}"
    if not target.exists():
        cache_dir().mkdir(parents=True, exist_ok=True)
        with one_at_a_time(cache_dir() / "lock", "makes the kernel of emulated nodes"):
            if not target.exists():
                emit(f"Debian's {package} {version} is fetched for the nodes, once")
                _make(package, target)
    return EmulatedKernel(version, target)


@functools.lru_cache(maxsize=1)
def tsc_khz() -> int:
    """Of the host's counter, which is each node's clock. Takes a second."""
    return int(_output(str(compiled(SOURCES / "tsc_khz.c"))))


def _make(package: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="build-", dir=cache_dir()) as name:
        work = Path(name)
        _output("apt-get", "download", "-o", "APT::Sandbox::User=root", package, directory=work)
        _output("dpkg-deb", "--extract", str(next(work.glob("*.deb"))), "tree", directory=work)
        result = work / "result"
        shutil.move(work / "tree" / "lib" / "modules", result / "modules")
        release = next((result / "modules").iterdir()).name
        (result / "vmlinux").write_bytes(
            unpacked_kernel((work / "tree" / "boot" / f"vmlinuz-{release}").read_bytes()))
        # depmod(8) wants the directory as it is installed.
        (result / "lib").symlink_to(".")
        _output("depmod", "-b", str(result), release)
        (result / "first.cpio").write_bytes(archive(_first_files(result, release)))
        result.rename(target)


def unpacked_kernel(image: bytes) -> bytes:
    """The kernel within a bzImage of Debian's. QEMU starts it without the emulated processor
    unpacking it."""
    sectors = image[SETUP_SECTORS_AT] or SETUP_SECTORS_USUAL
    offset, length = struct.unpack_from("<II", image, PAYLOAD_AT)
    start = (sectors + 1) * SECTOR + offset
    # The kernel's build appends the unpacked size where the format has none.
    payload = image[start:start + length]
    for magic, unpack in UNPACKERS.items():
        if payload.startswith(magic):
            return unpack(payload)
    raise LabError(f"the kernel's image is packed in a way not known here: {payload[:4].hex()}")


def _unpack_zstd(payload: bytes) -> bytes:
    done = subprocess.run(["zstd", "--decompress", "--stdout"], input=payload, capture_output=True,
                          check=False)
    # It complains about the size that follows the end.
    if not done.stdout:
        raise LabError(f"zstd: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


# By how a payload begins: Debian 12's and Debian 13's.
UNPACKERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\xfd7zXZ\0": lambda payload: lzma.LZMADecompressor().decompress(payload),
    b"\x28\xb5\x2f\xfd": _unpack_zstd,
}


def _first_files(root: Path, release: str) -> dict[str, bytes | None]:
    """By path, a directory before what is in it; None is a directory."""
    order: dict[str, bytes] = {}
    for module in MODULES:
        shown = _output("modprobe", "--dirname", str(root), "--set-version", release,
                        "--show-depends", module)
        for line in shown.splitlines():
            kind, _, path = line.strip().partition(" ")
            if kind == "insmod":
                file = Path(path.strip())
                # Debian 13 packs modules, and first.c does not unpack them.
                content = file.read_bytes()
                order.setdefault(file.name.removesuffix(".xz"),
                                 lzma.decompress(content) if file.suffix == ".xz" else content)
    names = "".join(f"{name}\n" for name in order).encode()
    return {"dev": None, "root": None, "modules": None, "modules/order": names,
            **{f"modules/{name}": content for name, content in order.items()},
            "init": compiled(FIRST, "-static").read_bytes()}


def archive(files: Mapping[str, bytes | None]) -> bytes:
    """The kernel's own format of a first file system ("newc" of cpio(5))."""
    packed = bytearray()
    for number, (path, content) in enumerate([*files.items(), ("TRAILER!!!", b"")], start=1):
        mode = 0o040755 if content is None else 0o100755
        name = path.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content or b""), 0, 0, 0, 0, len(name), 0)
        packed += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        packed += bytes(-len(packed) % 4)
        packed += content or b""
        packed += bytes(-len(packed) % 4)
    return bytes(packed)


def _output(*command: str, directory: Path | None = None) -> str:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(command)} failed with {done.returncode}: {done.stderr.strip()}")
    return done.stdout
