// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/octets.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vpnha {
namespace octets_test {

TEST(OctetsTest, NumbersAreInNetworkOrderAsByteWriterHasThem) {
    Octets<32> octets;
    octets.u8(1);
    octets.u16(0x0203);
    octets.u32(0x04050607);
    octets.u64(0x08090a0b0c0d0e0fU);
    octets.bytes(Bytes{0x10, 0x11});
    octets.bytes({});
    ByteWriter writer;
    writer.u8(1).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0fU).bytes(Bytes{0x10, 0x11});
    EXPECT_EQ(octets.size(), 17U);
    EXPECT_TRUE(std::ranges::equal(octets.view(), writer.view()));
}

TEST(OctetsDeathTest, MoreThanTheCapacityIsAProgrammingError) {
    Octets<3> octets;
    octets.u16(1);
    octets.bytes(Bytes{1});
    EXPECT_DEATH(octets.bytes(Bytes{1}), "");
}

}  // namespace octets_test
}  // namespace vpnha
