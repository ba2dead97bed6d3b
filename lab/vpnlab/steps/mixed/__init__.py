# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of all protocols at once: the soak, and floods."""
