// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/bytes.hpp"

#include <gmock/gmock.h>

namespace vpnha {
namespace bytes_test {

using ::testing::ElementsAre;

TEST(ByteReaderTest, ReadsBigEndianIntegers) {
    const Bytes bytes{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};
    ByteReader reader(bytes);
    EXPECT_EQ(reader.u8(), 0x01);
    EXPECT_EQ(reader.u16(), 0x0203);
    EXPECT_EQ(reader.u32(), 0x04050607U);
    EXPECT_TRUE(reader.finished());
}

TEST(ByteReaderTest, FailsStickilyPastTheEnd) {
    const Bytes bytes{0xff, 0xff, 0xff};
    ByteReader reader(bytes);
    EXPECT_EQ(reader.u32(), 0U);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(reader.u8(), 0);
    EXPECT_EQ(reader.remaining(), 0U);
    EXPECT_FALSE(reader.finished());
}

TEST(ByteReaderTest, RefusesAPrefixedLengthOverItsBound) {
    const Bytes bytes{0x00, 0x03, 'a', 'b', 'c'};
    ByteReader allowed(bytes);
    EXPECT_THAT(allowed.take_prefixed(3), ElementsAre('a', 'b', 'c'));
    ByteReader refused(bytes);
    EXPECT_TRUE(refused.take_prefixed(2).empty());
    EXPECT_FALSE(refused.ok());
}

TEST(ByteWriterTest, WritesWhatTheReaderReads) {
    ByteWriter writer;
    writer.u8(7).u16(0xabcd).u32(0xdeadbeef).u64(0x0102030405060708).prefixed("name");
    writer.patch_u16(1, 0x1234);
    const Bytes bytes = std::move(writer).take();
    ByteReader reader(bytes);
    EXPECT_EQ(reader.u8(), 7);
    EXPECT_EQ(reader.u16(), 0x1234);
    EXPECT_EQ(reader.u32(), 0xdeadbeefU);
    EXPECT_EQ(reader.u64(), 0x0102030405060708U);
    EXPECT_EQ(to_text(reader.take_prefixed(16)), "name");
    EXPECT_TRUE(reader.finished());
}

TEST(BytesTest, HexHasTwoDigitsAnOctet) {
    EXPECT_EQ(to_hex(Bytes{0x00, 0x0f, 0xa5}), "000fa5");
}

}  // namespace bytes_test
}  // namespace vpnha
