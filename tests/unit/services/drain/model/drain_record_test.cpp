// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/drain/model/drain_record.hpp"

#include <gtest/gtest.h>

namespace vpnha::keepers {
namespace drain_record_test {

TEST(DrainRecordTest, IsReadAsItWasWritten) {
    const DrainRecord record{1'800'000'000'000};
    EXPECT_EQ(parse_drain(encode_drain(record)).value(), record);
}

TEST(DrainRecordTest, IsRefusedWhenItIsNone) {
    Bytes whole = encode_drain({7});
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_FALSE(parse_drain(ByteView(whole).first(length)).has_value());
    }
    Bytes longer = whole;
    longer.push_back(0);
    EXPECT_FALSE(parse_drain(longer).has_value());
    whole[0] = 2;
    EXPECT_EQ(parse_drain(whole).error().code, Errc::unsupported);
}

}  // namespace drain_record_test
}  // namespace vpnha::keepers
