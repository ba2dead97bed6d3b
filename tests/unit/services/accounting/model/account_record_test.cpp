// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/model/account_record.hpp"

#include <gmock/gmock.h>

namespace vpnha::keepers {
namespace account_record_test {

AccountRecord sample() {
    AccountRecord record;
    record.id = {1'767'225'600, {7, NodeId{2}}, 3};
    record.session = {wire::RecordType::l2tp_session, wire::RecordId(Bytes{1, 2, 3, 4})};
    record.user = "alice";
    record.classes = {Bytes{'a', 0, 'b'}, Bytes{}};
    record.address = Ipv4Address{0x0ac81005};
    record.peer = IpAddress(Ipv4Address{0xc0000233});
    record.began_unix_ms = 1'767'225'600'123;
    record.started = true;
    record.interim_s = 900;
    record.reported_seconds = 300;
    record.end = {EndCause::lost_carrier, 1'767'225'999'000};
    record.total = {std::uint64_t{1} << 40, 2, 3, 4};
    record.device = {NodeId{2}, 17, {5, 6, 7, 8}};
    return record;
}

TEST(AccountRecordTest, IsReadAsItWasWritten) {
    AccountRecord live = sample();
    live.end.reset();
    AccountRecord fresh;
    fresh.id = {0, {1, NodeId{1}}, 1};
    fresh.user = std::string(255, 'x');
    AccountRecord other = sample();
    other.is_ppp = false;
    other.address = {};
    other.peer = *parse_ip("2001:db8::51");
    other.device.reset();
    other.address6 = parse_ip("2001:db8:200::7")->v6();
    AccountRecord routed = sample();
    routed.prefixes = {{RadiusPrefix::Kind::framed, *parse_ip_prefix("2001:db8:200:7::/64")},
                       {RadiusPrefix::Kind::delegated, *parse_ip_prefix("2001:db8:51::/48")}};
    AccountRecord identified = other;
    identified.prefixes = {routed.prefixes[1]};
    identified.identifier = std::uint64_t{1} << 63;
    for (const AccountRecord& record : {sample(), live, fresh, other, routed, identified}) {
        const auto read = parse_account(record_key_of(record.id), encode_account(record));
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ(*read, record);
    }
}

TEST(AccountRecordTest, IsRefusedWhenItIsNone) {
    const wire::RecordKey key = record_key_of(sample().id);
    const Bytes whole = encode_account(sample());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_FALSE(parse_account(key, ByteView(whole).first(length)).has_value());
    }
    for (const std::size_t place : {0U, 1U}) {
        Bytes other = whole;
        other[place] |= 0x80;
        EXPECT_FALSE(parse_account(key, other).has_value());
    }
    AccountRecord crowded = sample();
    crowded.classes.resize(3);
    EXPECT_FALSE(parse_account(key, encode_account(crowded)).has_value());
    AccountRecord ended = sample();
    ended.end->cause = EndCause{19};
    EXPECT_FALSE(parse_account(key, encode_account(ended)).has_value());
    Bytes without_interim = whole;
    std::fill(without_interim.end() - 4, without_interim.end(), 0);
    EXPECT_FALSE(parse_account(key, without_interim).has_value());
    AccountRecord dual = sample();
    dual.address6 = Ipv6Address{};
    EXPECT_FALSE(parse_account(key, ByteView(encode_account(dual)).first(whole.size() + 15)));
    const auto with = [&key](std::vector<RadiusPrefix> prefixes) {
        AccountRecord record = sample();
        record.prefixes = std::move(prefixes);
        return parse_account(key, encode_account(record)).has_value();
    };
    const RadiusPrefix good{RadiusPrefix::Kind::framed, *parse_ip_prefix("2001:db8::/32")};
    EXPECT_TRUE(with({good, good}));
    EXPECT_FALSE(with({good, good, good}));
    EXPECT_FALSE(with({{RadiusPrefix::Kind{98}, good.net}}));
    for (const std::uint8_t length : {std::uint8_t{0}, std::uint8_t{28}, std::uint8_t{129}}) {
        EXPECT_FALSE(with({{good.kind, {good.net.address, length}}})) << int{length};
    }
    AccountRecord identified = sample();
    identified.identifier = 1;
    Bytes without_identifier = encode_account(identified);
    without_identifier.back() = 0;
    EXPECT_FALSE(parse_account(key, without_identifier).has_value());
    const wire::RecordKey wrong{wire::RecordType::account, wire::RecordId(Bytes{1, 2, 3})};
    EXPECT_FALSE(parse_account(wrong, whole).has_value());
}

TEST(AccountRecordTest, ItsNameIsOfTheGatewayTheEpochAndTheNode) {
    EXPECT_EQ(session_id_of(GatewayId{1}, sample().id), "6955b900-1-7.2-3");
    EXPECT_NE(session_id_of(GatewayId{2}, sample().id), session_id_of(GatewayId{1}, sample().id));
}

TEST(AccountRecordTest, IsFoundByItsName) {
    const auto name = parse_session_id(session_id_of(GatewayId{17}, sample().id));
    ASSERT_TRUE(name.has_value());
    EXPECT_EQ(name->gateway, GatewayId{17});
    EXPECT_EQ(name->id, sample().id);
    for (const std::string other :
         {"", "6955b900-1-7.2", "6955b900-1-7.2-", "6955b900-1-7.2-3x", "6955b900-1-7.2-3-",
          "6955B900-1-7.2-3", "06955b900-1-7.2-3", "6955b900-1-7.2-03", "6955b900-100-7.2-3",
          "6955b900-1-7-2-3", "-1-7.2-3", "6955b900--7.2-3", "6955b900-1-7.2-123456789",
          " 6955b900-1-7.2-3"}) {
        EXPECT_FALSE(parse_session_id(other).has_value()) << other;
    }
}

TEST(AccountRecordTest, FitsWhereAllThatIsGivenIsItsOwn) {
    EXPECT_TRUE(fits({}, sample()));
    const SessionIdentity whole{{}, "alice", sample().address, "192.0.2.51"};
    EXPECT_TRUE(fits(whole, sample()));
    SessionIdentity other = whole;
    other.user = "bob";
    EXPECT_FALSE(fits(other, sample()));
    other = whole;
    other.address = Ipv4Address{1};
    EXPECT_FALSE(fits(other, sample()));
    other = whole;
    other.peer = "192.0.2.5";
    EXPECT_FALSE(fits(other, sample()));
}

TEST(AccountRecordTest, CountsWhatEachDeviceHasCounted) {
    AccountRecord record;
    count_traffic(record, {NodeId{1}, 5, {100, 200, 1, 2}}, {});
    count_traffic(record, {NodeId{1}, 5, {150, 200, 2, 2}}, {1, 1, 1, 1});
    EXPECT_EQ(record.total, (Traffic{150, 200, 2, 2}));
    // Another node's device; one of the same number; one that was made anew.
    count_traffic(record, {NodeId{2}, 5, {1010, 2010, 11, 21}}, {1000, 2000, 10, 20});
    EXPECT_EQ(record.total, (Traffic{160, 210, 3, 3}));
    count_traffic(record, {NodeId{2}, 6, {20, 20, 1, 1}}, {});
    EXPECT_EQ(record.total, (Traffic{180, 230, 4, 4}));
    count_traffic(record, {NodeId{2}, 6, {19, 30, 2, 2}}, {});
    EXPECT_EQ(record.total, (Traffic{199, 260, 6, 6}));
}

}  // namespace account_record_test
}  // namespace vpnha::keepers
