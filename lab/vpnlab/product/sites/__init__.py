# SPDX-License-Identifier: GPL-2.0-or-later
"""What else stands outside: homes behind a NAT, an office that gateways dial, a provider that dials
gateways."""
