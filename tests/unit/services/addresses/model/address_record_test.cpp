// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/addresses/model/address_record.hpp"

#include <gmock/gmock.h>

#include <set>

#include "services/addresses/model/pool.hpp"

namespace vpnha::keepers {
namespace address_record_test {

constexpr Ipv4Address kAddress{0x0ac81005};

TEST(AddressRecordTest, IsReadAsItWasWritten) {
    const wire::RecordKey session{wire::RecordType::l2tp_session,
                                  wire::RecordId(Bytes{1, 2, 3, 4})};
    for (const AddressRecord& record :
         {AddressRecord{kAddress, "alice", false, session},
          AddressRecord{kAddress, "", true, std::nullopt},
          AddressRecord{kAddress, std::string(255, 'x'), false, std::nullopt}}) {
        const auto read = parse_address(record_key_of(kAddress), encode_address(record));
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ(*read, record);
    }
}

TEST(AddressRecordTest, IsRefusedWhenItIsNone) {
    const Bytes whole = encode_address({kAddress, "alice", false, record_key_of(kAddress)});
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_FALSE(
            parse_address(record_key_of(kAddress), ByteView(whole).first(length)).has_value());
    }
    Bytes other = whole;
    other[0] = 2;
    EXPECT_FALSE(parse_address(record_key_of(kAddress), other).has_value());
    other = whole;
    other[1] = 0x82;
    EXPECT_FALSE(parse_address(record_key_of(kAddress), other).has_value());
    const wire::RecordKey wrong{wire::RecordType::client_address, wire::RecordId(Bytes{1, 2, 3})};
    EXPECT_FALSE(parse_address(wrong, whole).has_value());
}

TEST(PoolTest, HasNoAddressThatMeansANet) {
    const Pool pool(
        {parse_ip_prefix("10.200.16.0/30").value(), parse_ip_prefix("10.200.17.8/31").value(),
         parse_ip_prefix("10.200.18.1/32").value(), parse_ip_prefix("2001:db8::/64").value()});
    EXPECT_EQ(pool.size(), 5U);
    std::set<std::string> all;
    while (const auto next =
               pool.choose("alice", [&](Ipv4Address a) { return all.contains(to_string(a)); })) {
        EXPECT_TRUE(pool.contains(*next));
        all.insert(to_string(*next));
    }
    EXPECT_THAT(all, ::testing::ElementsAre("10.200.16.1", "10.200.16.2", "10.200.17.8",
                                            "10.200.17.9", "10.200.18.1"));
    EXPECT_FALSE(pool.contains(parse_ipv4("10.200.16.0").value()));
    EXPECT_FALSE(pool.contains(parse_ipv4("10.200.16.3").value()));
    EXPECT_FALSE(pool.contains(parse_ipv4("10.200.18.2").value()));
}

TEST(PoolTest, AUserHasAPlaceOfItsOwnWhateverElseIsGiven) {
    const Pool pool({parse_ip_prefix("10.200.0.0/16").value()});
    EXPECT_EQ(pool.size(), 65'534U);
    const auto none = [](Ipv4Address) { return false; };
    std::set<Ipv4Address> places;
    for (int user = 0; user < 1000; ++user) {
        const std::string name = "user" + std::to_string(user);
        const auto place = pool.choose(name, none);
        ASSERT_TRUE(place.has_value());
        EXPECT_EQ(pool.choose(name, none), place);
        places.insert(*place);
    }
    EXPECT_GT(places.size(), 950U);  // They are spread: searches are short.
    EXPECT_FALSE(pool.choose("alice", [](Ipv4Address) { return true; }).has_value());
    EXPECT_FALSE(Pool().choose("alice", none).has_value());
}

}  // namespace address_record_test
}  // namespace vpnha::keepers
