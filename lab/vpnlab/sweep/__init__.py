# SPDX-License-Identifier: GPL-2.0-or-later
"""The evidence of all scenarios: chooses which to run again, keeps their results, makes a page."""
