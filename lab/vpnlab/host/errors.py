# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors of the lab. Each kind has an exit code of its own, above what commands usually return,
so that `lab exec` can pass a command's code through without ambiguity."""
from __future__ import annotations


class LabError(Exception):
    """Something in the lab itself went wrong; the text has the fault and what to do."""

    exit_code = 101


class NotRoot(LabError):
    exit_code = 102


class NoTun(LabError):
    exit_code = 103


class ResourcesShort(LabError):
    exit_code = 104


class PackageMissing(LabError):
    exit_code = 105


class AlreadyUp(LabError):
    exit_code = 106


class NotFound(LabError):
    """No such lab, node, network or scenario."""

    exit_code = 107


class KernelBuildFailed(LabError):
    exit_code = 108


class TimedOut(LabError):
    """A condition or a command did not finish within its time."""

    exit_code = 109


EXIT_SCENARIO_FAILED = 1
EXIT_INTERRUPTED = 130
