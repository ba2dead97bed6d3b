// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/datagram.hpp"

#include <gtest/gtest.h>
#include <sodium.h>

#include "base/limits.hpp"
#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace datagram_test {

constexpr std::size_t kTagBytes = 32;
const LeaseKey kKey("the cluster's key");
const RoundId kRoundId{{7, NodeId{2}}, {3}, 9};
const Voters kVoters{{{{1, NodeId{1}}, 1}, nodes_to(3)},
                     VoterList{{{6, NodeId{2}}, 2}, nodes_to(4)}};
const Marks kMarks{{NodeId{1}, boot_of(1)}, {NodeId{3}, boot_of(3, 2)}};
const TimePoint kTime{std::chrono::milliseconds(1000)};

// One message of each type, with nothing left at its default.
std::vector<Message> all_messages() {
    return {
        Hello{},
        Round{kRoundId,
              kTime,
              milliseconds(300),
              true,
              kVoters,
              {{6, NodeId{1}}, 5, kTime},
              Epoch{6, NodeId{1}},
              true,
              {},
              kMarks},
        Answer{kRoundId,
               {Knowledge::received,
                {{6, NodeId{1}}, 4, kTime, true, {{5, NodeId{3}}, 5, kTime}},
                {5, NodeId{3}}},
               Handover{{6, NodeId{1}}, kTime, {{6, NodeId{1}}, 5, kTime}},
               false,
               kMarks},
        Refusal{kRoundId, Verdict::promised, {8, NodeId{3}}, kVoters, kMarks},
        Release{{6, NodeId{1}}, false, true},
        MarkRequest{NodeId{1}, boot_of(1)},
        MarkAnswer{NodeId{1}, boot_of(1), true, kVoters, kMarks},
        Hello{5, std::nullopt},
        Hello{6, Challenge{Instance{8}, 9}},
        Hello{std::nullopt, std::nullopt, kTime, milliseconds(120)},
        Recall{},
        Memory{Instance{7},
               {9, NodeId{3}},
               kMarks,
               {{{{6, NodeId{2}}, 2}, nodes_to(3)}, std::nullopt}},
        Question{kRoundId, kVoters, {{6, NodeId{1}}, 5}, kMarks},
        Opinion{kRoundId, Verdict::behind, {8, NodeId{3}}, kVoters, kMarks},
        Opinion{kRoundId, Verdict::answered, {8, NodeId{3}}, kVoters, kMarks, Duration(258)},
    };
}

Datagram datagram_of(const Message& message) {
    return {GatewayId{4}, sender_of(2, 3), 0x1122, message};
}

// The bytes with a valid tag.
Bytes signed_again(Bytes bytes) {
    const std::size_t covered = bytes.size() - kTagBytes;
    crypto_auth(bytes.data() + covered, bytes.data(), covered, kKey.octets().data());
    return bytes;
}

TEST(DatagramTest, EveryTypeSurvivesTheWire) {
    for (const Message& message : all_messages()) {
        const Datagram datagram = datagram_of(message);
        const Result<Datagram> parsed = parse_datagram(encode(datagram, kKey), kKey);
        ASSERT_TRUE(parsed.has_value()) << message.index() << ": " << parsed.error().detail;
        EXPECT_EQ(*parsed, datagram) << message.index();
    }
}

TEST(DatagramTest, AMinimalRoundAndAnswerSurviveTheWire) {
    Round round{kRoundId, {},           Duration(1), false, {{{}, nodes_to(1)}, std::nullopt},
                {},       std::nullopt, false};
    round.in_vain = milliseconds(1200);
    for (const Message& message : std::vector<Message>{round, Answer{kRoundId, {}, {}, true}}) {
        const Datagram datagram = datagram_of(message);
        EXPECT_EQ(parse_datagram(encode(datagram, kKey), kKey).value_or(Datagram{}), datagram);
    }
}

// One field a line.
// clang-format off
TEST(DatagramTest, ReleaseHasTheBytesOfVersionOne) {
    EXPECT_EQ(to_hex(encode(datagram_of(Release{{6, NodeId{1}}}), kKey)),
              "56504e4c0104"                      // magic, version, gateway
              "00000002"                          // node
              "02010000000000000000000000000000"  // boot id
              "0000000000000003"                  // instance
              "0000000000001122"                  // sequence
              "05"                                // Release
              "000000000000000600000001"          // epoch
              "01"                                // served
              "26181dc1d74a0deb1f69fb07c4978a18"
              "e3f481c1a683b52ee7b8834b6e371c32");
}

