// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire/message.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/limits.hpp"

namespace vpnha::wire {
namespace {

const Epoch kEpoch{7, NodeId{2}};
const RecordKey kKey{RecordType::l2tp_session, {0xaa, 0xbb}};

// One message of each type, with nothing left at its default.
std::vector<Message> all_messages() {
    return {
        Hello{1,
              1,
              0x0102030405060708,
              "gw1",
              {{GatewayId{1}, true, Level::complete, kEpoch},
               {GatewayId{9}, false, Level::partial, {}}}},
        Claim{GatewayId{1}, kEpoch},
        Update{GatewayId{1}, kEpoch, 41, {{kKey, false, {1, 2, 3}}, {kKey, true, {}}}},
        SnapshotRequest{GatewayId{3}},
        Snapshot{GatewayId{1}, kEpoch, {{kKey, Version{kEpoch, 5}, {9}}}},
        SnapshotEnd{GatewayId{1}, kEpoch, 43, 12, 0xfedcba9876543210},
        Confirm{GatewayId{1}, kEpoch, 43, {7, 9}},
    };
}

TEST(MessageTest, EveryTypeSurvivesTheWire) {
    for (const Message& message : all_messages()) {
        const Result<Message> parsed = parse_message(encode(message));
        ASSERT_TRUE(parsed.has_value()) << message.index() << ": " << parsed.error().detail;
        EXPECT_EQ(*parsed, message) << message.index();
    }
}

TEST(MessageTest, ClaimHasTheBytesOfVersionOne) {
    EXPECT_EQ(to_hex(encode(Claim{GatewayId{1}, kEpoch})),
              "56504e48"          // "VPNH"
              "01"                // wire version
              "02"                // claim
              "01"                // gateway
              "0000000000000007"  // epoch number
              "00000002"          // epoch node
              "1592b60d");        // CRC-32
}

TEST(MessageTest, RefusesEveryTruncation) {
    for (const Message& message : all_messages()) {
        const Bytes whole = encode(message);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            EXPECT_FALSE(parse_message(ByteView(whole).first(size)).has_value())
                << message.index() << " cut to " << size;
        }
    }
}

TEST(MessageTest, RefusesEveryFlippedBit) {
    for (const Message& message : all_messages()) {
        Bytes bytes = encode(message);
        for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
            bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << bit % 8));
            EXPECT_FALSE(parse_message(bytes).has_value()) << message.index() << " bit " << bit;
            bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << bit % 8));
        }
    }
}

TEST(MessageTest, AnotherVersionIsUnsupportedNotMalformed) {
    Bytes bytes = encode(Claim{GatewayId{1}, kEpoch});
    bytes[4] = 2;
    const Result<Message> parsed = parse_message(bytes);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, Errc::unsupported);
}

TEST(MessageTest, EncodedSizeIsWhatAChangeAdds) {
    const Change change{kKey, false, {1, 2, 3}};
    Update update{GatewayId{1}, kEpoch, 0, {}};
    const std::size_t empty = encode(update).size();
    update.changes.push_back(change);
    EXPECT_EQ(encode(update).size() - empty, encoded_size(change));

    const SnapshotRecord record{kKey, Version{kEpoch, 5}, {9, 9}};
    Snapshot snapshot{GatewayId{1}, kEpoch, {}};
    const std::size_t bare = encode(snapshot).size();
    snapshot.records.push_back(record);
    EXPECT_EQ(encode(snapshot).size() - bare, encoded_size(record));
}

TEST(MessageTest, RefusesCountersThatCouldWrapAround) {
    const std::uint64_t huge = limits::kCounterMax + 1;
    EXPECT_TRUE(parse_message(encode(Claim{GatewayId{1}, {limits::kCounterMax, NodeId{1}}})));
    EXPECT_FALSE(parse_message(encode(Claim{GatewayId{1}, {huge, NodeId{1}}})));
    EXPECT_FALSE(parse_message(encode(Update{GatewayId{1}, kEpoch, huge, {}})));
    EXPECT_FALSE(parse_message(encode(SnapshotEnd{GatewayId{1}, kEpoch, huge, 0, 0})));
    EXPECT_FALSE(parse_message(encode(Confirm{GatewayId{1}, kEpoch, 1, {huge}})));
}

TEST(MessageTest, RandomBytesNeverParse) {
    std::mt19937 random(1);
    for (int round = 0; round < 10'000; ++round) {
        Bytes bytes(random() % 64);
        for (std::uint8_t& byte : bytes) {
            byte = static_cast<std::uint8_t>(random());
        }
        EXPECT_FALSE(parse_message(bytes).has_value());
    }
}

}  // namespace
}  // namespace vpnha::wire
