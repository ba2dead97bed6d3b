# SPDX-License-Identifier: GPL-2.0-or-later
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from vpnlab.host import kernel
from vpnlab.host.errors import KernelBuildFailed, PackageMissing, ResourcesShort


def test_key_changes_with_source_and_with_fragment():
    keys = {kernel.cache_key("6.1.1", b"a"), kernel.cache_key("6.1.2", b"a"),
            kernel.cache_key("6.1.1", b"b")}
    assert len(keys) == 3


def test_key_is_the_same_for_the_same_input():
    assert kernel.cache_key("6.1.1", b"a") == kernel.cache_key("6.1.1", b"a")


@pytest.mark.parametrize("fragment, config, unmet", [
    ("CONFIG_A=y", "CONFIG_A=y", []),
    ("CONFIG_A=y", "# CONFIG_A is not set", ["CONFIG_A=y"]),
    ("CONFIG_A=y", "", ["CONFIG_A=y"]),
    ("CONFIG_A=y", "CONFIG_A=m", ["CONFIG_A=y"]),
    ("# CONFIG_A is not set", "", []),
    ("# CONFIG_A is not set", "CONFIG_A=y", ["CONFIG_A=n"]),
    ("# A comment, CONFIG_A too\nCONFIG_B=y", "CONFIG_B=y", []),
])
def test_wishes_that_were_not_granted_are_named(fragment, config, unmet):
    assert kernel.unmet_symbols(fragment, config) == unmet


def test_fragment_asks_for_what_the_product_needs_and_for_no_module():
    wanted = kernel.parse_config(kernel.FRAGMENT.read_text(encoding="ascii"))
    for symbol in ("BPF_SYSCALL", "NET_CLS_BPF", "NET_SCH_INGRESS", "NETFILTER_EGRESS", "L2TP_V3",
                   "PPPOL2TP", "PPTP", "NET_SCH_NETEM", "XFRM_USER", "SOFT_WATCHDOG",
                   "IP_MULTIPLE_TABLES", "CHECKPOINT_RESTORE"):
        assert wanted["CONFIG_" + symbol] == "y"
    assert wanted["CONFIG_MODULES"] == "n"
    assert "m" not in wanted.values()


@pytest.mark.parametrize("series", kernel.SERIES)
def test_what_a_series_has_of_its_own_takes_wishes_of_the_shared_fragment_back(series):
    shared, *own = kernel.fragments(series)
    assert shared == kernel.FRAGMENT
    wanted = kernel.parse_config(shared.read_text(encoding="ascii"))
    for path in own:
        other = kernel.parse_config(path.read_text(encoding="ascii"))
        assert other.keys() <= wanted.keys()
        assert all(value != wanted[symbol] for symbol, value in other.items())


def test_last_word_on_a_symbol_counts():
    assert kernel.unmet_symbols("CONFIG_A=y\n# CONFIG_A is not set", "") == []


def test_missing_source_is_named_by_its_package(monkeypatch):
    monkeypatch.setattr(kernel, "source_package", lambda _: "linux-source-0.1")
    with pytest.raises(PackageMissing, match="apt-get install linux-source-0.1 "):
        kernel.ensure_kernel("6.12")


def test_cache_can_be_moved(monkeypatch):
    monkeypatch.setenv("VPNHA_LAB_CACHE", "/elsewhere")
    assert kernel.cache_dir() == Path("/elsewhere")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VPNHA_LAB_CACHE", str(tmp_path))
    monkeypatch.setattr(kernel, "source_version", "{}.1".format)
    return tmp_path


def test_patch_is_part_of_the_key(cache, monkeypatch, tmp_path):
    before = kernel.cached_kernel()
    patch = tmp_path / "another.patch"
    patch.write_bytes(b"+")
    monkeypatch.setattr(kernel, "PATCHES", [*kernel.PATCHES, patch])
    assert kernel.cached_kernel() != before


def test_each_series_has_a_kernel_of_its_own(cache):
    paths = {kernel.cached_kernel(series) for series in kernel.SERIES}
    assert len(paths) == len(kernel.SERIES)
    assert kernel.cached_kernel() == kernel.cached_kernel("6.1")


def test_fragment_of_one_series_is_no_part_of_the_others_key(cache, monkeypatch, tmp_path):
    before = {series: kernel.cached_kernel(series) for series in kernel.SERIES}
    own = tmp_path / "config.fragment-6.12"
    own.write_bytes(b"# CONFIG_MODULES is not set")
    fragments = kernel.fragments
    monkeypatch.setattr(kernel, "fragments", lambda series: [
        *fragments(series), *([own] if series == "6.12" else [])])
    assert kernel.cached_kernel("6.1") == before["6.1"]
    assert kernel.cached_kernel("6.12") != before["6.12"]


def test_patch_that_does_not_apply_stops_the_build(cache, monkeypatch):
    def unpack(command, directory):
        if command[0] == "tar":
            (directory / "linux").mkdir()
        else:
            run(command, directory)

    run = kernel._run
    monkeypatch.setattr(kernel, "_run", unpack)
    monkeypatch.setattr(kernel, "_check_prerequisites", lambda: None)
    with pytest.raises(KernelBuildFailed, match="^patch "):
        kernel.ensure_kernel()
    assert not list(cache.glob("build-*"))


