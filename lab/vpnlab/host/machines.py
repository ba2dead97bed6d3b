# SPDX-License-Identifier: GPL-2.0-or-later
"""What a node is to the host: a user-mode kernel, or a machine that QEMU emulates."""
from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from .emulator import EmulatedKernel, Share, ensure_emulated, mount_options, shares
from .kernel import ensure_kernel, source_version
from .speed import SLOW_US, page_us
from .topology import NodeSpec, kernel_arguments, memory_of

USER_MODE, EMULATED = "user-mode", "emulated"
KINDS = (USER_MODE, EMULATED)


@dataclasses.dataclass(frozen=True)
class Traits:
    """Of a kind. `patience`: how much longer than usual the lab waits for what its nodes do.
    `has_own_core`: a node's threads stay on one core of the host. `has_own_group`: the host's
    scheduler gives each node as much as another session."""

    patience: float
    has_own_core: bool
    has_own_group: bool


# Each system call in a user-mode kernel is a hand-over between two threads, which takes 14 us on
# one core and 50 us between two. Emulated nodes take whichever core is free.
TRAITS = {USER_MODE: Traits(1.0, True, True), EMULATED: Traits(4.0, False, False)}
# Where a node finds the modules of its kernel.
MODULES = "/lib/modules"
# Those of boot_config() that the node writes to.
WRITABLE = ("log_directory", "disk_directory")


class Machine(Protocol):
    """Starts nodes of one kind."""

    @property
    def kind(self) -> str:
        """One of KINDS."""

    @property
    def version(self) -> str:
        """Of the Debian package that the kernel is from."""

    @property
    def file(self) -> Path:
        """The kernel."""

    def complete(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """boot_config() with what this kind adds."""

    def command(self, spec: NodeSpec, config: Mapping[str, Any], config_file: Path,
                init: Path) -> list[str]:
        """That becomes the node's process; `config` is what complete() returned, the file has
        it."""


@dataclasses.dataclass(frozen=True)
class UserMode:
    """Its hostfs mounts any directory of the host."""

    file: Path
    version: str
    kind = USER_MODE

    def complete(self, config: Mapping[str, Any]) -> dict[str, Any]:
        return dict(config)

    def command(self, spec: NodeSpec, config: Mapping[str, Any], config_file: Path,
                init: Path) -> list[str]:
        return kernel_arguments(spec, str(self.file), str(init), str(config_file), spec.name,
                                f"{config_file.parent}/", config["fresh"])


@dataclasses.dataclass(frozen=True)
class Emulated:
    """Each directory of the host that a node sees is a device of its machine."""

    kernel: EmulatedKernel
    kind = EMULATED

    @property
    def version(self) -> str:
        return self.kernel.version

    @property
    def file(self) -> Path:
        return self.kernel.file

    def complete(self, config: Mapping[str, Any]) -> dict[str, Any]:
        mounts = {MODULES: str(self.kernel.modules), **config["mounts"]}
        shared = self._shares({**config, "mounts": mounts})
        return {**config, "mounts": mounts,
                "shares": {each.directory: [each.tag, mount_options(each)] for each in shared}}

    def command(self, spec: NodeSpec, config: Mapping[str, Any], config_file: Path,
                init: Path) -> list[str]:
        return self.kernel.arguments(spec, memory_of(spec, config["fresh"]), str(init),
                                     str(config_file), self._shares(config))

    @staticmethod
    def _shares(config: Mapping[str, Any]) -> list[Share]:
        return shares([config[key] for key in WRITABLE],
                      [config["root"], config["stage"], *config["mounts"].values()])


def usual_kind() -> str:
    """Of this host: whichever is faster."""
    return EMULATED if page_us() > SLOW_US else USER_MODE


def ensure_machine(kind: str, series: str) -> Machine:
    """With a kernel of the series, which is built or fetched if the cache has none."""
    if kind == EMULATED:
        return Emulated(ensure_emulated(series))
    return UserMode(ensure_kernel(series), source_version(series))
