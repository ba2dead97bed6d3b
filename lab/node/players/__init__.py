# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of a client's node that play what no stock daemon does."""
