# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens to the promoted node, and what is expected of it then."""
