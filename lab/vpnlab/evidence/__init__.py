# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run proves: captures, measures, expectations, the result."""
