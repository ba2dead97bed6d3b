# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic beside a session: NAT, FTP, names that are asked."""
