# SPDX-License-Identifier: GPL-2.0-or-later
"""The same faults to vpnha and to what one would take instead, each set up as its documentation has
it."""
