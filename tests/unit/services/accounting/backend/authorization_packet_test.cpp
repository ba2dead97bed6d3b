// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/authorization_packet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/radius_builder.hpp"

namespace vpnha::adapters {
namespace authorization_packet_test {

using ::testing::ElementsAre;
using Kind = AuthorizationRequest::Kind;

constexpr std::string_view kSecret = "a secret";
constexpr int kDisconnect = 40;
constexpr int kChange = 43;

RadiusBuilder disconnect() {
    return RadiusBuilder(kDisconnect).add(44, "6955b900-1-7.2-3");
}

std::optional<ErrorCause> flaw_of(const RadiusBuilder& builder) {
    const auto request = parse_authorization(builder.signed_with(kSecret));
    EXPECT_TRUE(request.has_value());
    return request ? request->flaw : std::nullopt;
}

TEST(AuthorizationPacketTest, ReadsWhatNamesASession) {
    const Bytes packet = RadiusBuilder(kDisconnect, 9)
                             .add(1, "alice")
                             .add(4, 0xc0000201)
                             .add(8, 0x0ac81005)
                             .add(31, "192.0.2.51")
                             .add(32, "vpnha")
                             .add(33, "first")
                             .add(44, "6955b900-1-7.2-3")
                             .add(49, 6)
                             .add(55, 1'767'225'600)
                             .add(18, "good bye")
                             .add(33, "second")
                             .signed_with(kSecret);
    const auto request = parse_authorization(packet);
    ASSERT_TRUE(request.has_value());
    EXPECT_EQ(request->kind, Kind::disconnect);
    EXPECT_EQ(request->id, 9);
    EXPECT_EQ(request->identity, (SessionIdentity{"6955b900-1-7.2-3", "alice",
                                                  Ipv4Address{0x0ac81005}, "192.0.2.51"}));
    EXPECT_EQ(request->nas_identifier, "vpnha");
    EXPECT_EQ(request->unix_s, 1'767'225'600U);
    EXPECT_THAT(request->proxy_states,
                ElementsAre(Bytes{'f', 'i', 'r', 's', 't'}, Bytes{'s', 'e', 'c', 'o', 'n', 'd'}));
    EXPECT_TRUE(request->is_signed);
    EXPECT_EQ(request->flaw, std::nullopt);
    EXPECT_TRUE(is_authentic(packet, to_bytes(kSecret)));
}

TEST(AuthorizationPacketTest, RefusesWhatIsNoRequest) {
    const Bytes whole = disconnect().signed_with(kSecret);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_FALSE(parse_authorization(ByteView(whole).first(length))) << length;
    }
    for (const int code : {1, 2, 4, 41, 42, 44, 45, 255}) {
        EXPECT_FALSE(parse_authorization(RadiusBuilder(code).add(1, "alice").plain())) << code;
    }
    // Lengths: of the packet below its header; of an attribute below 3, beyond the packet.
    Bytes packet = whole;
    packet[3] = 19;
    EXPECT_FALSE(parse_authorization(packet));
    for (const int length : {0, 1, 2, 250}) {
        packet = whole;
        packet[21] = static_cast<std::uint8_t>(length);
        EXPECT_FALSE(parse_authorization(packet)) << length;
    }
    EXPECT_FALSE(parse_authorization(RadiusBuilder(kDisconnect).add(1, "").plain()));
    RadiusBuilder large = disconnect();
    for (int i = 0; i < 20; ++i) {
        large.add(33, std::string(250, 'x'));
    }
    EXPECT_FALSE(parse_authorization(large.signed_with(kSecret))) << "more than 4096 octets";
}

TEST(AuthorizationPacketTest, OctetsBehindTheLengthArePadding) {
    Bytes packet = disconnect().signed_with(kSecret);
    packet.resize(packet.size() + 5, 0xff);
    EXPECT_TRUE(parse_authorization(packet));
    EXPECT_TRUE(is_authentic(packet, to_bytes(kSecret)));
}

TEST(AuthorizationPacketTest, IsAuthenticByBothDigests) {
    const ByteView secret = to_bytes(kSecret);
    const Bytes packet = disconnect().signed_with(kSecret);
    EXPECT_TRUE(is_authentic(packet, secret));
    EXPECT_FALSE(is_authentic(packet, to_bytes("another")));
    for (std::size_t at = 0; at < packet.size(); ++at) {
        Bytes changed = packet;
        changed[at] ^= 1;
        EXPECT_FALSE(parse_authorization(changed) && is_authentic(changed, secret)) << at;
    }
    // The Message-Authenticator is missing, or wrong under an authenticator that is right.
    const Bytes unsigned_one = disconnect().authenticated(kSecret);
    EXPECT_FALSE(parse_authorization(unsigned_one)->is_signed);
    EXPECT_FALSE(is_authentic(unsigned_one, secret));
    EXPECT_FALSE(is_authentic(disconnect().add(80, Md5{}).authenticated(kSecret), secret));
    EXPECT_FALSE(is_authentic(disconnect().add(80, "short").authenticated(kSecret), secret));
    // It may stand anywhere.
    RadiusBuilder first(kDisconnect);
    Bytes zeroed = first.add(80, Md5{}).add(1, "alice").plain();
    const Md5 digest = hmac_of(zeroed, kSecret);
    EXPECT_TRUE(is_authentic(
        RadiusBuilder(kDisconnect).add(80, digest).add(1, "alice").authenticated(kSecret), secret));
}

// Of FreeRADIUS' radclient 3.2.1: User-Name = "vpn", Session-Timeout = 5, Message-Authenticator.
TEST(AuthorizationPacketTest, AnotherProgramSignsAlike) {
    const Bytes packet{0x2b, 0x4d, 0x00, 0x31, 0x61, 0xe2, 0xec, 0x07, 0xad, 0xf9, 0xce, 0xb7, 0x8e,
                       0x20, 0x3b, 0x45, 0xdb, 0xc2, 0x56, 0x5e, 0x01, 0x05, 0x76, 0x70, 0x6e, 0x1b,
                       0x06, 0x00, 0x00, 0x00, 0x05, 0x50, 0x12, 0xdd, 0xcb, 0x3f, 0x8e, 0x9d, 0x4a,
                       0x82, 0xe8, 0x40, 0xf7, 0x27, 0x21, 0x9b, 0xe0, 0x50, 0xa8};
    EXPECT_TRUE(parse_authorization(packet));
    EXPECT_TRUE(is_authentic(packet, to_bytes("lab-secret")));
    EXPECT_FALSE(is_authentic(packet, to_bytes("lab-secret2")));
}

TEST(AuthorizationPacketTest, AllThatIsAskedForIsMandatory) {
    EXPECT_EQ(flaw_of(disconnect()), std::nullopt);
    EXPECT_EQ(flaw_of(disconnect().add(27, 60)), ErrorCause::unsupported_attribute);
    EXPECT_EQ(flaw_of(disconnect().add(26, "vendor")), ErrorCause::unsupported_attribute);
    EXPECT_EQ(flaw_of(disconnect().add(25, "gold").add(25, "blue")), std::nullopt);
    EXPECT_EQ(flaw_of(disconnect().add(6, 17)), ErrorCause::unsupported_attribute);
    EXPECT_EQ(flaw_of(disconnect().add(44, "again")), ErrorCause::invalid_request);
    EXPECT_EQ(flaw_of(disconnect().add(80, Md5{})), ErrorCause::invalid_request);
    EXPECT_EQ(flaw_of(disconnect().add(8, "12345")), ErrorCause::invalid_value);
    EXPECT_EQ(flaw_of(disconnect().add(4, "123")), ErrorCause::invalid_value);
    EXPECT_EQ(flaw_of(RadiusBuilder(kDisconnect).add(55, 5)), ErrorCause::missing_attribute);
}

TEST(AuthorizationPacketTest, WhatMayFitALaterSessionReportsWhenItWasMade) {
    const auto by_user = RadiusBuilder(kDisconnect).add(1, "alice");
    EXPECT_EQ(flaw_of(by_user), ErrorCause::missing_attribute);
    EXPECT_EQ(flaw_of(RadiusBuilder(by_user).add(55, 5)), std::nullopt);
}

TEST(AuthorizationPacketTest, AChangeIsOfWhatASessionCanTakeOn) {
    const auto change = [] { return RadiusBuilder(kChange).add(44, "1").add(55, 5); };
    EXPECT_EQ(parse_authorization(change().signed_with(kSecret))->kind, Kind::change);
    EXPECT_EQ(flaw_of(change()), ErrorCause::missing_attribute) << "it changes nothing";
    EXPECT_EQ(flaw_of(RadiusBuilder(kChange).add(44, "1").add(27, 60)),
              ErrorCause::missing_attribute)
        << "it may be an old one";
    EXPECT_EQ(flaw_of(change().add(27, 60)), std::nullopt);
    const auto both = parse_authorization(change().add(27, 60).add(28, 0).signed_with(kSecret));
    EXPECT_EQ(both->change, (ppp::TermsChange{60, 0}));
    EXPECT_EQ(flaw_of(change().add(27, 60).add(27, 61)), ErrorCause::invalid_request);
    EXPECT_EQ(flaw_of(change().add(28, "12345")), ErrorCause::invalid_value);
    EXPECT_EQ(flaw_of(change().add(27, 60).add(11, "slow")), ErrorCause::unsupported_attribute);
    EXPECT_EQ(flaw_of(change().add(27, 60).add(25, "gold")), ErrorCause::unsupported_attribute);
    EXPECT_EQ(flaw_of(disconnect().add(28, 60)), ErrorCause::unsupported_attribute);
    EXPECT_EQ(flaw_of(change().add(49, 6)), ErrorCause::unsupported_attribute);
    EXPECT_EQ(flaw_of(change().add(6, 17)), ErrorCause::unsupported_service);
}

TEST(AuthorizationPacketTest, AChangeMayBeOfTheRate) {
    const auto change = [] { return RadiusBuilder(kChange).add(44, "1").add(55, 5); };
    const auto rate_of = [](const RadiusBuilder& builder) {
        return parse_authorization(builder.signed_with(kSecret))->change.rate;
    };
    // Of a vendor: its number, the type, the length, the value.
    const std::string mikrotik = std::string("\0\0\x3a\x8c\x08\x07", 6) + "1M/2M";
    const std::string wispr_up = std::string("\0\0\x37\x2a\x07\x06\x00\x01\x86\xa0", 10);
    const std::string wispr_down = std::string("\0\0\x37\x2a\x08\x06\x00\x03\x0d\x40", 10);
    EXPECT_EQ(flaw_of(change().add(11, "20000/5000")), std::nullopt);
    EXPECT_EQ(rate_of(change().add(11, "20000/5000")), (Rate{20'000'000, 5'000'000}));
    EXPECT_EQ(rate_of(change().add(26, mikrotik)), (Rate{2'000'000, 1'000'000}));
    EXPECT_EQ(rate_of(change().add(26, wispr_up).add(26, wispr_down)), (Rate{200'000, 100'000}));
    EXPECT_EQ(flaw_of(change().add(26, wispr_up).add(27, 60)), std::nullopt);
    EXPECT_EQ(rate_of(change().add(27, 60)), std::nullopt);
    for (const std::string& bad :
         {std::string("\0\0\x3a\x8c\x09\x07", 6) + "1M/2M", mikrotik + "x", mikrotik.substr(0, 8),
          mikrotik.substr(0, 5), std::string("\0\0\x3a\x8c\x08\x01", 6),
          std::string("\0\0\x01\x37\x08\x07", 6) + "1M/2M"}) {
        EXPECT_EQ(flaw_of(change().add(26, bad)), ErrorCause::unsupported_attribute)
            << to_hex(to_bytes(bad));
    }
    EXPECT_EQ(flaw_of(disconnect().add(11, "20000/5000")), ErrorCause::unsupported_attribute);
    EXPECT_EQ(flaw_of(disconnect().add(26, mikrotik)), ErrorCause::unsupported_attribute);
}

TEST(AuthorizationPacketTest, AnswersAreSignedAndHaveTheProxiesStates) {
    for (const int code : {kDisconnect, kChange}) {
        const Bytes packet = RadiusBuilder(code, 200)
                                 .add(33, "first")
                                 .add(44, "1")
                                 .add(33, "second")
                                 .signed_with(kSecret);
        const auto request = parse_authorization(packet);
        ASSERT_TRUE(request.has_value());
        const auto ack = encode_authorization_answer(*request, {}, to_bytes(kSecret));
        RadiusAnswer answer = read_answer(packet, ack.value(), kSecret);
        EXPECT_EQ(answer.code, code + 1);
        EXPECT_EQ(answer.id, 200);
        EXPECT_EQ(answer.attributes.count(101), 0U);
        const auto [begin, end] = answer.attributes.equal_range(33);
        ASSERT_EQ(std::distance(begin, end), 2);
        EXPECT_EQ(begin->second, (Bytes{'f', 'i', 'r', 's', 't'}));
        const auto nak =
            encode_authorization_answer(*request, ErrorCause::session_not_found, to_bytes(kSecret));
        answer = read_answer(packet, nak.value(), kSecret);
        EXPECT_EQ(answer.code, code + 2);
        EXPECT_EQ(answer.error_cause(), 503U);
        EXPECT_EQ(read_answer(packet, nak.value(), "another").code, 0);
    }
}

TEST(AuthorizationPacketTest, EachCauseHasAName) {
    std::set<std::string_view> names;
    for (const ErrorCause cause : kErrorCauses) {
        EXPECT_NE(to_string(cause), "");
        names.insert(to_string(cause));
    }
    EXPECT_EQ(names.size(), std::size(kErrorCauses));
}

}  // namespace authorization_packet_test
}  // namespace vpnha::adapters
