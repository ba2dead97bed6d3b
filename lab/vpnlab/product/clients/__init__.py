# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that the lab does not have, as data, and the stock daemons that play them."""
