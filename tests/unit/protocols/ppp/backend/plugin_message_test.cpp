// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/backend/plugin_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/limits.hpp"
#include "protocols/l2tp/model/session_record.hpp"
#include "protocols/pptp/model/call_record.hpp"
#include "unit/protocols/ppp/backend/plugin_sample.hpp"

namespace vpnha::adapters {
namespace plugin_message_test {

using testing::HasSubstr;

// The session in the message, or a failed expectation and an empty one.
PluginSessionUp parsed(const vpnha_session& session) {
    const Result<PluginMessage> message = parse_plugin_message(encoded(session));
    EXPECT_TRUE(message.has_value()) << message.error().detail;
    const auto* const up = message ? std::get_if<PluginSessionUp>(&*message) : nullptr;
    EXPECT_NE(up, nullptr);
    return up == nullptr ? PluginSessionUp{} : *up;
}

std::string error_of(const Bytes& bytes) {
    const Result<PluginMessage> message = parse_plugin_message(bytes);
    return message ? "" : message.error().detail;
}

// Replaces the field of that type by `field`, header included.
Bytes with_field(std::uint16_t type, const Bytes& field) {
    const Bytes whole = encoded(sample_session());
    ByteReader reader(whole);
    ByteWriter writer;
    writer.u32(reader.u32());
    while (reader.remaining() > 0) {
        const std::uint16_t each = reader.u16();
        const ByteView value = reader.take_prefixed(limits::kPluginMessageBytesMax);
        if (each == type) {
            writer.bytes(field);
        } else {
            writer.u16(each).prefixed(value);
        }
    }
    return std::move(writer).take();
}

TEST(PluginMessageTest, WhatTheCEncoderWritesIsReadBack) {
    const PluginSessionUp up = parsed(sample_session());
    EXPECT_EQ(up.gateway, "dialin");
    EXPECT_EQ(up.pid, 4711U);
    EXPECT_EQ(up.protocol, "l2tp");
    const ppp::SessionFacts& facts = up.facts;
    EXPECT_EQ(facts.ours, (ppp::LinkOptions{1410, 0xdeadbeef, 0xffffffff, true, false}));
    EXPECT_EQ(facts.theirs, (ppp::LinkOptions{1400, 0x01020304, 0, false, true}));
    EXPECT_EQ(to_string(facts.our_address), "10.200.0.1");
    EXPECT_EQ(to_string(facts.peer_address), "10.200.1.10");
    EXPECT_EQ(facts.echo_interval_s, 30);
    EXPECT_EQ(facts.echo_failures, 4);
    EXPECT_TRUE(facts.echo_is_adaptive);
    EXPECT_EQ(up.established_boot_ms, 1'767'225'600'123U);
    EXPECT_EQ(facts.timeouts, (ppp::Timeouts{7200, 900}));
    EXPECT_EQ(facts.ipv6, (ppp::Ipv6Identifiers{0x0102030405060708, 9}));
    ASSERT_EQ(facts.routes.size(), 2U);
    EXPECT_EQ(to_string(facts.routes[0]), "198.51.100.0/24");
    EXPECT_EQ(to_string(facts.routes[1]), "2001:db8:1::/48");
    EXPECT_EQ(facts.mtu, 1280);
    ASSERT_EQ(up.proxied.size(), 2U);
    EXPECT_EQ(to_string(up.proxied[0].address), "10.200.1.10");
    EXPECT_EQ(up.proxied[0].interface, "inside");
    EXPECT_EQ(to_string(up.proxied[1].address), "2001:db8:1::");
    EXPECT_EQ(up.proxied[1].interface, "eth0.7");
    EXPECT_EQ(facts.user, "alice");
    EXPECT_EQ(facts.interface, "ppp0");
    EXPECT_TRUE(up.not_resumable.empty());
}

TEST(PluginMessageTest, ARateOfASessionIsReadAndWhatIsNoneReportsNothing) {
    vpnha_session session = sample_session();
    EXPECT_EQ(parsed(session).rate.rate(), std::nullopt);
    session.rate_count = VPNHA_RATES_MAX;
    session.rates[0] = {
        .kind = VPNHA_RATE_MIKROTIK, .length = 5, .octets = {'1', 'M', '/', '2', 'M'}};
    session.rates[1] = {.kind = VPNHA_RATE_FILTER_ID, .length = 4, .octets = {'s', 'l', 'o', 'w'}};
    session.rates[2] = {.kind = 200, .length = 0, .octets = {}};
    session.rates[3] = {
        .kind = VPNHA_RATE_WISPR_DOWN, .length = 4, .octets = {0, 0x01, 0x86, 0xa0}};
    EXPECT_EQ(parsed(session).rate.rate(), (Rate{100'000, 1'000'000}));
    EXPECT_NE(error_of(with_field(10, {0x80, 0x17, 0, 0})), "") << "it has a kind at least";
}

// A call with MPPE-128, its keys 0, 1, 2 … 31.
vpnha_session sample_call() {
    vpnha_session session = sample_session();
    session.transport = {};
    session.transport.protocol = "pptp";
    session.transport.has_mppe = 1;
    vpnha_add_id(&session.transport, 0xc0000233, 4);
    for (const std::uint32_t id : {40123U, 0U, 0x76e9U}) {
        vpnha_add_id(&session.transport, id, 2);
    }
    session.mppe_bits = 128;
    for (std::uint8_t i = 0; i < VPNHA_MPPE_KEY_BYTES; ++i) {
        session.mppe_keys.send[i] = i;
        session.mppe_keys.receive[i] = static_cast<std::uint8_t>(VPNHA_MPPE_KEY_BYTES + i);
    }
    return session;
}

TEST(PluginMessageTest, TheIdsAreReadByTheirProtocolAndLieInTheMessage) {
    const Ipv4Endpoint local{Ipv4Address{0xc0000264}, 1701};
    const Bytes bytes = encoded(sample_session());
    const Result<PluginMessage> message = parse_plugin_message(bytes);
    ASSERT_TRUE(message.has_value()) << message.error().detail;
    const auto& session = std::get<PluginSessionUp>(*message);
    EXPECT_GE(session.ids.data(), bytes.data());
    EXPECT_LE(session.ids.data() + session.ids.size(), bytes.data() + bytes.size());
    const auto key = l2tp::parse_plugin_ids(session.ids, local);
    ASSERT_TRUE(key.has_value()) << key.error().detail;
    EXPECT_EQ(key->tunnel.local, local);
    EXPECT_EQ(to_string(*key), "192.0.2.51:1701 tunnel 65534/2 session 3/32772");

    const Bytes call_bytes = encoded(sample_call());
    const Result<PluginMessage> call_message = parse_plugin_message(call_bytes);
    ASSERT_TRUE(call_message.has_value()) << call_message.error().detail;
    const auto& call = std::get<PluginSessionUp>(*call_message);
    EXPECT_EQ(call.protocol, "pptp");
    const auto ids = pptp::parse_plugin_ids(call.ids, local);
    ASSERT_TRUE(ids.has_value()) << ids.error().detail;
    EXPECT_EQ(to_string(ids->key), "192.0.2.51:40123 call 0/30441") << "pptpd's first one is 0";
    EXPECT_EQ(ids->mppe, pptp::Mppe::bits128);
    EXPECT_EQ(to_hex(ids->keys),
              "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
}

TEST(PluginMessageTest, FormatIsTheDocumentedOne) {
    EXPECT_EQ(to_hex(encoded(sample_session())),
              "00020100"  // Version 2, session up.
              "00010006"
              "6469616c696e"  // Gateway dialin.
              "00020004"
              "00001267"  // Pid 4711.
              "00030004"
              "6c327470"  // Protocol l2tp.
              "0004000e"
              "c000023306a5"  // Peer 192.0.2.51:1701.
              "fffe0002"      // Tunnel.
              "00038004"      // Session.
              "0005000b"
              "0582"
              "deadbeef"
              "ffffffff"
              "01"  // Our LCP options.
              "0006000b"
              "0578"
              "01020304"
              "00000000"
              "02"  // The peer's.
              "00070008"
              "0ac80001"
              "0ac8010a"  // Addresses.
              "80130010"
              "0102030405060708"
              "0000000000000009"  // IPv6CP.
              "00080005"
              "001e0004"
              "01"  // Echo.
              "00090008"
              "0000019b76daa87b"  // Established.
              "80120008"
              "00001c2000000384"  // Time-outs.
              "000a0005"
              "616c696365"  // User alice.
              "000b0006"
              "0500"
              "70707030"  // MTU 1280, interface ppp0.
              "000c0004"
              "00000000"  // Resumable.
              "80140005"
              "18c6336400"  // Routes.
              "80140011"
              "3020010db8000100000000000000000000"
              "8015000b"
              "040ac8010a696e73696465"  // The node answers for 10.200.1.10 on inside.
              "80150017"
              "1020010db8000100000000000000000000657468302e37");
}

TEST(PluginMessageTest, LongestTextsFit) {
    vpnha_session session = sample_session();
    std::memset(session.gateway, 'g', VPNHA_GATEWAY_BYTES_MAX);
    std::memset(session.user, 'u', VPNHA_USER_BYTES_MAX);
    std::memset(session.interface, 'i', VPNHA_INTERFACE_BYTES_MAX);
    EXPECT_EQ(parsed(session).facts.user, std::string(255, 'u'));
    EXPECT_EQ(parsed(session).gateway.size(), limits::kGatewayNameBytesMax);
    EXPECT_EQ(parsed(session).facts.interface.size(), limits::kInterfaceNameBytesMax);
}

// As of a plugin that is older.
TEST(PluginMessageTest, TimeoutsMayBeLeftOut) {
    Bytes bytes = encoded(sample_session());
    const Bytes field{0x80, 18, 0, 8, 0, 0, 0x1c, 0x20, 0, 0, 3, 0x84};
    const auto at = std::search(bytes.begin(), bytes.end(), field.begin(), field.end());
    ASSERT_NE(at, bytes.end());
    Bytes cut = bytes;
    *(cut.begin() + (at - bytes.begin()) + 3) = 7;
    EXPECT_FALSE(parse_plugin_message(cut));
    bytes.erase(at, at + static_cast<std::ptrdiff_t>(field.size()));
    const auto older = parse_plugin_message(bytes);
    ASSERT_TRUE(older.has_value());
    EXPECT_EQ(std::get<PluginSessionUp>(*older).facts.timeouts, ppp::Timeouts{});
}

TEST(PluginMessageTest, ASessionWithoutIpv6ReportsNothingOfIt) {
    vpnha_session session = sample_session();
    session.our_identifier = 0;
    session.route_count = 0;
    EXPECT_EQ(parsed(session).facts.ipv6, std::nullopt);
    EXPECT_TRUE(parsed(session).facts.routes.empty());
}

TEST(PluginMessageTest, ARouteHasALengthAndAnAddress) {
    for (const std::size_t octets : {0, 1, 4, 6, 16, 18}) {
        Bytes message = encoded(sample_session());
        message.insert(message.end(), {0x80, 20, 0, static_cast<std::uint8_t>(octets), 24});
        message.resize(message.size() + octets - 1);
        EXPECT_FALSE(parse_plugin_message(message)) << octets;
    }
}

TEST(PluginMessageTest, AProxiedAddressHasADevice) {
    for (const Bytes& value :
         {Bytes{}, Bytes{4}, Bytes{4, 10, 0, 0, 1}, Bytes{5, 10, 0, 0, 1, 2, 'i'},
          Bytes{4,   10,  0,   0,   1,   'i', 'i', 'i', 'i', 'i', 'i',
                'i', 'i', 'i', 'i', 'i', 'i', 'i', 'i', 'i', 'i'}}) {
        Bytes message = encoded(sample_session());
        message.insert(message.end(), {0x80, 21, 0, static_cast<std::uint8_t>(value.size())});
        message.insert(message.end(), value.begin(), value.end());
        EXPECT_THAT(error_of(message), HasSubstr("field 21")) << to_hex(value);
    }
}

TEST(PluginMessageTest, ASessionOfNoProtocolOfOursIsReadBack) {
    vpnha_session session = sample_session();
    session.transport = {};
    session.transport.protocol = "other";
    session.gateway[0] = 0;
    session.not_resumable = VPNHA_NOT_IN_KERNEL | VPNHA_NOT_CARRIED;
    const PluginSessionUp up = parsed(session);
    EXPECT_EQ(up.protocol, kOtherProtocol);
    EXPECT_EQ(up.gateway, "");
    EXPECT_THAT(up.not_resumable,
                testing::ElementsAre(HasSubstr("user space"), HasSubstr("pptpd's")));
    session.peer_ppp_address = 0;
    EXPECT_THAT(error_of(encoded(session)), HasSubstr("unicast"));
}

TEST(PluginMessageTest, WhatScriptsHaveDoneIsNamedBesideOtherReasons) {
    vpnha_session session = sample_session();
    session.not_resumable = VPNHA_NOT_VJ | VPNHA_NOT_ADDRESSES | VPNHA_NOT_QUEUE |
                            VPNHA_NOT_ROUTES | VPNHA_NOT_DEFAULT_ROUTE | VPNHA_NOT_PROXIED;
    const PluginSessionUp up = parsed(session);
    EXPECT_THAT(up.not_resumable, testing::ElementsAre(HasSubstr("novj")));
    EXPECT_THAT(up.done_by_scripts,
                testing::ElementsAre(HasSubstr("address"), HasSubstr("queueing discipline"),
                                     HasSubstr("networks behind"), HasSubstr("default route"),
                                     HasSubstr("ARP")));
}

TEST(PluginMessageTest, ClassesOfRadiusAreReadBack) {
    vpnha_session session = sample_session();
    session.class_count = 2;
    session.classes[0].length = VPNHA_CLASS_BYTES_MAX;
    std::memset(session.classes[0].octets, 0xff, VPNHA_CLASS_BYTES_MAX);
    EXPECT_THAT(parsed(session).radius.classes,
                testing::ElementsAre(Bytes(VPNHA_CLASS_BYTES_MAX, 0xff), Bytes{}));
    Bytes long_one = encoded(sample_session());
    long_one.insert(long_one.end(), {0x80, 15, 0, 254});
    long_one.resize(long_one.size() + 254);
    EXPECT_THAT(error_of(long_one), HasSubstr("field 15"));
}

TEST(PluginMessageTest, TheIntervalOfInterimsIsReadBack) {
    vpnha_session session = sample_session();
    EXPECT_EQ(parsed(session).radius.interim_s, 0U);
    session.interim_s = 0x01020304;
    EXPECT_EQ(parsed(session).radius.interim_s, 0x01020304U);
    Bytes long_one = encoded(sample_session());
    long_one.insert(long_one.end(), {0x80, 22, 0, 5, 0, 0, 0, 0, 0});
    EXPECT_THAT(error_of(long_one), HasSubstr("field 22"));
}

TEST(PluginMessageTest, PrefixesOfRadiusAreReadBack) {
    vpnha_session session = sample_session();
    EXPECT_TRUE(parsed(session).radius.prefixes.empty());
    session.prefix_count = 2;
    session.prefixes[0] = {.kind = VPNHA_PREFIX_FRAMED, .length = 64, .octets = {0x20, 1, 0xd, 8}};
    session.prefixes[1] = {.kind = VPNHA_PREFIX_DELEGATED, .length = 1, .octets = {0x80}};
    using Kind = RadiusPrefix::Kind;
    EXPECT_THAT(parsed(session).radius.prefixes,
                testing::ElementsAre(RadiusPrefix{Kind::framed, *parse_ip_prefix("2001:d08::/64")},
                                     RadiusPrefix{Kind::delegated, *parse_ip_prefix("8000::/1")}));
    const auto with = [](std::uint8_t kind, std::uint8_t length, std::uint8_t last,
                         std::uint8_t size = 18) {
        Bytes message = encoded(sample_session());
        message.insert(message.end(), {0x80, 24, 0, size, kind, length, 0x20});
        message.resize(message.size() + size - 3);
        message.back() = last;
        return message;
    };
    EXPECT_EQ(error_of(with(97, 128, 1)), "");
    for (const Bytes& bad : {with(98, 64, 0), with(97, 0, 0), with(97, 129, 0), with(97, 127, 1),
                             with(97, 64, 0, 17), with(97, 64, 0, 19)}) {
        EXPECT_THAT(error_of(bad), HasSubstr("field 24"));
    }
    // An IPv4-mapped one is no reason to go without the session.
    session.prefixes[0] = {.kind = VPNHA_PREFIX_FRAMED,
                           .length = 96,
                           .octets = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
    EXPECT_EQ(parsed(session).radius.prefixes.size(), 1U);
}

TEST(PluginMessageTest, NamesEachReasonAgainstResuming) {
    vpnha_session session = sample_session();
    session.not_resumable = VPNHA_NOT_COMPRESSION | VPNHA_NOT_MPPE | VPNHA_NOT_VJ |
                            VPNHA_NOT_MULTILINK | VPNHA_NOT_SEQUENCED | 1U << 5 | VPNHA_NOT_LAC |
                            1U << 31;
    EXPECT_THAT(parsed(session).not_resumable,
                testing::ElementsAre(HasSubstr("noccp"), HasSubstr("MPPE"), HasSubstr("novj"),
                                     HasSubstr("multilink"), HasSubstr("sequencing"),
                                     HasSubstr("reason 5, unknown"), HasSubstr("LAC"),
                                     HasSubstr("reason 31, unknown")));
}

TEST(PluginMessageTest, DownAndExitAreReadBack) {
    Bytes bytes(VPNHA_MESSAGE_BYTES_MAX);
    const vpnha_traffic traffic{std::uint64_t{1} << 40, 2, 3, 4};
    bytes.resize(vpnha_encode_session_down(2, &traffic, bytes.data()));
    Result<PluginMessage> message = parse_plugin_message(bytes);
    ASSERT_TRUE(message.has_value());
    const auto* const down = std::get_if<PluginSessionDown>(&*message);
    ASSERT_NE(down, nullptr);
    EXPECT_EQ(down->cause, EndCause::lost_carrier);
    EXPECT_EQ(down->traffic, (Traffic{std::uint64_t{1} << 40, 2, 3, 4}));
    for (const std::uint8_t cause : {std::uint8_t{0}, std::uint8_t{19}}) {
        Bytes bad(VPNHA_MESSAGE_BYTES_MAX);
        bad.resize(vpnha_encode_session_down(cause, nullptr, bad.data()));
        EXPECT_THAT(error_of(bad), HasSubstr("cause"));
    }
    for (std::size_t length = 5; length < bytes.size(); ++length) {
        if (length != 9) {
            EXPECT_FALSE(parse_plugin_message(ByteView(bytes).first(length)).has_value());
        }
    }
    // Of an older plugin.
    message = parse_plugin_message(ByteView(bytes).first(4));
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(std::get<PluginSessionDown>(*message).cause, EndCause::nas_error);
    bytes.resize(vpnha_encode_exit(bytes.data()));
    message = parse_plugin_message(bytes);
    ASSERT_TRUE(message.has_value());
    EXPECT_TRUE(std::holds_alternative<PluginExit>(*message));
}

TEST(PluginMessageTest, RefusesEveryTruncation) {
    vpnha_session session = sample_session();
    // A message may end behind its last field, and before one of these.
    session.route_count = 0;
    session.proxied_count = 0;
    const Bytes whole = encoded(session);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const ByteView part = ByteView(whole).first(length);
        EXPECT_FALSE(parse_plugin_message(part).has_value()) << length;
    }
}

TEST(PluginMessageTest, RefusesFieldsThatAreWrong) {
    constexpr std::uint16_t kPid = 2;
    EXPECT_EQ(error_of(with_field(kPid, {0, 2, 0, 4, 0, 0, 0, 1})), "");
    EXPECT_THAT(error_of(with_field(kPid, {0, 2, 0, 4, 0, 0, 0, 0})), HasSubstr("pid"));
    EXPECT_THAT(error_of(with_field(kPid, {0, 2, 0, 3, 0, 0, 0})), HasSubstr("wrong length"));
    EXPECT_THAT(error_of(with_field(kPid, {0, 2, 0, 5, 0, 0, 0, 1, 0})), HasSubstr("wrong length"));
    EXPECT_THAT(error_of(with_field(kPid, {})), HasSubstr("missing"));
    EXPECT_THAT(error_of(with_field(kPid, {0, 3, 0, 4, 'l', '2', 't', 'p'})),
                HasSubstr("given twice"));
    EXPECT_THAT(error_of(with_field(kPid, {0, 99, 0, 0})), HasSubstr("unknown"));
    EXPECT_THAT(error_of(with_field(kPid, {0, 0, 0, 0})), HasSubstr("unknown"));
}

TEST(PluginMessageTest, SkipsAFieldThatIsMarkedOptional) {
    EXPECT_EQ(error_of(with_field(2, {0, 2, 0, 4, 0, 0, 0, 1, 0x80, 99, 0, 1, 7})), "");
}

TEST(PluginMessageTest, RefusesASessionThatIsNotSane) {
    vpnha_session session = sample_session();
    session.peer_ppp_address = 0xe0000001;
    EXPECT_FALSE(parse_plugin_message(encoded(session)).has_value());
    session = sample_session();
    session.mtu = 67;
    EXPECT_FALSE(parse_plugin_message(encoded(session)).has_value());
}

TEST(PluginMessageTest, RefusesAnotherVersionAndAnUnknownType) {
    Bytes bytes = encoded(sample_session());
    bytes[1] = 1;
    EXPECT_THAT(error_of(bytes), HasSubstr("version 2"));
    EXPECT_THAT(error_of({0, 2, 77, 0}), HasSubstr("type 77"));
    EXPECT_THAT(error_of(Bytes(limits::kPluginMessageBytesMax + 1)), HasSubstr("too long"));
}

TEST(PluginAsksTest, IsWhatThePluginReports) {
    std::array<std::uint8_t, VPNHA_MESSAGE_BYTES_MAX> out{};
    const std::size_t length = vpnha_encode_asks("dialin", 4711, "alice", out.data());
    const ByteView whole = ByteView(out).first(length);
    const auto message = parse_plugin_message(whole);
    ASSERT_TRUE(message.has_value());
    const auto& asks = std::get<PluginAsks>(*message);
    EXPECT_EQ(asks.gateway, "dialin");
    EXPECT_EQ(asks.pid, 4711U);
    EXPECT_EQ(asks.user, "alice");
    for (std::size_t part = 0; part < length; ++part) {
        EXPECT_FALSE(parse_plugin_message(whole.first(part)).has_value());
    }
    const std::size_t unnamed = vpnha_encode_asks("", 4711, "alice", out.data());
    EXPECT_FALSE(parse_plugin_message(ByteView(out).first(unnamed)).has_value());
}

vpnha_answer parsed(const Bytes& bytes) {
    return vpnha_parse_answer(bytes.data(), bytes.size());
}

TEST(PluginAnswerTest, IsReadByTheCParser) {
    EXPECT_EQ(parsed(encode_plugin_verdict("")).kind, VPNHA_PROTECTED);
    vpnha_answer answer = parsed(encode_plugin_verdict("no standby\n"));
    EXPECT_EQ(answer.kind, VPNHA_UNPROTECTED);
    EXPECT_STREQ(answer.reason, "no standby?");
    answer = parsed(encode_plugin_verdict(std::string(300, 'x')));
    EXPECT_EQ(answer.kind, VPNHA_UNPROTECTED);
    EXPECT_EQ(std::strlen(answer.reason), 255U);
    answer = parsed(encode_plugin_address(Ipv4Address{0x0ac81005}));
    EXPECT_EQ(answer.kind, VPNHA_GIVEN);
    EXPECT_EQ(answer.address, 0x0ac81005U);
    answer = parsed(encode_plugin_refusal("all are given"));
    EXPECT_EQ(answer.kind, VPNHA_REFUSED);
    EXPECT_STREQ(answer.reason, "all are given");
}

TEST(PluginAnswerTest, IsRefusedWhenTruncated) {
    for (const Bytes& whole : {encode_plugin_verdict("no standby"), encode_plugin_refusal("none"),
                               encode_plugin_address(Ipv4Address{0x0ac81005})}) {
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
            EXPECT_EQ(parsed(part).kind, VPNHA_MALFORMED);
        }
    }
}

}  // namespace plugin_message_test
}  // namespace vpnha::adapters
