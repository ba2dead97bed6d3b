# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of a node that ask whether somebody answers."""
