# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as a page."""
