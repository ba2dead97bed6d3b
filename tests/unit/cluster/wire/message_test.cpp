// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/wire/message.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "base/limits.hpp"
#include "cluster/wire/codec.hpp"
#include "cluster/wire/record_traits.hpp"

namespace vpnha::wire {
namespace message_test {

const Epoch kEpoch{7, NodeId{2}};
const Version kSince{kEpoch, 3};
const RecordKey kKey{RecordType::l2tp_session, RecordId(Bytes{0xaa, 0xbb})};

Bytes encode(const Message& message) {
    return Dialects().encode(message, 1);
}
Result<Message> parse_message(ByteView bytes) {
    return Dialects().parse(bytes);
}

// One message of each type, with nothing left at its default.
std::vector<Message> all_messages() {
    return {
        Hello{1,
              1,
              0x1111,
              0x0102030405060708,
              "gw1",
              {{GatewayId{1}, true, false, true, false, true, false, true, false, Level::complete,
                Level::partial, kEpoch, 0x0a0b0c},
               {GatewayId{9},
                false,
                true,
                false,
                true,
                false,
                true,
                false,
                true,
                Level::partial,
                Level::empty,
                {},
                0,
                {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}},
                0x2122232425262728}}},
        Setup{GatewayId{1}, {{"l2tp.port", Weight::session, 7}, {"daemon.log_level", {}, 8}}},
        Claim{GatewayId{1}, kEpoch, 5, 0xfedcba9876543210, Level::partial},
        Update{GatewayId{1}, kEpoch, 41, {{kKey, false, {1, 2, 3}}, {kKey, true, {}}}},
        Digest{GatewayId{1}, kEpoch, 43, 12, 0xfedcba9876543210},
        SnapshotRequest{GatewayId{3}, ResyncReason::gap, kSince},
        Snapshot{GatewayId{1},
                 kEpoch,
                 kSince,
                 true,
                 {{kKey, Version{kEpoch, 5}, false, {9}}, {kKey, Version{kEpoch, 6}, true, {}}}},
        SnapshotEnd{GatewayId{1}, kEpoch, kSince, 43, 12, 0xfedcba9876543210},
        Confirm{GatewayId{1}, kEpoch, 43, 45, {{kEpoch, 7}, {{1, NodeId{1}}, 9}}},
        Barrier{GatewayId{1}, kEpoch},
        Extension{0x85},
        Move{GatewayId{1}, MovePhase::handed, kEpoch, NodeId{3}, 12'345, 67},
        Clock{GatewayId{1}, kEpoch, 1'767'225'600'000, 1'767'225'700'000},
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
    EXPECT_EQ(to_hex(encode(Claim{GatewayId{1}, kEpoch, 5, 6})),
              "56504e48"          // "VPNH"
              "01"                // wire version
              "03"                // claim
              "01"                // gateway
              "0000000000000007"  // epoch number
              "00000002"          // epoch node
              "00000005"          // count
              "0000000000000006"  // digest
              "02"                // level
              "a386ce6e");        // CRC-32
}

// Each line: the type's number, the bytes. The file CANNOT change: nodes of a released version say
// and expect exactly this.
TEST(MessageTest, VersionOneHasItsGoldenBytes) {
    std::ifstream golden(VPNHA_GOLDEN_DIRECTORY "/v1.txt");
    for (const Message& message : all_messages()) {
        std::size_t type = 0;
        std::string hex;
        ASSERT_TRUE(golden >> type >> hex) << message.index();
        EXPECT_EQ(type, message.index() + 1);
        EXPECT_EQ(hex, to_hex(encode(message))) << message.index();
    }
}

TEST(MessageTest, AnUnknownTypeIsIgnoredOnlyWhenItReportsSo) {
    Bytes body = encode(Extension{0xff});
    const Result<Message> optional = parse_message(body);
    ASSERT_TRUE(optional.has_value());
    EXPECT_EQ(std::get<Extension>(*optional).type, 0xff);
    EXPECT_FALSE(parse_message(encode(Extension{0x7f})).has_value());
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

// The class of CVE-2025-30472: the checksum is right, and a length or a count within lies.
TEST(MessageTest, NoLengthWithinIsBelieved) {
    const auto put_checksum = [](Bytes& bytes) {
        const std::size_t covered = bytes.size() - 4;
        ByteWriter sum;
        sum.u32(static_cast<std::uint32_t>(crc32_z(0, bytes.data(), covered)));
        std::ranges::copy(sum.view(), bytes.begin() + static_cast<std::ptrdiff_t>(covered));
    };
    std::size_t refused = 0;
    std::vector<Message> messages = all_messages();
    messages.emplace_back(Update{GatewayId{1}, kEpoch, 41, {{kKey, false, {1, 2, 3}}}});
    for (const Message& message : messages) {
        const Bytes whole = encode(message);
        for (std::size_t at = 4; at + 4 < whole.size(); ++at) {
            for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
                for (std::size_t end = at + 1; end <= at + 4 && end + 4 <= whole.size(); ++end) {
                    Bytes bytes = whole;
                    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                              bytes.begin() + static_cast<std::ptrdiff_t>(end),
                              static_cast<std::uint8_t>(value));
                    put_checksum(bytes);
                    const Result<Message> parsed = parse_message(bytes);
                    refused += parsed ? 0 : 1;
                    if (parsed && !std::holds_alternative<Extension>(*parsed)) {
                        EXPECT_EQ(encode(*parsed).size(), bytes.size()) << to_hex(bytes);
                    }
                }
            }
            Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at));
            cut.resize(at + 4);
            put_checksum(cut);
            EXPECT_FALSE(parse_message(cut)) << to_hex(cut);
        }
    }
    EXPECT_GT(refused, 1000U);
}

