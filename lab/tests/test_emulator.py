# SPDX-License-Identifier: GPL-2.0-or-later
import lzma
import os
import struct
import subprocess

import pytest

from vpnlab.host import emulator, machines
from vpnlab.host.emulator import EmulatedKernel, archive, shares
from vpnlab.host.errors import LabError, PackageMissing
from vpnlab.host.machines import Emulated, UserMode
from vpnlab.host.release import THIS_RELEASE
from vpnlab.host.topology import NodeRoot, boot_config, node_spec


def test_cpio_finds_in_the_archive_what_was_put_there(tmp_path):
    files = {"dev": None, "modules": None, "modules/order": b"9p.ko\n", "init": b"\x7fELF" * 5}
    subprocess.run(["cpio", "--extract", "--quiet"], input=archive(files), cwd=tmp_path, check=True)
    assert (tmp_path / "dev").is_dir()
    for path in ("modules/order", "init"):
        assert (tmp_path / path).read_bytes() == files[path]
        assert os.access(tmp_path / path, os.X_OK)


def image(payload: bytes) -> bytes:
    """Two sectors of setup, then the payload behind 16 octets of code, then a size."""
    setup = bytearray(2 * emulator.SECTOR)
    setup[emulator.SETUP_SECTORS_AT] = 1
    struct.pack_into("<II", setup, emulator.PAYLOAD_AT, 16, len(payload) + 4)
    return bytes(setup) + bytes(16) + payload + bytes(4)


def zstd(content: bytes) -> bytes:
    return subprocess.run(["zstd", "--stdout"], input=content, capture_output=True,
                          check=True).stdout


@pytest.mark.parametrize("pack", [lzma.compress, zstd])
def test_the_kernel_is_taken_out_of_its_image(pack):
    assert emulator.unpacked_kernel(image(pack(b"\x7fELF kernel"))) == b"\x7fELF kernel"
    with pytest.raises(LabError, match="not known here: 1f8b"):
        emulator.unpacked_kernel(image(b"\x1f\x8b"))


@pytest.fixture
def apt(monkeypatch):
    """What apt-cache answers, by its last word."""
    known: dict[str, str] = {}
    monkeypatch.setattr(emulator, "_output", lambda *command: known.get(command[-1], ""))
    return known


@pytest.mark.parametrize("series, meta", [(THIS_RELEASE.series, "linux-image-amd64"),
                                          ("5.15", "linux-image-5.15-amd64")])
def test_the_package_is_the_one_that_debian_names_for_the_series(apt, series, meta):
    apt[meta] = f"{meta}\n  Depends: linux-image-x-1-amd64\n"
    assert emulator.package_of(series) == "linux-image-x-1-amd64"


def test_a_package_that_apt_does_not_know_is_an_error_with_what_to_do(apt):
    with pytest.raises(PackageMissing, match="apt-get update"):
        emulator.package_of("6.1")
    with pytest.raises(PackageMissing, match="apt-get update"):
        emulator.version_of("linux-image-x")
    apt["linux-image-x"] = "Package: linux-image-x\nVersion: 6.1.2-1\n"
    assert emulator.version_of("linux-image-x") == "6.1.2-1"


def test_no_emulator_is_an_error_with_its_package(monkeypatch):
    monkeypatch.setattr(emulator.shutil, "which", lambda _: None)
    with pytest.raises(PackageMissing, match="qemu-system-x86"):
        emulator.ensure_emulated("6.1")


def test_only_what_a_node_writes_can_be_written():
    made = {each.directory: each for each in shares(["/log"], ["/stage", ""])}
    assert set(made) == {"/", "/log", "/stage"}
    assert {name for name, each in made.items() if each.writable} == {"/log"}
    assert len({each.tag for each in made.values()}) == len(made)
    assert "readonly=on" not in " ".join(made["/log"].arguments())
    assert "readonly=on" in " ".join(made["/"].arguments())
    # A log that the host reads meanwhile is not kept back by the node.
    assert "cache" not in emulator.mount_options(made["/log"])


def test_an_emulated_node_has_a_device_for_each_directory_and_each_link(tmp_path, monkeypatch):
    monkeypatch.setattr(emulator, "tsc_khz", lambda: 2_000_000)
    machine = Emulated(EmulatedKernel("6.1.2-1", tmp_path))
    spec = node_spec("gw1")
    root = NodeRoot("/trixie", {"/tree/build": "/tree/build/trixie"})
    config = machine.complete(boot_config(spec, "t", "/stage", "/log", "/disk", root))
    assert config["mounts"] == {"/lib/modules": str(tmp_path / "modules"), **root.mounts}
    assert set(config["shares"]) == {"/", "/log", "/disk", "/trixie", "/stage",
                                     *config["mounts"].values()}
    command = machine.command(spec, config, tmp_path / "c.json", tmp_path / "init.py")
    for tag, _ in config["shares"].values():
        assert f"virtio-9p-device,fsdev={tag},mount_tag={tag}" in command
    for network in spec.networks:
        assert any(f"ifname={spec.tap(network)}," in word for word in command)
        assert any(word.endswith(f"mac={spec.mac(network)}") for word in command)
    kernel = command[command.index("-append") + 1].split()
    assert f"VPNHA_NODE={tmp_path / 'c.json'}" in kernel and "tsc_early_khz=2000000" in kernel
    assert command[command.index("-m") + 1] == str(spec.memory_mb)


def test_a_user_mode_node_mounts_by_directory(tmp_path):
    machine = UserMode(tmp_path / "linux", "6.1.2-1")
    config = machine.complete(boot_config(node_spec("gw1"), "t", "/stage", "/log", "/disk"))
    assert config["shares"] == {}
    command = machine.command(node_spec("gw1"), config, tmp_path / "c.json", tmp_path / "init.py")
    assert command[0] == str(tmp_path / "linux") and f"uml_dir={tmp_path}/" in command


@pytest.mark.parametrize("us, kind", [(1.0, machines.USER_MODE), (15.0, machines.EMULATED)])
def test_nodes_are_what_is_faster_on_the_host(monkeypatch, us, kind):
    monkeypatch.setattr(machines, "page_us", lambda: us)
    assert machines.usual_kind() == kind


def test_a_clock_of_the_host_is_measured():
    assert 100_000 < emulator.tsc_khz() < 10_000_000