def test_cached_kernel_is_not_built_again(cache, monkeypatch):
    path = kernel.cached_kernel()
    path.parent.mkdir()
    path.write_bytes(b"")
    monkeypatch.setattr(kernel, "_build_into", lambda *_: pytest.fail("built again"))
    assert kernel.ensure_kernel() == path


def test_cached_kernel_is_had_while_another_one_is_built(cache):
    path = kernel.cached_kernel()
    path.parent.mkdir()
    path.write_bytes(b"")
    with open(cache / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # In a process of its own: a lock that is waited for would hang this one.
        script = ("from vpnlab.host import kernel; kernel.source_version = '{}.1'.format\n"
                  "print(kernel.ensure_kernel())")
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                              cwd=kernel.FRAGMENT.parent.parent, timeout=10)
    assert done.stdout.strip() == str(path), done.stderr


def test_stale_build_directory_of_a_killed_run_is_removed(cache, monkeypatch):
    stale = cache / "build-stale"
    stale.mkdir()
    monkeypatch.setattr(kernel, "_build_into", lambda *_: None)
    kernel.ensure_kernel()
    assert not stale.exists()


def test_second_caller_waits_and_takes_the_first_ones_kernel(cache, monkeypatch):
    path = kernel.cached_kernel()
    monkeypatch.setattr(kernel, "_build_into", lambda *_: pytest.fail("built twice"))
    script = ("import subprocess, sys, os; from vpnlab.host import kernel\n"
              "kernel.source_version = '{}.1'.format\n"
              "kernel._build_into = lambda *_: sys.exit('built twice')\n"
              "print(kernel.ensure_kernel())")
    with open(cache / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiter = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=kernel.FRAGMENT.parent.parent, text=True)
        assert "waiting" in waiter.stderr.readline()
        path.parent.mkdir()
        path.write_bytes(b"")
    output, errors = waiter.communicate(timeout=10)
    assert (waiter.returncode, output.strip()) == (0, str(path)), errors


def test_missing_build_tool_is_named_by_its_package(cache, monkeypatch):
    monkeypatch.setattr(kernel.shutil, "which", lambda tool: None if tool == "xz" else "/bin/x")
    with pytest.raises(PackageMissing, match="xz-utils"):
        kernel._check_prerequisites()


def test_short_disk_is_reported_before_the_build(cache, monkeypatch):
    monkeypatch.setattr(kernel.shutil, "which", lambda tool: "/bin/x")
    monkeypatch.setattr(kernel, "DISK_NEEDED", 1 << 60)
    with pytest.raises(ResourcesShort, match="VPNHA_LAB_CACHE"):
        kernel._check_prerequisites()


def makefile(directory, *lines):
    (directory / "Makefile").write_text("linux:\n" + "".join(f"\t@{line}\n" for line in lines))


def test_build_shows_its_progress(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(kernel, "emit", seen.append)
    monkeypatch.setattr(kernel, "OBJECTS_EXPECTED", 4)
    makefile(tmp_path, "echo '  CC      a.o'", "echo '  AR      x.a'", "echo '  AS      b.o'")
    kernel._make_with_progress(tmp_path)
    assert seen == ["kernel: 25 % of 4 objects", "kernel: 50 % of 4 objects"]


def test_failed_build_shows_the_end_of_its_output(tmp_path):
    makefile(tmp_path, "echo the compiler refuses", "false")
    with pytest.raises(KernelBuildFailed, match="the compiler refuses"):
        kernel._make_with_progress(tmp_path)


def test_interrupted_build_leaves_no_compiler_behind(tmp_path, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(kernel, "emit", interrupt)
    monkeypatch.setattr(kernel, "OBJECTS_EXPECTED", 1)
    makefile(tmp_path, "echo $$$$ >pid", "echo '  CC      a.o'", "echo $$$$ >pid; exec sleep 60")
    with pytest.raises(KeyboardInterrupt):
        kernel._make_with_progress(tmp_path)
    pid = (tmp_path / "pid").read_text().strip()
    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text()


@pytest.mark.parametrize("series", kernel.SERIES)
def test_wish_that_is_not_granted_stops_the_build_by_name(cache, monkeypatch, series):
    def unpack_and_configure(command, directory):
        if command[0] == "tar":
            assert command[2].endswith(f"linux-source-{series}.tar.xz")
            (directory / "linux").mkdir()
        elif command[-1] == "olddefconfig":
            (directory / ".config").write_text("CONFIG_MODULES=y\n")

    monkeypatch.setattr(kernel, "_run", unpack_and_configure)
    monkeypatch.setattr(kernel, "_check_prerequisites", lambda: None)
    with pytest.raises(KernelBuildFailed, match="CONFIG_MODULES=n"):
        kernel.ensure_kernel(series)
    assert not list(cache.glob("build-*"))
