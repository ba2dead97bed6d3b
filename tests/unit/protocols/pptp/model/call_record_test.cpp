// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/call_record.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "base/limits.hpp"
#include "protocols/pptp/model/limits.hpp"
#include "support/sample_call.hpp"

namespace vpnha::pptp {
namespace call_record_test {

using test::sample_call;
using test::sample_numbers;

constexpr std::string_view kKey = "c000020106bbc00002339cbb00800007";

TEST(CallRecordTest, ACallHasTheDocumentedBytes) {
    ByteWriter facts;
    ppp::write_facts(facts, sample_call().facts);
    EXPECT_EQ(to_hex(encode_key(sample_call().key)), kKey);
    EXPECT_EQ(to_hex(encode_record(sample_call())),
              "01" + std::string(kKey) +
                  "05a8"
                  "07"
                  "07"
                  "08"  // TCP: MSS, flags, scales.
                  "80"
                  "0048" +
                  to_hex(Bytes(72, 0x5e)) +  // MPPE.
                  to_hex(facts.view()));
    const auto parsed = parse_record(encode_record(sample_call()));
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(*parsed, sample_call());
    const auto key = parse_key(encode_key(sample_call().key));
    ASSERT_TRUE(key);
    EXPECT_EQ(*key, sample_call().key);
    EXPECT_LE(encode_key(*key).size(), limits::kRecordIdBytesMax);
}

TEST(CallRecordTest, NumbersHaveTheDocumentedBytes) {
    EXPECT_EQ(to_hex(encode_numbers(sample_numbers())),
              "01"
              "01020304"
              "05060708"
              "00010000"
              "0a0b0c0d"
              "0e0f1011"
              "00000003"
              "0f"
              "000003e8"
              "000007d0"
              "0000000000001001"
              "0000000000001388");
    const auto parsed = parse_numbers(encode_numbers(sample_numbers()));
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(*parsed, sample_numbers());
}

TEST(CallRecordTest, ThatWhichCannotBeIsRefused) {
    const std::vector<std::function<void(CallRecord&)>> wrongs{
        [](CallRecord& call) { call.key.peer.port = 0; },
        [](CallRecord& call) { call.key.local.address = {0xe0000001}; },
        [](CallRecord& call) { call.tcp.mss = 10; },
        [](CallRecord& call) { call.tcp.our_scale = 15; },
        [](CallRecord& call) { call.tcp.window_scaling = false; },
        [](CallRecord& call) { call.facts.mtu = 67; },
        [](CallRecord& call) {
            call.facts.ipv6 = {1, 1};
        },
        [](CallRecord& call) { call.facts.routes = {*parse_ip_prefix("198.51.100.1/24")}; },
        [](CallRecord& call) { call.mppe = static_cast<Mppe>(64); },
        [](CallRecord& call) { call.mppe = Mppe::none; },
        [](CallRecord& call) { call.sealed_keys.clear(); },
        [](CallRecord& call) { call.sealed_keys.resize(limits::kPptpSealedKeysBytesMax + 1); },
    };
    for (std::size_t i = 0; i < wrongs.size(); ++i) {
        CallRecord call = sample_call();
        wrongs[i](call);
        EXPECT_FALSE(parse_record(encode_record(call))) << i;
    }
    CallNumbers numbers = sample_numbers();
    numbers.mppe_in = limits::kCounterMax + 1;
    EXPECT_FALSE(parse_numbers(encode_numbers(numbers)));
}

TEST(CallRecordTest, ACallHasIpv6AndNetworksBehindItsClient) {
    CallRecord call = sample_call();
    call.facts.ipv6 = {1, 2};
    call.facts.user.assign(limits::kUserNameBytesMax, 'u');
    call.facts.obstacle.assign(limits::kObstacleBytesMax, 'o');
    for (std::uint16_t i = 0; i < limits::kSessionRoutesMax; ++i) {
        Ipv6Address net{{0x20, 0x01, 0x0d, 0xb8, 0x00, 0x51}};
        net.octets[7] = static_cast<std::uint8_t>(i);
        call.facts.routes.push_back({IpAddress(net), 64});
    }
    const Bytes encoded = encode_record(call);
    EXPECT_LE(encoded.size(), limits::kRecordPayloadBytesMax);
    const auto parsed = parse_record(encoded);
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(*parsed, call);
}

TEST(CallRecordTest, WithoutMppeThereAreNoKeys) {
    CallRecord call = sample_call();
    call.mppe = Mppe::none;
    call.sealed_keys.clear();
    call.key.id = CallId{0};  // pptpd's first one.
    const auto parsed = parse_record(encode_record(call));
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(*parsed, call);
}

TEST(CallRecordTest, AnotherVersionOrLengthIsRefused) {
    Bytes record = encode_record(sample_call());
    Bytes numbers = encode_numbers(sample_numbers());
    for (Bytes* const each : {&record, &numbers}) {
        each->push_back(0);
        EXPECT_FALSE(parse_record(*each));
        EXPECT_FALSE(parse_numbers(*each));
        each->pop_back();
        each->front() = 2;
    }
    const auto later = parse_record(record);
    ASSERT_FALSE(later);
    EXPECT_EQ(later.error().code, Errc::unsupported);
    EXPECT_FALSE(parse_numbers(numbers));
}

TEST(CallRecordTest, ThePluginsIdsHaveKeysExactlyWithMppe) {
    const CallKey key = sample_call().key;
    const auto ids_of = [&](std::uint8_t bits, std::size_t keys) {
        ByteWriter writer;
        writer.bytes(ByteView(encode_key(key)).subspan(6)).u8(bits).bytes(Bytes(keys, 7));
        return std::move(writer).take();
    };
    const auto refused = [&](const Bytes& octets) { return !parse_plugin_ids(octets, key.local); };
    const Bytes octets = ids_of(128, 32);
    const auto encrypted = parse_plugin_ids(octets, key.local);
    ASSERT_TRUE(encrypted) << encrypted.error().detail;
    EXPECT_EQ(encrypted->key, key);
    EXPECT_EQ(encrypted->mppe, Mppe::bits128);
    EXPECT_EQ(encrypted->keys.data() + 32, octets.data() + octets.size());
    const Bytes plain_octets = ids_of(0, 0);
    const auto plain = parse_plugin_ids(plain_octets, key.local);
    ASSERT_TRUE(plain) << plain.error().detail;
    EXPECT_TRUE(plain->keys.empty());
    EXPECT_TRUE(refused(ids_of(128, 31)));
    EXPECT_TRUE(refused(ids_of(128, 33)));
    EXPECT_TRUE(refused(ids_of(0, 32)));
    EXPECT_TRUE(refused(ids_of(64, 32))) << "no known MPPE";
    EXPECT_TRUE(refused(Bytes(octets.size()))) << "no unicast endpoint";
}

TEST(CallRecordTest, EachCallHasASealContextOfItsOwn) {
    CallKey other = sample_call().key;
    other.peer_id.value++;
    EXPECT_NE(seal_context(other), seal_context(sample_call().key));
}

}  // namespace call_record_test
}  // namespace vpnha::pptp
