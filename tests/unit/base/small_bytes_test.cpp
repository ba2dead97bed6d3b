// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/small_bytes.hpp"

#include <gmock/gmock.h>

#include <numeric>

namespace vpnha {
namespace small_bytes_test {

Bytes counting(std::size_t size) {
    Bytes bytes(size);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
    return bytes;
}

TEST(SmallBytesTest, HoldsWhatItWasGivenOfAnySize) {
    for (const std::size_t size : {0, 1, 14, 15, 16, 17, 255, 256, 1024}) {
        const Bytes bytes = counting(size);
        const SmallBytes small(bytes);
        EXPECT_EQ(small.size(), size);
        EXPECT_EQ(small, ByteView(bytes));
        EXPECT_EQ(small.copy(), bytes);
    }
}

TEST(SmallBytesTest, IsMadeOfBytesAsTheyAre) {
    const SmallBytes listed{1, 2, 3};
    const SmallBytes converted = Bytes{1, 2, 3};
    EXPECT_EQ(listed, converted);
    EXPECT_EQ(listed, (Bytes{1, 2, 3}));
}

TEST(SmallBytesTest, ChangesBetweenAllSizes) {
    for (const std::size_t from : {0, 15, 16, 100}) {
        for (const std::size_t to : {0, 15, 16, 100}) {
            SmallBytes small(counting(from));
            small.assign(counting(to));
            EXPECT_EQ(small, ByteView(counting(to)));
        }
    }
}

TEST(SmallBytesTest, CopiesAndMovesAreWhole) {
    for (const std::size_t size : {3, 100}) {
        const SmallBytes original(counting(size));
        SmallBytes copy = original;
        SmallBytes moved = std::move(copy);
        EXPECT_EQ(moved, original);
        copy = moved;
        EXPECT_EQ(copy, original);
        SmallBytes other(counting(50));
        other = std::move(moved);
        EXPECT_EQ(other, original);
        other = other;  // NOLINT(clang-diagnostic-self-assign-overloaded)
        EXPECT_EQ(other, original);
    }
}

}  // namespace small_bytes_test
}  // namespace vpnha
