# SPDX-License-Identifier: GPL-2.0-or-later
"""The vpnha lab: user-mode Linux nodes on bridges, faults, captures, scenarios."""
