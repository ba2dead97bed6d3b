# SPDX-License-Identifier: GPL-2.0-or-later
"""How vpnha comes onto fresh machines: packages, by hand, by Ansible."""
