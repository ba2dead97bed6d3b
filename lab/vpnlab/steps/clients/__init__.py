# SPDX-License-Identifier: GPL-2.0-or-later
"""What scenarios of played clients are made of."""