TEST(MessageTest, EncodedSizeIsWhatAChangeAdds) {
    const Change change{kKey, false, {1, 2, 3}};
    Update update{GatewayId{1}, kEpoch, 0, {}};
    const std::size_t empty = encode(update).size();
    update.changes.push_back(change);
    EXPECT_EQ(encode(update).size() - empty, encoded_size(change));

    const SnapshotRecord record{kKey, Version{kEpoch, 5}, false, {9, 9}};
    Snapshot snapshot{GatewayId{1}, kEpoch, {}, true, {}};
    const std::size_t bare = encode(snapshot).size();
    snapshot.records.push_back(record);
    EXPECT_EQ(encode(snapshot).size() - bare, encoded_size(record));
}

TEST(MessageTest, APayloadIsBoundByItsRecordsType) {
    const auto parses = [](RecordType type, std::size_t payload) {
        const RecordKey key{type, RecordId(Bytes{1})};
        const Update update{GatewayId{1}, kEpoch, 1, {{key, false, SmallBytes(Bytes(payload))}}};
        return parse_message(encode(update)).has_value();
    };
    for (const RecordTraits& traits : kRecordTraits) {
        EXPECT_TRUE(parses(traits.type, traits.payload_max));
        EXPECT_FALSE(parses(traits.type, traits.payload_max + 1));
    }
    // It must not be refused before somebody who knows it is asked.
    constexpr auto kLater = static_cast<RecordType>(0x42);
    static_assert(!is_known(kLater) && is_session(kLater));
    EXPECT_TRUE(parses(kLater, kPayloadBytesMax));
    EXPECT_FALSE(parses(kLater, kPayloadBytesMax + 1));
}

TEST(MessageTest, RefusesCountersThatCouldWrapAround) {
    const std::uint64_t huge = limits::kCounterMax + 1;
    EXPECT_TRUE(parse_message(encode(Claim{GatewayId{1}, {limits::kCounterMax, NodeId{1}}, 0, 0})));
    EXPECT_FALSE(parse_message(encode(Claim{GatewayId{1}, {huge, NodeId{1}}, 0, 0})));
    EXPECT_FALSE(parse_message(encode(Update{GatewayId{1}, kEpoch, huge, {}})));
    EXPECT_FALSE(parse_message(encode(SnapshotEnd{GatewayId{1}, kEpoch, {}, huge, 0, 0})));
    EXPECT_FALSE(parse_message(encode(Confirm{GatewayId{1}, kEpoch, 1, 1, {{kEpoch, huge}}})));
    EXPECT_FALSE(parse_message(encode(Confirm{GatewayId{1}, kEpoch, 2, 1, {}}))) << "held less";
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

}  // namespace message_test
}  // namespace vpnha::wire