TEST(DatagramTest, RoundHasTheBytesOfVersionOne) {
    const std::string hex = to_hex(encode(datagram_of(all_messages()[1]), kKey));
    EXPECT_EQ(hex.substr(84, hex.size() - 84 - 2 * kTagBytes),
              "02"                                // Round
              "000000000000000700000002"          // epoch
              "00000000000000030000000000000009"  // instance, k
              "000000003b9aca00"                  // t
              "0000000011e1a300"                  // L
              "0f"                                // flags
              "00000000000000010000000100000001"  // current list: version
              "03000000010000000200000003"        // its nodes
              "00000000000000060000000200000002"  // next list: version
              "0400000001000000020000000300000004"
              "000000000000000600000001"          // released
              "000000000000000600000001"          // checkpoint: epoch
              "0000000000000005"                  // its sequence and time
              "000000003b9aca00"
              "02"                                // marks: node, boot id
              "0000000101010000000000000000000000000000"
              "0000000303020000000000000000000000000000");
}

TEST(DatagramTest, QuestionAndOpinionHaveTheBytesOfVersionOne) {
    const auto body = [](const Message& message) {
        const std::string hex = to_hex(encode(datagram_of(message), kKey));
        return hex.substr(84, hex.size() - 84 - 2 * kTagBytes);
    };
    EXPECT_EQ(body(Question{kRoundId, {kVoters.current, std::nullopt}, {{6, NodeId{1}}, 5}}),
              "0a"                                // Question
              "000000000000000700000002"          // epoch
              "00000000000000030000000000000009"  // instance, number
              "00"                                // flags
              "00000000000000010000000100000001"  // list: version
              "03000000010000000200000003"        // its nodes
              "000000000000000600000001"          // position: epoch
              "0000000000000005"                  // its sequence
              "00");                              // marks
    EXPECT_EQ(body(Opinion{kRoundId, Verdict::promised, {8, NodeId{3}},
                           {kVoters.current, std::nullopt}}),
              "0b"                                // Opinion
              "000000000000000700000002"          // epoch
              "00000000000000030000000000000009"  // instance, number
              "07"                                // verdict
              "000000000000000800000003"          // granted
              "00"                                // flags
              "00000000000000010000000100000001"  // list: version
              "03000000010000000200000003"        // its nodes
              "00");                              // marks
    EXPECT_EQ(body(Opinion{kRoundId, Verdict::answered, {8, NodeId{3}},
                           {kVoters.current, std::nullopt}, {}, Duration(258)}),
              "0b"                                // Opinion
              "000000000000000700000002"          // epoch
              "00000000000000030000000000000009"  // instance, number
              "00"                                // verdict
              "000000000000000800000003"          // granted
              "01"                                // flags: it has answered somebody
              "0000000000000102"                  // nanoseconds since
              "00000000000000010000000100000001"  // list: version
              "03000000010000000200000003"        // its nodes
              "00");                              // marks
}
// clang-format on

TEST(DatagramTest, EveryChangedOctetIsNoticed) {
    const Bytes bytes = encode(datagram_of(all_messages()[1]), kKey);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        Bytes changed = bytes;
        changed[i] ^= 1;
        const auto parsed = parse_datagram(changed, kKey);
        ASSERT_FALSE(parsed.has_value()) << i;
        EXPECT_EQ(parsed.error().code, Errc::permission) << i;
    }
}

TEST(DatagramTest, AnotherClustersKeyIsRefused) {
    const LeaseKey other("another cluster's key");
    const auto parsed = parse_datagram(encode(datagram_of(Hello{}), other), kKey);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, Errc::permission);
}

TEST(DatagramTest, EveryCutIsMalformed) {
    for (const Message& message : all_messages()) {
        const Bytes bytes = encode(datagram_of(message), kKey);
        for (std::size_t cut = 1; cut < bytes.size() - kTagBytes; ++cut) {
            Bytes shorter = bytes;
            shorter.resize(bytes.size() - cut);
            const auto parsed = parse_datagram(signed_again(std::move(shorter)), kKey);
            ASSERT_FALSE(parsed.has_value()) << message.index() << " less " << cut;
            EXPECT_EQ(parsed.error().code, Errc::malformed) << message.index() << " less " << cut;
        }
    }
}

TEST(DatagramTest, BytesLeftOverAreMalformed) {
    Bytes bytes = encode(datagram_of(Hello{}), kKey);
    bytes.push_back(0);
    EXPECT_FALSE(parse_datagram(signed_again(std::move(bytes)), kKey).has_value());
}

