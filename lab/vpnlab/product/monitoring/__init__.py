# SPDX-License-Identifier: GPL-2.0-or-later
"""What watches gateways from another machine."""
