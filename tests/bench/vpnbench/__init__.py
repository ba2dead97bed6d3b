# SPDX-License-Identifier: GPL-2.0-or-later
"""Drives the benchmarks: nodes with a corosync each, runs, figures, tables."""
