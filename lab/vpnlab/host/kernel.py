# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds and caches the user-mode kernels of the nodes.

A kernel comes from Debian's own source package of its series, the fragments and the patches of
lab/kernel. It is cached outside the tree under a key made of the package's version and their hash,
so a change of one of them builds anew and nothing else does. A build happens in a temporary
directory of the cache and is moved into place at the end; a lock makes a second caller wait for the
first one's result.
"""
from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import KernelBuildFailed, PackageMissing, ResourcesShort
from .progress import emit
from .release import RELEASES, THIS_RELEASE

DEFAULT_SERIES = THIS_RELEASE.series
SERIES = tuple(each.series for each in RELEASES.values())
FRAGMENT = Path(__file__).resolve().parents[2] / "kernel" / "config.fragment"
PATCHES = sorted(FRAGMENT.parent.glob("*.patch"))
# Package that brings the tool, for the error message.
BUILD_TOOLS = {"make": "make", "gcc": "gcc", "flex": "flex", "bison": "bison", "bc": "bc",
               "xz": "xz-utils", "perl": "perl", "patch": "patch"}
# Compiler and archiver lines of one build; only the progress figure depends on it.
OBJECTS_EXPECTED = 1180
# Unpacked source (1.5 GB) and objects.
DISK_NEEDED = 2_500_000_000


def cache_dir() -> Path:
    """Where kernels are kept; VPNHA_LAB_CACHE moves it."""
    return Path(os.environ.get("VPNHA_LAB_CACHE") or "/var/cache/vpnha-lab")


def source_package(series: str) -> str:
    """Debian's package of the series' source."""
    return f"linux-source-{series}"


def tarball(series: str) -> Path:
    """What that package brings."""
    return Path(f"/usr/src/{source_package(series)}.tar.xz")


def fragments(series: str) -> list[Path]:
    """What a series is configured with; the last word on a symbol counts."""
    own = FRAGMENT.with_name(f"{FRAGMENT.name}-{series}")
    return [FRAGMENT, own] if own.exists() else [FRAGMENT]


def source_version(series: str) -> str:
    """The installed version of Debian's kernel source."""
    package = source_package(series)
    reply = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package],
                           capture_output=True, text=True, check=False)
    status, _, version = reply.stdout.partition(" ")
    if reply.returncode or status != "installed" or not tarball(series).exists():
        raise PackageMissing(f"{package} is not installed: apt-get install {package} "
                             "flex bison bc xz-utils gcc make")
    return version


def cache_key(version: str, recipe: bytes) -> str:
    """Name of the cache entry for this source, and what is made of it."""
    return f"linux-{version}-{hashlib.sha256(recipe).hexdigest()[:12]}"


def parse_config(text: str) -> dict[str, str]:
    """Symbols of a kernel configuration: value, or "n" for those that are not set."""
    symbols = {}
    for line in text.splitlines():
        if match := re.fullmatch(r"(CONFIG_\w+)=(.*)", line):
            symbols[match[1]] = match[2]
        elif match := re.fullmatch(r"# (CONFIG_\w+) is not set", line):
            symbols[match[1]] = "n"
    return symbols


def unmet_symbols(fragment: str, config: str) -> list[str]:
    """Wishes of the fragment that the configuration does not grant, as `SYMBOL=value`."""
    actual = parse_config(config)
    return [f"{symbol}={wanted}" for symbol, wanted in parse_config(fragment).items()
            if actual.get(symbol, "n") != wanted]


def cached_kernel(series: str = DEFAULT_SERIES) -> Path:
    """Where the kernel for the present source, fragments and patches is or will be."""
    recipe = b"".join(path.read_bytes() for path in (*fragments(series), *PATCHES))
    key = cache_key(source_version(series), recipe)
    return cache_dir() / key / "linux"


