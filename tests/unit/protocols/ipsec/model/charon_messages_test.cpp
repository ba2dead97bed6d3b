// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of messages that charons of three versions have sent.
#include <gmock/gmock.h>

#include <map>

#include "protocols/ipsec/model/charon_image.hpp"
#include "protocols/ipsec/model/sa_store.hpp"
#include "support/charon_recordings.hpp"

namespace vpnha::ipsec {
namespace charon_messages_test {

using test::for_charon;
using test::in_dialect;
using test::recordings;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(CharonMessagesTest, EachComesBackAsItsCharonHasIt) {
    std::map<std::string, int> read;
    int shorter = 0;
    for (const auto& [name, messages] : recordings("")) {
        for (const Bytes& octets : messages) {
            const Bytes dialect = in_dialect(octets);
            ASSERT_TRUE(parse_ha_message(dialect)) << name;
            const Bytes back = for_charon(dialect, octets[0]);
            // What version 5 has for one plugin alone is not kept: two attributes of 5 octets.
            if (back != octets) {
                EXPECT_EQ(octets[0], 5) << name;
                EXPECT_EQ(back.size() + 10, octets.size()) << name;
                ++shorter;
            }
            ++read[std::string(name.substr(7, 5))];
        }
    }
    EXPECT_THAT(read,
                ::testing::ElementsAre(::testing::Pair("5.9.8", 202), ::testing::Pair("6.0.1", 236),
                                       ::testing::Pair("6.1.0", 123)));
    EXPECT_EQ(shorter, 12);
}

// All but those of several key exchanges: 5.9.8 has the same tags under other numbers.
TEST(CharonMessagesTest, OfOrdinarySasEachVersionTakesThoseOfTheOthers) {
    for (const auto& [name, messages] : recordings("")) {
        const bool several = name.ends_with("two-exchanges");
        for (const Bytes& dialect : in_dialect(messages)) {
            const Bytes old = for_charon(dialect, 3);
            EXPECT_TRUE(several || old == dialect) << name << ": it is the dialect itself";
            const Bytes newer = for_charon(dialect, 4);
            const auto again = parse_charon_message(newer);
            ASSERT_TRUE(again) << name;
            EXPECT_EQ(build_ha_message(again->message.type, again->message.attributes), dialect);
        }
    }
}

TEST(CharonMessagesTest, AnotherVersionIsRefusedWithBothNumbers) {
    const auto parsed = parse_charon_message(Bytes{6, 10});
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, Errc::unsupported);
    EXPECT_THAT(parsed.error().detail, HasSubstr("version 6; this release knows 3 to 5"));
    EXPECT_FALSE(parse_charon_message(Bytes{2, 10}));
    EXPECT_FALSE(parse_charon_message(Bytes{}));
    // 42 and 43 are tags of the records, 44 is none.
    EXPECT_FALSE(parse_charon_message(Bytes{3, 1, 42, 0, 0}));
    EXPECT_TRUE(parse_charon_message(Bytes{4, 1, 43, 0, 1}));
    EXPECT_FALSE(parse_charon_message(Bytes{4, 1, 44, 0, 0}));
}

// Of an SA that is up: what was recorded until its first CHILD_ADD and the IKE_UPDATE behind it.
struct Up {
    SaStore store;
    IkeKey key;
};

Up up(const std::vector<Bytes>& messages) {
    Up up{SaStore(std::nullopt), {}};
    for (const Bytes& dialect : in_dialect(messages)) {
        const auto changes = up.store.apply(dialect);
        EXPECT_TRUE(changes) << changes.error().detail;
        if (!up.store.sas().children().empty()) {
            break;
        }
    }
    EXPECT_THAT(up.store.sas().ikes(), SizeIs(1));
    up.key = up.store.sas().ikes().begin()->first;
    return up;
}

TEST(CharonMessagesTest, EachKeyExchangeIsKeptAndFedInItsOrder) {
    for (const auto& [name, messages] : recordings("two-exchanges")) {
        const Up established = up(messages);
        const IkeSa& sa = *established.store.sas().find(established.key);
        EXPECT_THAT(sa.further, SizeIs(1)) << name;
        EXPECT_EQ(established.store.counters().repeated, 0U);
        const auto record = parse_ike_sa(encode_key(established.key), encode_record(sa));
        ASSERT_TRUE(record) << record.error().detail;
        EXPECT_EQ(*record, sa);

        CharonImage image;
        image.clear();
        image.set_version(4);
        const std::vector<Bytes> fed =
            image.feed(established.key, established.store.sas()).messages;
        ASSERT_THAT(fed, SizeIs(::testing::Ge(4)));
        EXPECT_EQ(fed[0], sa.add);
        EXPECT_EQ(fed[1], sa.further[0]);
        EXPECT_TRUE(image.has(established.key));
        EXPECT_TRUE(image.takes(sa));
    }
}

// Half of its key exchanges would give keys that nobody else has.
TEST(CharonMessagesTest, OneOfSeveralIsLeftOutWholeWhereCharonIs5_9) {
    for (const auto& [name, messages] : recordings("two-exchanges")) {
        const Up established = up(messages);
        CharonImage image;
        image.clear();
        image.set_version(3);
        EXPECT_THAT(image.feed(established.key, established.store.sas()).messages, IsEmpty());
        EXPECT_FALSE(image.takes(*established.store.sas().find(established.key)));
        const auto& [spi, child] = *established.store.sas().children().begin();
        EXPECT_FALSE(image.takes(child, established.store.sas())) << "its maker is not there";
    }
}

TEST(CharonMessagesTest, WholeHistoriesEndWithoutAnythingUnknown) {
    for (const auto& [name, messages] : recordings("")) {
        SaStore store(1701);
        CharonImage image;
        image.clear();
        image.set_version(messages.front()[0]);
        for (const Bytes& dialect : in_dialect(messages)) {
            const auto changes = store.apply(dialect);
            ASSERT_TRUE(changes) << name << ": " << changes.error().detail;
            for (const IkeKey& key : changes->ikes) {
                static_cast<void>(image.feed(key, store.sas()));
                EXPECT_THAT(image.feed(key, store.sas()).messages, IsEmpty()) << name;
            }
        }
        EXPECT_EQ(store.counters().repeated, 0U) << name;
    }
}

}  // namespace charon_messages_test
}  // namespace vpnha::ipsec
