// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/session_record.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "base/limits.hpp"
#include "support/l2tp_builder.hpp"
#include "support/random.hpp"

namespace vpnha::l2tp {
namespace session_record_test {

using test::session_record;

TEST(SessionRecordTest, HasTheDocumentedBytes) {
    const SessionRecord record = session_record();
    ByteWriter facts;
    ppp::write_facts(facts, record.facts);
    EXPECT_EQ(to_hex(encode_record(record)),
              "01"  // Version.
              "c000026406a5"
              "c000023306a5"  // VIP and peer.
              "1111"
              "2222"
              "0001"
              "0065" +  // Tunnel and session ids, ours first.
                  to_hex(facts.view()));
    EXPECT_EQ(to_hex(encode_key(session_record().key)), "c000026406a5c000023306a51111222200010065");
}

std::uint16_t nonzero(test::Random& random) {
    return static_cast<std::uint16_t>(1 + random.below(65535));
}

Ipv4Address unicast(test::Random& random) {
    return Ipv4Address{static_cast<std::uint32_t>(0x01000000 + random.below(0xdf000000))};
}

SessionRecord any_record(test::Random& random) {
    SessionRecord record = session_record();
    record.key.tunnel = {{unicast(random), nonzero(random)},
                         {unicast(random), nonzero(random)},
                         TunnelId{nonzero(random)},
                         TunnelId{nonzero(random)}};
    record.key.id = SessionId{nonzero(random)};
    record.key.peer_id = SessionId{nonzero(random)};
    return record;
}

TEST(SessionRecordTest, ReadsAsItWasWritten) {
    test::Random random(2661);
    for (int n = 0; n < 2000; ++n) {
        const SessionRecord record = any_record(random);
        const Bytes bytes = encode_record(record);
        ASSERT_LE(bytes.size(), limits::kRecordPayloadBytesMax);
        const Result<SessionRecord> parsed = parse_record(bytes);
        ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
        EXPECT_EQ(*parsed, record);
        const Bytes key = encode_key(record.key);
        ASSERT_LE(key.size(), limits::kRecordIdBytesMax);
        EXPECT_EQ(parse_key(key).value_or(SessionKey{}), record.key);
    }
}

TEST(SessionRecordTest, RefusesEveryTruncationAndEveryTail) {
    const Bytes record = encode_record(session_record());
    for (std::size_t size = 0; size < record.size(); ++size) {
        EXPECT_FALSE(parse_record(ByteView(record).first(size)).has_value()) << size;
    }
    Bytes longer = record;
    longer.push_back(0);
    EXPECT_FALSE(parse_record(longer).has_value());

    const Bytes key = encode_key(session_record().key);
    for (std::size_t size = 0; size < key.size(); ++size) {
        EXPECT_FALSE(parse_key(ByteView(key).first(size)).has_value()) << size;
    }
    Bytes longer_key = key;
    longer_key.push_back(0);
    EXPECT_FALSE(parse_key(longer_key).has_value());
}

TEST(SessionRecordTest, DistinguishesAnUnknownVersionFromGarbage) {
    Bytes bytes = encode_record(session_record());
    bytes[0] = 2;
    const Result<SessionRecord> parsed = parse_record(bytes);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, Errc::unsupported);
    EXPECT_EQ(parse_record({}).error().code, Errc::malformed);
}

TEST(SessionRecordTest, RefusesWhatIsNotSane) {
    const struct {
        const char* description;
        std::function<void(SessionRecord&)> spoil;
    } cases[] = {
        {"our tunnel id 0", [](auto& r) { r.key.tunnel.id = {}; }},
        {"peer's tunnel id 0", [](auto& r) { r.key.tunnel.peer_id = {}; }},
        {"our session id 0", [](auto& r) { r.key.id = {}; }},
        {"peer's session id 0", [](auto& r) { r.key.peer_id = {}; }},
        {"VIP 0.0.0.0", [](auto& r) { r.key.tunnel.local.address = {}; }},
        {"peer multicast", [](auto& r) { r.key.tunnel.peer.address.value = 0xe0000001; }},
        {"peer port 0", [](auto& r) { r.key.tunnel.peer.port = 0; }},
        {"facts that are not sane", [](auto& r) { r.facts.mtu = 67; }},
    };
    for (const auto& c : cases) {
        SessionRecord record = session_record();
        ASSERT_TRUE(validate(record).has_value());
        c.spoil(record);
        EXPECT_FALSE(validate(record).has_value()) << c.description;
        EXPECT_FALSE(parse_record(encode_record(record)).has_value()) << c.description;
    }
}

TEST(SessionRecordTest, ThePluginsIdsAreAKeyWithoutThisEnd) {
    const SessionKey key = session_record().key;
    const Bytes whole = encode_key(key);
    const ByteView ids = ByteView(whole).subspan(6);
    EXPECT_EQ(parse_plugin_ids(ids, key.tunnel.local).value_or(SessionKey{}), key);
    for (std::size_t size = 0; size < ids.size(); ++size) {
        EXPECT_FALSE(parse_plugin_ids(ids.first(size), key.tunnel.local)) << size;
    }
    EXPECT_FALSE(parse_plugin_ids(whole, key.tunnel.local)) << "a tail";
    EXPECT_FALSE(parse_plugin_ids(ids, {})) << "no unicast endpoint";
    EXPECT_FALSE(parse_plugin_ids(Bytes(ids.size()), key.tunnel.local)) << "ids of 0";
}

TEST(SessionRecordTest, PrintsThePeerAndItsIds) {
    EXPECT_EQ(to_string(session_record().key), "192.0.2.51:1701 tunnel 4369/8738 session 1/101");
}

TEST(SessionRecordTest, SurvivesAnyBytes) {
    test::Random random(1);
    const Bytes record = encode_record(session_record());
    for (int n = 0; n < 20'000; ++n) {
        Bytes bytes = record;
        bytes[random.below(bytes.size())] = static_cast<std::uint8_t>(random.next());
        bytes.resize(random.below(bytes.size() + 8));
        if (const Result<SessionRecord> parsed = parse_record(bytes)) {
            EXPECT_EQ(encode_record(*parsed), bytes);
        }
    }
}

}  // namespace session_record_test
}  // namespace vpnha::l2tp
