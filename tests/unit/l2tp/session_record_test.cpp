// SPDX-License-Identifier: GPL-2.0-or-later
#include "l2tp/session_record.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "base/limits.hpp"
#include "support/l2tp_builder.hpp"
#include "support/random.hpp"

namespace vpnha::l2tp {
namespace session_record_test {

using test::session_record;

TEST(SessionRecordTest, HasTheDocumentedBytes) {
    SessionRecord record = session_record();
    record.timeouts = {0, 900};
    record.obstacle = "multilink";
    record.ipv6 = {1, 0xfedc'ba98'7654'3210};
    record.routes = {*parse_ip_prefix("198.51.100.0/24"), *parse_ip_prefix("2001:db8:1::/48")};
    record.mtu = 1280;
    record.echo_is_adaptive = true;
    record.proxied = {{LinkSide::inside, record.routes[0].address}};
    EXPECT_EQ(to_hex(encode_record(record)),
              "01"  // Version.
              "c000026406a5"
              "c000023306a5"  // VIP and peer.
              "1111"
              "2222"
              "0001"
              "0065"  // Tunnel and session ids, ours first.
              "0578"
              "0a0a0a0a"
              "00000000"
              "01"  // Our LCP options.
              "0582"
              "0b0b0b0b"
              "00000000"
              "02"  // The peer's.
              "0ac80001"
              "0ac80101"  // IPCP addresses.
              "0500"      // MTU.
              "0005"
              "0003"
              "01"                // Echo interval and failures; it is adaptive.
              "0000018bcfe56800"  // Established.
              "00000000"
              "00000384"  // Session's and idle time-out.
              "0009"
              "6d756c74696c696e6b"  // multilink: why it ends with its node.
              "0000000000000001"
              "fedcba9876543210"  // IPv6CP's interface identifiers, ours first.
              "02"
              "0418c6336400"
              "103020010db8000100000000000000000000"  // Routes.
              "01"
              "0104c6336400"  // Answered for on the inside.
              "0005"
              "616c696365"  // alice
              "0004"
              "70707030");  // ppp0
    EXPECT_EQ(to_hex(encode_key(session_record().key)), "c000026406a5c000023306a51111222200010065");
}

std::uint16_t nonzero(test::Random& random) {
    return static_cast<std::uint16_t>(1 + random.below(65535));
}

Ipv4Address unicast(test::Random& random) {
    return Ipv4Address{static_cast<std::uint32_t>(0x01000000 + random.below(0xdf000000))};
}

ppp::LinkOptions link_options(test::Random& random) {
    return {.mru = static_cast<std::uint16_t>(128 + random.below(16384 - 128 + 1)),
            .magic = random.u32(),
            .asyncmap = random.u32(),
            .protocol_compression = random.chance(50),
            .address_compression = random.chance(50)};
}

SessionRecord any_record(test::Random& random) {
    SessionRecord record;
    record.key.tunnel = {{unicast(random), nonzero(random)},
                         {unicast(random), nonzero(random)},
                         TunnelId{nonzero(random)},
                         TunnelId{nonzero(random)}};
    record.key.id = SessionId{nonzero(random)};
    record.key.peer_id = SessionId{nonzero(random)};
    record.ours = link_options(random);
    record.theirs = link_options(random);
    record.our_address = unicast(random);
    record.peer_address = unicast(random);
    record.mtu = static_cast<std::uint16_t>(68 + random.below(16384 - 68 + 1));
    for (std::size_t left = random.below(limits::kSessionProxiedMax + 1); left > 0; --left) {
        record.proxied.push_back({random.chance(50) ? LinkSide::outside : LinkSide::inside,
                                  IpAddress(Ipv4Address{random.u32()})});
    }
    record.echo_interval_s = random.u16();
    record.echo_failures = random.u16();
    record.echo_is_adaptive = random.chance(50);
    record.established_unix_ms = random.next();
    record.timeouts = {random.u32(), random.u32()};
    record.obstacle = std::string(random.below(limits::kObstacleBytesMax + 1), 'o');
    if (random.chance(50)) {
        record.ipv6 = {1 + random.u32(), std::uint64_t{1} << 40};
    }
    for (std::size_t left = random.below(limits::kSessionRoutesMax + 1); left > 0; --left) {
        const auto length = static_cast<std::uint8_t>(1 + random.below(32));
        record.routes.push_back({IpAddress(Ipv4Address{random.u32()}).masked(length), length});
    }
    record.user = to_text(random.bytes(limits::kUserNameBytesMax));
    record.interface = std::string(random.below(limits::kInterfaceNameBytesMax + 1), 'p');
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

TEST(SessionRecordTest, TellsAnUnknownVersionFromGarbage) {
    Bytes bytes = encode_record(session_record());
    bytes[0] = 2;
    const Result<SessionRecord> parsed = parse_record(bytes);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, Errc::unsupported);
    EXPECT_EQ(parse_record({}).error().code, Errc::malformed);
}

TEST(SessionRecordTest, RefusesUnknownLinkFlags) {
    Bytes bytes = encode_record(session_record());
    bytes[1 + 20 + 10] = 0x04;
    EXPECT_FALSE(parse_record(bytes).has_value());
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
        {"our MRU 127", [](auto& r) { r.ours.mru = 127; }},
        {"peer's MRU 16385", [](auto& r) { r.theirs.mru = 16385; }},
        {"our address broadcast", [](auto& r) { r.our_address.value = 0xffffffff; }},
        {"peer's address 0.1.2.3", [](auto& r) { r.peer_address.value = 0x00010203; }},
        {"both addresses the same", [](auto& r) { r.peer_address = r.our_address; }},
        {"no identifier of ours",
         [](auto& r) {
             r.ipv6 = {0, 1};
         }},
        {"no identifier of the peer's",
         [](auto& r) {
             r.ipv6 = {1, 0};
         }},
        {"both identifiers the same",
         [](auto& r) {
             r.ipv6 = {1, 1};
         }},
        {"a default route", [](auto& r) { r.routes = {IpPrefix{}}; }},
        {"a route with bits behind it",
         [](auto& r) {
             r.routes = {IpPrefix{IpAddress(Ipv4Address{0x0a000001}), 24}};
         }},
        {"a route that is too long",
         [](auto& r) {
             r.routes = {IpPrefix{IpAddress(Ipv4Address{0x0a000001}), 33}};
         }},
        {"too many routes",
         [](auto& r) {
             r.routes.assign(limits::kSessionRoutesMax + 1,
                             IpPrefix{IpAddress(Ipv4Address{0x0a000000}), 24});
         }},
        {"MTU 67", [](auto& r) { r.mtu = 67; }},
        {"MTU 16385", [](auto& r) { r.mtu = 16385; }},
        {"user too long", [](auto& r) { r.user.assign(256, 'u'); }},
        {"interface too long", [](auto& r) { r.interface.assign(16, 'i'); }},
        {"interface with a slash", [](auto& r) { r.interface = "../x"; }},
        {"interface with a newline", [](auto& r) { r.interface = "p\n"; }},
    };
    for (const auto& c : cases) {
        SessionRecord record = session_record();
        ASSERT_TRUE(validate(record).has_value());
        c.spoil(record);
        EXPECT_FALSE(validate(record).has_value()) << c.description;
        EXPECT_FALSE(parse_record(encode_record(record)).has_value()) << c.description;
    }
}

TEST(SessionRecordTest, AcceptsTheEdges) {
    SessionRecord record = session_record();
    record.ours.mru = 128;
    record.theirs.mru = 16384;
    record.user.assign(255, 'u');
    record.interface.assign(15, 'i');
    record.peer_address.value = 0xdfffffff;
    EXPECT_EQ(parse_record(encode_record(record)).value_or(SessionRecord{}), record);
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
