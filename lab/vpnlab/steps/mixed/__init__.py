# SPDX-License-Identifier: GPL-2.0-or-later
"""The soak of clients of all protocols at once."""
