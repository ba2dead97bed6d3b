# SPDX-License-Identifier: GPL-2.0-or-later
"""WireGuard: files of gateways, and stock clients."""
