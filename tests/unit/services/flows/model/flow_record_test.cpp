// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/flow_record.hpp"

#include <gmock/gmock.h>

#include "support/flow_builder.hpp"

namespace vpnha::conntrack {
namespace flow_record_test {

using test::address;
using test::nat_tcp_flow;

Bytes bytes_of(ByteView view) {
    return {view.begin(), view.end()};
}

Result<Flow> parse_hex(const std::string& id, const std::string& payload) {
    const auto octets = [](const std::string& hex) {
        Bytes bytes;
        for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
            bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
        }
        return bytes;
    };
    return parse_flow(octets(id), octets(payload));
}

constexpr const char* kId =
    "0006"
    "0a400105"
    "cb007109"
    "9c40"
    "01bb";

TEST(FlowRecordTest, HasTheDocumentedBytes) {
    const Flow flow = nat_tcp_flow();
    EXPECT_EQ(to_hex(encode_key(flow.key).view()),
              "00"  // IPv4, no zone.
              "06"  // TCP.
              "0a400105"
              "cb007109"  // Addresses.
              "9c40"
              "01bb");  // Ports.
    EXPECT_EQ(to_hex(encode_payload(flow).view()),
              "1101"    // Version 1; TCP, another destination of the reply.
              "03"      // Reply seen, assured.
              "80af1a"  // 432 000 s.
              "03"      // Established.
              "97"      // Window scales 7 and 9.
              "33"      // Both sides scale and take selective acknowledgements.
              "c0000264");
}

TEST(FlowRecordTest, HasTheDocumentedBytesOfAllItsParts) {
    Flow flow = nat_tcp_flow();
    flow.key.zone = {0x0102, ZoneScope::reply};
    flow.reply.source = address("203.0.113.10");
    flow.reply.source_part = 8443;
    flow.reply.destination_part = 1024;
    flow.mark = 0xabcd;
    flow.labels.emplace();
    flow.labels->back() = 1;
    flow.helper = "ftp";
    flow.adjusted[0] = SequenceAdjustment{100, 0, -3};
    flow.adjusted[1] = SequenceAdjustment{200, 1, 2};
    flow.parent = FlowKey{kUdp, flow.key.zone, {address("10.64.1.5"), address("10.64.1.6"), 1, 2}};
    EXPECT_EQ(to_hex(encode_key(flow.key).view()),
              "0a060102"
              "0a400105cb0071099c4001bb");
    EXPECT_EQ(to_hex(encode_payload(flow).view()),
              "17ff"
              "03"
              "80af1a"
              "039733"
              "cb00710a"
              "c0000264"
              "20fb"
              "0400"
              "0000abcd"
              "00000000000000000000000000000001"
              "03667470"
              "0000006400000000fffffffd"
              "000000c80000000100000002"
              "0a110102"
              "0a4001050a400106"
              "00010002");
}

TEST(FlowRecordTest, ANatedTcpFlowTakesFewOctets) {
    EXPECT_EQ(encode_key(nat_tcp_flow().key).size(), 14U);
    EXPECT_EQ(encode_payload(nat_tcp_flow()).size(), 13U);
    Flow ipv6 = test::flow_of(kTcp, {address("2001:db8::1"), address("2001:db8::2"), 40'000, 443});
    ipv6.key.zone.id = 1;
    EXPECT_EQ(encode_key(ipv6.key).size(), limits::kRecordIdBytesMax);
}

TEST(FlowRecordTest, EveryFlowComesBackAsItWas) {
    test::Random random(1);
    for (int i = 0; i < 20'000; ++i) {
        const Flow flow = test::random_flow(random);
        ASSERT_TRUE(validate(flow)) << validate(flow).error().detail;
        const FlowId id = encode_key(flow.key);
        const auto parsed = parse_flow(id.view(), encode_payload(flow).view());
        ASSERT_TRUE(parsed) << parsed.error().detail << " " << to_string(flow.key);
        ASSERT_EQ(*parsed, flow) << to_string(flow.key);
        ASSERT_EQ(*parse_key(id.view()), flow.key);
    }
}

TEST(FlowRecordTest, WhatIsNoPartOfARecordIsLeftOut) {
    Flow flow = nat_tcp_flow();
    flow.status |= kConfirmed | 1U << 7;
    flow.tcp->flags = {0xff, kTcpLiberal};
    const auto parsed = parse_flow(encode_key(flow.key).view(), encode_payload(flow).view());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->status, kSeenReply | kAssured);
    EXPECT_EQ(parsed->tcp->flags, (std::array<std::uint8_t, 2>{kTcpRecordFlags, 0}));
}

TEST(FlowRecordTest, AnyCutOrTailIsMalformed) {
    test::Random random(2);
    for (int i = 0; i < 500; ++i) {
        const Flow flow = test::random_flow(random);
        const Bytes id = bytes_of(encode_key(flow.key).view());
        const Bytes payload = bytes_of(encode_payload(flow).view());
        for (std::size_t size = 0; size < payload.size(); ++size) {
            EXPECT_FALSE(parse_flow(id, ByteView(payload).first(size)));
        }
        for (std::size_t size = 0; size < id.size(); ++size) {
            EXPECT_FALSE(parse_key(ByteView(id).first(size)));
        }
        Bytes longer = payload;
        longer.push_back(0);
        EXPECT_FALSE(parse_flow(id, longer));
    }
}

TEST(FlowRecordTest, OnlyTheCanonicalFormParses) {
    ASSERT_TRUE(parse_hex(kId,
                          "1101"
                          "03"
                          "80af1a"
                          "039733"
                          "c0000264"));
    // A number that could be shorter; no mark; a reply that is not another one; flags that are in
    // no record; an unknown version, bit of the head, bit of the status.
    EXPECT_FALSE(parse_hex(kId,
                           "1101"
                           "03"
                           "80af9a00"
                           "039733"
                           "c0000264"));
    EXPECT_FALSE(parse_hex(kId,
                           "1003"
                           "03"
                           "01"
                           "039733"
                           "00000000"));
    EXPECT_FALSE(parse_hex(kId,
                           "1101"
                           "03"
                           "01"
                           "039733"
                           "0a400105"));
    EXPECT_FALSE(parse_hex(kId,
                           "1001"
                           "03"
                           "01"
                           "03973b"));
    EXPECT_EQ(parse_hex(kId,
                        "2001"
                        "03"
                        "01"
                        "039733")
                  .error()
                  .code,
              Errc::unsupported);
    EXPECT_FALSE(parse_hex(kId,
                           "1801"
                           "03"
                           "01"
                           "039733"));
    EXPECT_FALSE(parse_hex(kId,
                           "1001"
                           "07"
                           "01"
                           "039733"));
    EXPECT_FALSE(
        parse_hex("02060000"
                  "0a400105cb0071099c4001bb",
                  "1001"
                  "03"
                  "01"
                  "039733"));
    EXPECT_FALSE(
        parse_hex("0406"
                  "0a400105cb0071099c4001bb",
                  "1001"
                  "03"
                  "01"
                  "039733"));
    EXPECT_FALSE(
        parse_hex("1006"
                  "0a400105cb0071099c4001bb",
                  "1001"
                  "03"
                  "01"
                  "039733"));
}

TEST(FlowRecordTest, WhatNoKernelTakesIsMalformed) {
    EXPECT_FALSE(parse_hex(kId,
                           "1001"
                           "03"
                           "01"
                           "0a9733"));  // TCP state 10.
    EXPECT_FALSE(parse_hex(kId,
                           "1001"
                           "03"
                           "01"
                           "03f733"));  // Window scale 15.
    EXPECT_FALSE(parse_hex(kId,
                           "1000"
                           "03"
                           "ffffffff0f"));  // 136 years.
    EXPECT_FALSE(parse_hex(kId,
                           "1000"
                           "03"
                           "ffffffff1f"));  // More than 32 bits.
    EXPECT_FALSE(parse_hex(kId,
                           "1008"
                           "03"
                           "01"
                           "0361"
                           "2f62"));  // A helper "a/b".
    EXPECT_FALSE(parse_hex(kId,
                           "1008"
                           "03"
                           "01"
                           "00"));  // No name.
    EXPECT_FALSE(
        parse_hex("0032"
                  "0a400105cb007109",
                  "1001"
                  "03"
                  "01"
                  "039733"));  // ESP with TCP.
    EXPECT_FALSE(
        parse_hex("003a"
                  "0a400105cb00710900010800",
                  "1000"
                  "03"
                  "01"));  // ICMPv6.
}

// The class of CVE-2015-6496: a protocol that the reader does not know, or one with parts of
// another.
TEST(FlowRecordTest, AnyProtocolIsReadWholeOrRefused) {
    const FlowKey key = nat_tcp_flow().key;
    const Bytes of_tcp = bytes_of(encode_payload(nat_tcp_flow()).view());
    const Bytes of_none{0x10, 0x00, 0x03, 0x01};
    for (std::size_t protocol = 0; protocol <= 0xff; ++protocol) {
        Bytes id = bytes_of(encode_key(key).view());
        id[1] = static_cast<std::uint8_t>(protocol);
        for (const std::size_t size : {std::size_t{2}, std::size_t{10}, id.size()}) {
            const ByteView part = ByteView(id).first(size);
            const Result<Flow> plain = parse_flow(part, of_none);
            if (plain) {
                EXPECT_EQ(bytes_of(encode_key(plain->key).view()), bytes_of(part));
                EXPECT_EQ(bytes_of(encode_payload(*plain).view()), of_none);
            }
            EXPECT_EQ(parse_flow(part, of_tcp).has_value(), protocol == kTcp && size == id.size())
                << protocol << ", " << size << " octets";
        }
    }
}

}  // namespace flow_record_test
}  // namespace vpnha::conntrack
