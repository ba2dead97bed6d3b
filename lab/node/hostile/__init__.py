# SPDX-License-Identifier: GPL-2.0-or-later
"""What plays an enemy inside a node: it floods, and it forges."""