TEST(DatagramTest, AnotherVersionIsUnsupported) {
    Bytes bytes = encode(datagram_of(Hello{}), kKey);
    bytes[4] = 2;
    const auto parsed = parse_datagram(signed_again(std::move(bytes)), kKey);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, Errc::unsupported);
}

TEST(DatagramTest, ARoundInSomebodyElsesEpochOrInstanceIsMalformed) {
    Round round = std::get<Round>(all_messages()[1]);
    round.id.epoch.node = NodeId{3};
    EXPECT_FALSE(parse_datagram(encode(datagram_of(round), kKey), kKey).has_value());
    round = std::get<Round>(all_messages()[1]);
    round.id.instance = {4};
    EXPECT_FALSE(parse_datagram(encode(datagram_of(round), kKey), kKey).has_value());
}

TEST(DatagramTest, AQuestionInSomebodyElsesEpochOrInstanceIsMalformed) {
    for (const RoundId& id : {RoundId{{7, NodeId{3}}, {3}, 9}, RoundId{{7, NodeId{2}}, {4}, 9}}) {
        const Question question{id, kVoters, {}};
        EXPECT_FALSE(parse_datagram(encode(datagram_of(question), kKey), kKey).has_value());
    }
}

TEST(DatagramTest, AnUnknownVerdictIsMalformed) {
    const Voters voters{{{}, nodes_to(1)}, std::nullopt};
    Bytes bytes = encode(datagram_of(Opinion{kRoundId, Verdict::behind, {}, voters}), kKey);
    // Behind it: an epoch, the flags, a list of one, and no marks.
    std::uint8_t& verdict = bytes[bytes.size() - kTagBytes - 12 - 1 - 21 - 1 - 1];
    ASSERT_EQ(verdict, static_cast<std::uint8_t>(Verdict::behind));
    ++verdict;
    EXPECT_FALSE(parse_datagram(signed_again(std::move(bytes)), kKey).has_value());
}

TEST(DatagramTest, ALeaseBeyondTheProtocolsIsMalformed) {
    Round round = std::get<Round>(all_messages()[1]);
    for (const Duration lease : {Duration(-1), Duration(0), kLeaseMax + Duration(1)}) {
        round.lease = lease;
        EXPECT_FALSE(parse_datagram(encode(datagram_of(round), kKey), kKey).has_value());
    }
    round.lease = kLeaseMax;
    EXPECT_TRUE(parse_datagram(encode(datagram_of(round), kKey), kKey).has_value());
}

TEST(DatagramTest, UnsoundListsAreMalformed) {
    Round round = std::get<Round>(all_messages()[1]);
    round.voters.next->nodes = nodes_to(5);
    EXPECT_FALSE(parse_datagram(encode(datagram_of(round), kKey), kKey).has_value());
    round.voters = {{{}, nodes_to(kVotersMax + 1)}, std::nullopt};
    EXPECT_FALSE(parse_datagram(encode(datagram_of(round), kKey), kKey).has_value());
}

TEST(DatagramTest, MoreMarksThanANodeKeepsAreMalformed) {
    Bytes bytes = encode(datagram_of(Answer{kRoundId, {}, {}}), kKey);
    for (const std::size_t count : {kMarksMax, kMarksMax + 1}) {
        Bytes marked(bytes.begin(), bytes.end() - kTagBytes - 1);
        marked.push_back(static_cast<std::uint8_t>(count));
        marked.resize(marked.size() + 20 * count + kTagBytes);
        EXPECT_EQ(parse_datagram(signed_again(std::move(marked)), kKey).has_value(),
                  count == kMarksMax);
    }
}

// Lease datagrams are not fragmented.
TEST(DatagramTest, TheLongestRoundFitsAnEthernetFrame) {
    Round round = std::get<Round>(all_messages()[1]);
    round.held = false;
    round.voters.current.nodes = nodes_to(kVotersMax);
    round.voters.next->nodes = nodes_to(kVotersMax - 1);
    round.marks.assign(kMarksMax, kMarks[0]);
    const Bytes bytes = encode(datagram_of(round), kKey);
    EXPECT_TRUE(parse_datagram(bytes, kKey).has_value());
    EXPECT_LE(bytes.size(), 1500U - 40 - 8);
}

TEST(DatagramTest, ANumberThatWouldWrapSoonIsMalformed) {
    for (const std::uint64_t number : {limits::kCounterMax, limits::kCounterMax + 1}) {
        const auto parsed =
            parse_datagram(encode(datagram_of(Release{{number, NodeId{1}}}), kKey), kKey);
        EXPECT_EQ(parsed.has_value(), number == limits::kCounterMax);
    }
}

}  // namespace datagram_test
}  // namespace vpnha::lease
