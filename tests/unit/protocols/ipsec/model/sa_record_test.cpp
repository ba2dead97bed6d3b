// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/sa_record.hpp"

#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "support/ha_builder.hpp"

namespace vpnha::ipsec {
namespace sa_record_test {

using ::testing::ElementsAre;

const test::IkeSample kSample{{{2, 0x0102030405060708, 0x1112131415161718}, false}};

IkeSa whole() {
    IkeSa sa;
    sa.id = kSample.id;
    sa.order = 7;
    sa.add = Bytes{3, 1, 36, 2};
    const Bytes id = build_ike_delete(sa.id);
    sa.add.insert(sa.add.end(), id.begin() + 2, id.end());
    sa.updates = {Bytes{3, 2}};
    sa.updates[0].insert(sa.updates[0].end(), id.begin() + 2, id.end());
    sa.updates[0].insert(sa.updates[0].end(), {8, 'x', 0});
    sa.established_unix_ms = 8;
    sa.mid_initiator = 1;
    sa.mid_responder = 2;
    sa.iv = {0xee};
    sa.dead = true;
    sa.heir = IkeKey{2, 3, 4};
    sa.childless = true;
    return sa;
}

TEST(SaRecordTest, AnIkeSaHasTheDocumentedBytes) {
    const std::string key = "0201020304050607081112131415161718";
    EXPECT_EQ(to_hex(encode_key(kSample.id.key)), key);
    EXPECT_EQ(to_hex(encode_record(whole())),
              "01"                // Version.
              "0e"                // Dead, with an heir, childless.
              "0000000000000007"  // Its order.
              "0000000000000008"  // Since when.
              "0017"
              "0301"
              "2402"
              "01" +
                  key +
                  "00"  // IKE_ADD: IKEv2, its id.
                  "01"  // One IKE_UPDATE, with a connection's name.
                  "0018"
                  "0302"
                  "01" +
                  key +
                  "00"
                  "087800"
                  "00000001"
                  "00000002"  // Messages.
                  "0001ee"    // IV.
                  "0200000000000000030000000000000004");
    const auto parsed = parse_ike_sa(encode_key(kSample.id.key), encode_record(whole()));
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(*parsed, whole());
}

TEST(SaRecordTest, AChildSaHasTheDocumentedBytes) {
    ChildSa child{0xc1c2c3c4, 0xd1d2d3d4, kSample.id.key, {2, 3, 4}, 9, {}};
    child.add = kSample.l2tp(child.spi, child.spi_out);
    child.port = 0x4e21;
    EXPECT_EQ(to_hex(encode_spi(child.spi)), "c1c2c3c4");
    EXPECT_EQ(to_hex(encode_record(child)).substr(0, 98),
              "01"
              "d1d2d3d4"
              "0000000000000009"
              "0201020304050607081112131415161718"
              "0200000000000000030000000000000004"
              "4e21");
    const auto parsed = parse_child_sa(encode_spi(child.spi), encode_record(child));
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(*parsed, child);
    EXPECT_FALSE(parse_child_sa(encode_spi(1), encode_record(child))) << "of another child";
    child.port = limits::kPrivatePortFirst - 1;
    EXPECT_FALSE(parse_child_sa(encode_spi(child.spi), encode_record(child))) << "of no client";
    child.port = limits::kPrivatePortFirst;
    child.add = kSample.child(child.spi, child.spi_out);
    EXPECT_FALSE(parse_child_sa(encode_spi(child.spi), encode_record(child))) << "without L2TP";
}

TEST(SaRecordTest, CountersHaveTheDocumentedBytes) {
    const EspCounters counters{0xc1c2c3c4, 3, true, 64, 5, 6, {7, 8}};
    EXPECT_EQ(to_hex(encode_record(counters)),
              "01"
              "01"
              "0000000000000005"
              "0000000000000006"
              "0000000000000003"
              "00000040"
              "0000000700000008");
    const auto parsed = parse_esp_counters(encode_spi(counters.spi), encode_record(counters));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, counters);
    EspCounters wide = counters;
    wide.bitmap.assign(limits::kReplayWindowMax / 32 + 1, 0);
    EXPECT_FALSE(parse_esp_counters(encode_spi(wide.spi), encode_record(wide)));
}

TEST(SaRecordTest, WhatCannotBeReadIsRefused) {
    const Bytes id = encode_key(kSample.id.key);
    const Bytes bytes = encode_record(whole());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(parse_ike_sa(id, ByteView(bytes).first(size))) << size;
    }
    Bytes later = bytes;
    later[0] = 3;
    EXPECT_EQ(parse_ike_sa(id, later).error().code, Errc::unsupported);
    EXPECT_FALSE(parse_ike_sa(encode_key({2, 3, 4}), bytes)) << "of another SA";
    EXPECT_FALSE(parse_ike_sa(Bytes(17, 0), bytes)) << "there is no IKEv0";
    IkeSa sa = whole();
    sa.heir.reset();
    EXPECT_FALSE(parse_ike_sa(id, encode_record(sa))) << "a dead one has an heir";
    sa = whole();
    sa.add = kSample.update();
    EXPECT_FALSE(parse_ike_sa(id, encode_record(sa)));
}

TEST(SaRecordTest, AnUpdateThatReportsTheSameAnewReplacesTheFirst) {
    IkeSa sa;
    sa.id = kSample.id;
    add_update(sa, kSample.vip("10.1.0.7"));
    EXPECT_FALSE(is_established(sa));
    add_update(sa, kSample.update());
    EXPECT_TRUE(is_established(sa));
    EXPECT_THAT(sa.updates, ElementsAre(kSample.update(), kSample.vip("10.1.0.7")))
        << "charon knows the pool before the address";
    add_update(sa, kSample.vip("10.1.0.8"));
    EXPECT_THAT(sa.updates, ElementsAre(kSample.update(), kSample.vip("10.1.0.8")));
    EXPECT_EQ(peer_of(sa).connection, "road");
    EXPECT_EQ(peer_of(sa).vips.size(), 1U);
}

TEST(SaRecordTest, UpdatesThatNameTheConnectionStayInTheirOrder) {
    const Bytes first = whole().updates[0];
    IkeSa sa = whole();
    sa.add = kSample.add();
    sa.updates.clear();
    for (const Bytes& update : {kSample.vip("10.1.0.7"), first, kSample.update()}) {
        add_update(sa, update);
    }
    EXPECT_THAT(sa.updates, ElementsAre(first, kSample.update(), kSample.vip("10.1.0.7")));
    EXPECT_EQ(peer_of(sa).connection, "road") << "the newer one's word";
    const auto read = parse_ike_sa(encode_key(sa.id.key), encode_record(sa));
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*read, sa);
}

}  // namespace sa_record_test
}  // namespace vpnha::ipsec
