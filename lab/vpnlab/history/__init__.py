# SPDX-License-Identifier: GPL-2.0-or-later
"""The history of a run, made of captures alone, and what must hold of it."""