def ensure_kernel(series: str = DEFAULT_SERIES) -> Path:
    """Returns the kernel's path; builds it first if the cache has none."""
    kernel = cached_kernel(series)
    if kernel.exists():
        return kernel
    cache_dir().mkdir(parents=True, exist_ok=True)
    with one_at_a_time(cache_dir() / "lock", "builds the lab kernel"):
        if not kernel.exists():
            _remove_stale_builds()
            _build_into(kernel.parent, series)
    return kernel


@contextlib.contextmanager
def one_at_a_time(path: Path, what: str) -> Iterator[None]:
    """Waits for another run that does the same."""
    with open(path, "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            emit(f"another run {what}: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_stale_builds() -> None:
    """Called under the lock: whatever build directory exists belongs to a killed run."""
    for path in cache_dir().glob("build-*"):
        shutil.rmtree(path, ignore_errors=True)


def _check_prerequisites() -> None:
    missing = [package for tool, package in BUILD_TOOLS.items() if shutil.which(tool) is None]
    if missing:
        raise PackageMissing(f"to build the lab kernel: apt-get install {' '.join(missing)}")
    free = shutil.disk_usage(cache_dir()).free
    if free < DISK_NEEDED:
        raise ResourcesShort(
            f"the kernel build needs {DISK_NEEDED / 1e9:.1f} GB in {cache_dir()}, "
            f"{free / 1e9:.1f} GB are free (VPNHA_LAB_CACHE names another place)")


def _build_into(target: Path, series: str) -> None:
    _check_prerequisites()
    work = Path(tempfile.mkdtemp(prefix="build-", dir=cache_dir()))
    try:
        emit(f"building the lab kernel {target.name} (once; 5 to 10 minutes)")
        _run(["tar", "xf", str(tarball(series)), "-C", str(work)], work)
        source = next(path for path in work.iterdir() if path.is_dir())
        for patch in PATCHES:
            _run(["patch", "--strip=1", "--fuzz=0", f"--input={patch}"], source)
        _run(["make", "ARCH=um", "defconfig"], source)
        wishes = fragments(series)
        _run(["scripts/kconfig/merge_config.sh", "-m", ".config", *map(str, wishes)], source)
        _run(["make", "ARCH=um", "olddefconfig"], source)
        config = (source / ".config").read_text(encoding="ascii")
        unmet = unmet_symbols("\n".join(path.read_text(encoding="ascii") for path in wishes),
                              config)
        if unmet:
            raise KernelBuildFailed("the kernel source does not grant: " + " ".join(unmet))
        _make_with_progress(source)
        _publish(source, target)
        emit(f"lab kernel built: {target / 'linux'}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _publish(source: Path, target: Path) -> None:
    """Moves the result into the cache in one step: an entry is complete or absent."""
    result = source.parent / "result"
    result.mkdir()
    _run(["strip", "-o", str(result / "linux"), "linux"], source)
    shutil.copy(source / ".config", result / "config")
    os.rename(result, target)


def _run(command: list[str], directory: Path) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-10:])
        raise KernelBuildFailed(f"{' '.join(command)} failed with {done.returncode}:\n{tail}")


def _make_with_progress(source: Path) -> None:
    jobs = len(os.sched_getaffinity(0))
    command = ["nice", "-n", "10", "make", "ARCH=um", f"-j{jobs}", "linux"]
    tail: list[str] = []
    objects, shown = 0, 0
    with subprocess.Popen(command, cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                tail = [*tail[-30:], line.rstrip()]
                if re.match(r"\s+(CC|AS)\s", line):
                    objects += 1
                percent = min(99, objects * 100 // OBJECTS_EXPECTED)
                if percent >= shown + 5:
                    shown = percent
                    emit(f"kernel: {percent} % of {OBJECTS_EXPECTED} objects")
        except BaseException:
            # Ctrl-C ends this program; make has a session of its own and would continue.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        raise KernelBuildFailed("make failed:\n" + "\n".join(tail))
