# SPDX-License-Identifier: GPL-2.0-or-later
from vpnlab.host import speed


def test_a_fast_host_is_not_mentioned():
    assert speed.complaint(0.7) is None
    assert speed.complaint(speed.SLOW_US) is None


def test_a_slow_host_is_named_with_its_figure():
    assert "15 us for the first touch" in (speed.complaint(15.2) or "")


def test_what_is_measured_is_a_time():
    assert 0 < speed.page_us() < 10_000
