# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of single sessions: their ends, pppd's scripts, and what they carry."""
