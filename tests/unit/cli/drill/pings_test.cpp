// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/pings.hpp"

#include <gtest/gtest.h>

namespace vpnha::cli::drill {
namespace pings_test {

using std::chrono::milliseconds;

// It asks once at least, and waits for the answer.
Watch watch_of(const std::string& address) {
    auto pings = Pings::open(address, milliseconds(10));
    if (!pings) {
        ADD_FAILURE() << pings.error().detail;
        return {};
    }
    pings->start();
    return pings->stop();
}

TEST(PingsTest, TheLoopbackAnswers) {
    for (const char* address : {"127.0.0.1", "::1"}) {
        const Watch watch = watch_of(address);
        const Seen seen = reckon(watch.probes, std::nullopt);
        EXPECT_EQ(watch.address, address);
        EXPECT_GE(seen.sent, 1U) << address;
        EXPECT_EQ(seen.lost, 0U) << address;
    }
}

TEST(PingsTest, WhatIsNoAddressIsRefused) {
    EXPECT_EQ(Pings::open("localhost", milliseconds(10)).error().code, Errc::invalid_argument);
}

}  // namespace pings_test
}  // namespace vpnha::cli::drill
