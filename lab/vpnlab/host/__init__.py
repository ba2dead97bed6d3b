# SPDX-License-Identifier: GPL-2.0-or-later
"""The nodes themselves: kernels, networks, power, captures' recorder."""
