# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways: alone, and with a witness."""
