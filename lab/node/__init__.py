# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs inside the nodes. Init copies these files to /run/lab/node."""
