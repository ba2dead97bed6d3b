# SPDX-License-Identifier: GPL-2.0-or-later
"""What the log of a scenario shows of the failed tests in a node."""
from vpnlab.product.kernel_tests import failures

OUTPUT = """\
[ RUN      ] L2tpEventsTest.LostNewsIsReported
/src/tests/kernel/l2tp_events_test.cpp:148: Failure
Expected equality of these values:
  overruns_
    Which is: 0
  1

[  FAILED  ] L2tpEventsTest.LostNewsIsReported (12 ms)
[ RUN      ] L2tpEventsTest.OurOwnRemovalsAreNoNews
noise
[       OK ] L2tpEventsTest.OurOwnRemovalsAreNoNews (3 ms)
"""


def test_the_place_and_the_values_of_a_failed_expectation_are_shown() -> None:
    assert failures(OUTPUT) == [
        "/src/tests/kernel/l2tp_events_test.cpp:148: Failure",
        "Expected equality of these values:", "  overruns_", "    Which is: 0", "  1"]
