// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/seq16.hpp"

#include <gtest/gtest.h>

namespace vpnha::l2tp {
namespace seq16_test {

TEST(Seq16Test, DistanceWraps) {
    const struct {
        int a;
        int b;
        int expected;
    } cases[] = {
        {0, 0, 0},
        {1, 0, 1},
        {0, 1, -1},
        {0, 65535, 1},
        {65535, 0, -1},
        {5, 65530, 11},
        {65530, 5, -11},
        {32767, 0, 32767},
        {32768, 0, -32768},
        {0, 32768, -32768},
        {40000, 7232, -32768},
        {39999, 7232, 32767},
    };
    for (const auto& c : cases) {
        const Seq16 a{static_cast<std::uint16_t>(c.a)};
        const Seq16 b{static_cast<std::uint16_t>(c.b)};
        EXPECT_EQ(distance(a, b), c.expected) << c.a << " " << c.b;
    }
}

TEST(Seq16Test, AdvanceIsTheInverseOfDistance) {
    for (int from = 0; from < 65536; from += 251) {
        for (const int step : {-32768, -16, -1, 0, 1, 16, 32767}) {
            const Seq16 start{static_cast<std::uint16_t>(from)};
            EXPECT_EQ(distance(advance(start, step), start), step) << from;
        }
    }
}

}  // namespace seq16_test
}  // namespace vpnha::l2tp
