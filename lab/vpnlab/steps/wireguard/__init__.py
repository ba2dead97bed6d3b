# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps of the scenarios of WireGuard."""
