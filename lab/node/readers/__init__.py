# SPDX-License-Identifier: GPL-2.0-or-later
"""What reads, within a node, what a program there knows."""
