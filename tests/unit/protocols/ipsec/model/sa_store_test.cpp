// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/sa_store.hpp"

#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "support/ha_builder.hpp"

namespace vpnha::ipsec {
namespace sa_store_test {

using test::IkeSample;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class SaStoreTest : public ::testing::Test {
  protected:
    SaChanges handle(const Bytes& message) {
        const auto changes = store_.apply(message);
        EXPECT_TRUE(changes) << changes.error().detail;
        return changes.value_or(SaChanges{});
    }
    void establish(const IkeSample& sample, std::uint32_t child) {
        handle(sample.add());
        handle(sample.update());
        handle(sample.child(child, child + 1));
    }
    void replace(const IkeSample& old, const IkeSample& fresh) {
        handle(fresh.add({old.id.key}));
        handle(build_ike_delete(old.id));
        handle(fresh.update());
    }

    SaStore store_{1701};
    const IkeSample first_{test::ike_id(2, 1)};
    const IkeSample second_{test::ike_id(2, 2)};
    const IkeSample third_{test::ike_id(2, 3)};
};

TEST_F(SaStoreTest, AnSaIsARecordOnceItIsEstablished) {
    EXPECT_THAT(handle(first_.add()).ikes, IsEmpty());
    EXPECT_THAT(handle(build_mid(HaType::ike_mid_responder, first_.id, 2)).ikes, IsEmpty());
    EXPECT_THAT(handle(first_.update()).ikes, ElementsAre(first_.id.key));
    const IkeSa* const sa = store_.sas().find(first_.id.key);
    ASSERT_NE(sa, nullptr);
    EXPECT_EQ(sa->add, first_.add());
    EXPECT_THAT(sa->updates, ElementsAre(first_.update()));
    EXPECT_EQ(sa->mid_responder, 2U);
    EXPECT_THAT(handle(first_.child(7, 8)).children, ElementsAre(7));
    EXPECT_EQ(store_.sas().find_child(7)->spi_out, 8U);
    EXPECT_GT(store_.sas().find_child(7)->order, sa->order);
}

TEST_F(SaStoreTest, AnAddressThatWasNotReportedIsThatOfTheSelector) {
    const IpPrefix pool = *parse_ip_prefix("10.7.0.0/16");
    const auto vips_of = [this](const IkeSample& sample) {
        return peer_of(*store_.sas().find(sample.id.key)).vips;
    };
    for (const IkeSample& sample : {first_, second_}) {
        handle(sample.add());
        handle(sample.update());
    }
    handle(first_.child(7, 8, "10.7.0.3"));
    handle(first_.child(9, 10, "10.7.0.3"));
    handle(second_.child(11, 12, "10.8.0.3"));
    EXPECT_THAT(store_.complete_addresses({}).ikes, IsEmpty());
    EXPECT_THAT(store_.complete_addresses({&pool, 1}).ikes, ElementsAre(first_.id.key));
    EXPECT_THAT(vips_of(first_), ElementsAre(build_host({*parse_ip("10.7.0.3"), 0})));
    EXPECT_THAT(vips_of(second_), IsEmpty()) << "a net behind a client is no virtual address";
    EXPECT_THAT(store_.complete_addresses({&pool, 1}).ikes, IsEmpty());
    handle(first_.vip("10.7.0.4"));
    EXPECT_THAT(store_.complete_addresses({&pool, 1}).ikes, IsEmpty());
    EXPECT_THAT(vips_of(first_), ElementsAre(build_host({*parse_ip("10.7.0.4"), 0})));
}

TEST_F(SaStoreTest, L2tpHasThePortOfTheGateway) {
    for (const auto& [port, on_1701, on_1703] :
         {std::tuple(std::optional<std::uint16_t>(1701), true, false),
          std::tuple(std::optional<std::uint16_t>(1703), false, true),
          std::tuple(std::optional<std::uint16_t>(), false, false)}) {
        SaStore store(port);
        for (const Bytes& message : {first_.add(), first_.update(), first_.l2tp(5, 6, 1701, 1701),
                                     first_.l2tp(7, 8, 1701, 1703)}) {
            ASSERT_TRUE(store.apply(message));
        }
        EXPECT_EQ(store.sas().find_child(5)->port != 0, on_1701);
        EXPECT_EQ(store.sas().find_child(7)->port != 0, on_1703);
        const ChildSa& child = *store.sas().find_child(7);
        EXPECT_TRUE(parse_child_sa(encode_spi(7), encode_record(child)));
    }
}

TEST_F(SaStoreTest, EachClientOfL2tpHasAPortOfItsOwn) {
    const auto port = [this](std::uint32_t spi) { return store_.sas().find_child(spi)->port; };
    IkeSample one{test::ike_id(1, 1)};
    IkeSample two{test::ike_id(1, 2)};
    two.client = "dave@example.org";
    for (const IkeSample& each : {one, two}) {
        handle(each.add());
        handle(each.update());
    }
    handle(one.child(3, 4));
    EXPECT_EQ(port(3), 0U) << "no L2TP";
    handle(one.l2tp(5, 6));
    handle(two.l2tp(7, 8));
    EXPECT_EQ(port(5), limits::kPrivatePortFirst);
    EXPECT_EQ(port(7), limits::kPrivatePortFirst + 1);
    handle(one.l2tp(9, 10));
    EXPECT_EQ(port(9), port(5)) << "a rekey";
    IkeSample again = one;
    again.id = test::ike_id(1, 3);
    handle(again.add());
    handle(again.l2tp(11, 12));  // Before the SA is established.
    handle(again.update());
    EXPECT_EQ(port(11), port(5)) << "the same client has authenticated itself again";
    handle(build_child_delete(two.id, 7));
    handle(two.l2tp(13, 14));
    EXPECT_EQ(port(13), limits::kPrivatePortFirst + 1) << "nobody has had one since";
    IkeSample three{test::ike_id(1, 4)};
    three.client = "erin@example.org";
    handle(three.add());
    handle(three.update());
    handle(three.l2tp(15, 16));
    handle(build_child_delete(two.id, 13));
    handle(two.l2tp(17, 18));
    EXPECT_EQ(port(17), limits::kPrivatePortFirst + 3) << "the one that has just ended is not next";
}

TEST_F(SaStoreTest, PortsAreUsedInTurnsAndNoneTwice) {
    IkeSample one{test::ike_id(1, 1)};
    ChildSa last{1, 2, one.id.key, one.id.key, 9, one.l2tp(1, 2)};
    last.port = limits::kPrivatePortFirst + limits::kPrivatePorts - 1;
    store_.put(last);
    ChildSa first{3, 4, one.id.key, one.id.key, 8, one.l2tp(3, 4)};
    first.port = limits::kPrivatePortFirst;
    store_.put(first);
    handle(second_.add());
    handle(second_.update());
    handle(second_.l2tp(5, 6));
    EXPECT_EQ(store_.sas().find_child(5)->port, limits::kPrivatePortFirst + 1);
}

TEST_F(SaStoreTest, WhatIsAboutNobodyIsCounted) {
    handle(build_iv({{1, 1, 2}, false}, Bytes{1}));
    handle(first_.update());
    handle(first_.child(7, 8));
    handle(build_ike_delete(first_.id));
    EXPECT_EQ(store_.counters().unknown, 4U);
    EXPECT_THAT(store_.sas().ikes(), IsEmpty());
    establish(first_, 7);
    handle(first_.add());
    EXPECT_EQ(store_.counters().repeated, 1U);
    EXPECT_EQ(store_.sas().children().size(), 1U);
    EXPECT_FALSE(store_.apply(Bytes{5, 1}));
    EXPECT_FALSE(store_.apply(test::HaBuilder(HaType::status).u16(HaTag::segment, 1).bytes()));
}

TEST_F(SaStoreTest, AMakerStaysAsLongAsItsChild) {
    establish(first_, 7);
    replace(first_, second_);
    ASSERT_NE(store_.sas().find(first_.id.key), nullptr);
    EXPECT_TRUE(store_.sas().find(first_.id.key)->dead);
    EXPECT_EQ(store_.sas().find(first_.id.key)->heir, second_.id.key);
    EXPECT_EQ(store_.sas().find_child(7)->made, first_.id.key);
    EXPECT_EQ(store_.sas().find_child(7)->owner, second_.id.key);

    replace(second_, third_);
    EXPECT_EQ(store_.sas().find_child(7)->owner, third_.id.key);
    EXPECT_EQ(store_.sas().ikes().size(), 3U) << "the second is on the way";
    handle(third_.child(9, 10));
    const SaChanges changes = handle(build_child_delete(third_.id, 7));
    EXPECT_THAT(changes.ikes, UnorderedElementsAre(first_.id.key, second_.id.key));
    EXPECT_EQ(store_.sas().ikes().size(), 1U);
    EXPECT_EQ(store_.sas().children().size(), 1U);
}

TEST_F(SaStoreTest, WhoseLastChildIsDeletedIsChildlessUntilTheNextOne) {
    const auto is_childless = [&](const IkeSample& sample) {
        return store_.sas().find(sample.id.key)->childless;
    };
    establish(first_, 7);
    handle(first_.child(9, 10));
    EXPECT_FALSE(handle(build_child_delete(first_.id, 7)).ikes.contains(first_.id.key));
    EXPECT_FALSE(is_childless(first_)) << "it has another one";
    EXPECT_THAT(handle(build_child_delete(first_.id, 9)).ikes, UnorderedElementsAre(first_.id.key));
    EXPECT_TRUE(is_childless(first_));
    replace(first_, second_);
    EXPECT_TRUE(is_childless(second_)) << "its client is idle still";
    EXPECT_THAT(handle(second_.child(11, 12)).ikes, UnorderedElementsAre(second_.id.key));
    EXPECT_FALSE(is_childless(second_));
}

TEST_F(SaStoreTest, ARekeyThatFailsTakesNoChildren) {
    establish(first_, 7);
    handle(second_.add({first_.id.key}));
    handle(third_.add({first_.id.key}));
    EXPECT_EQ(store_.sas().find_child(7)->owner, first_.id.key);
    handle(build_ike_delete(second_.id));
    EXPECT_EQ(store_.sas().find_child(7)->owner, first_.id.key);
    handle(build_ike_delete(first_.id));
    EXPECT_TRUE(store_.is_unsettled());
    EXPECT_NE(store_.sas().find_child(7), nullptr) << "the third may take it in a moment";
    handle(third_.update());
    EXPECT_FALSE(store_.is_unsettled());
    EXPECT_EQ(store_.sas().find_child(7)->owner, third_.id.key);
}

TEST_F(SaStoreTest, AnSaThatIsNotReplacedAfterAllEndsWithItsChildren) {
    establish(first_, 7);
    handle(second_.add({first_.id.key}));
    handle(build_ike_delete(first_.id));
    const SaChanges changes = store_.settle();
    EXPECT_THAT(changes.children, ElementsAre(7));
    EXPECT_THAT(changes.ikes, ElementsAre(first_.id.key));
    EXPECT_THAT(store_.sas().ikes(), IsEmpty());
}

TEST_F(SaStoreTest, ANewSaOfIkev1AdoptsTheChildrenOfItsPeer) {
    const IkeSample old{test::ike_id(1, 1)};
    const IkeSample fresh{test::ike_id(1, 2)};
    IkeSample other{test::ike_id(1, 3)};
    other.address = "198.51.100.8";
    establish(old, 7);
    establish(other, 9);
    EXPECT_EQ(store_.sas().find_child(7)->owner, old.id.key) << "another peer's";
    handle(fresh.add());
    handle(fresh.update());
    EXPECT_EQ(store_.sas().find_child(7)->owner, fresh.id.key);
    EXPECT_FALSE(store_.sas().find(old.id.key)->dead) << "charon deletes it in ten seconds";
    handle(build_ike_delete(old.id));
    EXPECT_TRUE(store_.sas().find(old.id.key)->dead);
    EXPECT_NE(store_.sas().find_child(7), nullptr);
    handle(build_ike_delete(fresh.id));
    EXPECT_EQ(store_.sas().ikes().size(), 1U);
    EXPECT_EQ(store_.sas().children().size(), 1U);
}

// An old SA's record goes with its last child: then only the new one's says what charon inherited.
TEST_F(SaStoreTest, ARekeyedSaKeepsTheAddressesOfItsClient) {
    establish(first_, 7);
    handle(first_.vips({"10.1.0.7", "2001:db8::7"}));
    replace(first_, second_);
    handle(second_.child(9, 10));
    handle(build_child_delete(second_.id, 7));
    EXPECT_EQ(store_.sas().find(first_.id.key), nullptr);
    EXPECT_THAT(store_.sas().find(second_.id.key)->updates,
                ElementsAre(second_.update(), second_.vips({"10.1.0.7", "2001:db8::7"})));

    replace(second_, third_);
    handle(third_.child(11, 12));
    handle(build_child_delete(third_.id, 9));
    EXPECT_EQ(store_.sas().ikes().size(), 1U);
    const IkeSa& third = *store_.sas().find(third_.id.key);
    EXPECT_THAT(third.updates,
                ElementsAre(third_.update(), third_.vips({"10.1.0.7", "2001:db8::7"})));
    const auto parsed = parse_ike_sa(encode_key(third.id.key), encode_record(third));
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(*parsed, third);
}

TEST_F(SaStoreTest, ARekeyedSaKeepsAllElseThatItInherits) {
    IkeSample old = first_;
    old.eap = "carol";
    old.other = "203.0.113.7";
    IkeSample fresh = old;
    fresh.id = second_.id;
    EXPECT_TRUE(store_.apply(old.add(), 1'000));
    EXPECT_TRUE(store_.apply(old.update(), 2'000));
    EXPECT_TRUE(store_.apply(old.vip("10.1.0.7"), 2'000));
    const IkeSa before = *store_.sas().find(old.id.key);
    for (const Bytes& message :
         {fresh.add({old.id.key}), build_ike_delete(old.id), fresh.update()}) {
        EXPECT_TRUE(store_.apply(message, 9'000));
    }
    const IkeSa& after = *store_.sas().find(fresh.id.key);
    EXPECT_EQ(after.established_unix_ms, before.established_unix_ms);
    EXPECT_EQ(peer_of(after).eap_id, peer_of(before).eap_id);
    EXPECT_EQ(peer_of(after).vips, peer_of(before).vips);
    EXPECT_THAT(after.updates, ElementsAre(fresh.update(), fresh.vip("10.1.0.7")));
}

TEST_F(SaStoreTest, ARekeyedSaInheritsWhetherTheOldOneEndsBeforeOrBehind) {
    establish(first_, 7);
    handle(first_.vip("10.1.0.7"));
    handle(second_.add({first_.id.key}));
    handle(second_.update());
    EXPECT_THAT(store_.sas().find(second_.id.key)->updates,
                ElementsAre(second_.update(), second_.vip("10.1.0.7")));
    handle(build_ike_delete(first_.id));
    EXPECT_THAT(store_.sas().find(second_.id.key)->updates,
                ElementsAre(second_.update(), second_.vip("10.1.0.7")));
}

// In charon the old SA has no addresses any more; whoever ends would release those of the other.
TEST_F(SaStoreTest, OnlyOneSaInherits) {
    establish(first_, 7);
    handle(first_.vip("10.1.0.7"));
    handle(second_.add({first_.id.key}));
    handle(third_.add({first_.id.key}));
    handle(second_.update());
    handle(third_.update());
    EXPECT_THAT(store_.sas().find(second_.id.key)->updates,
                ElementsAre(second_.update(), second_.vip("10.1.0.7")));
    EXPECT_THAT(store_.sas().find(third_.id.key)->updates, ElementsAre(third_.update()));
}

TEST_F(SaStoreTest, AnSaThatWasGivenAddressesItselfInheritsNone) {
    establish(first_, 7);
    handle(first_.vip("10.1.0.7"));
    handle(second_.add({first_.id.key}));
    handle(second_.vip("10.1.0.9"));
    handle(second_.update());
    EXPECT_THAT(store_.sas().find(second_.id.key)->updates,
                ElementsAre(second_.update(), second_.vip("10.1.0.9")));
}

TEST_F(SaStoreTest, ANewSaOfIkev1InheritsFromTheOneOfItsPeer) {
    const IkeSample old{test::ike_id(1, 1)};
    const IkeSample fresh{test::ike_id(1, 2)};
    EXPECT_TRUE(store_.apply(old.add(), 1'000));
    EXPECT_TRUE(store_.apply(old.update(), 2'000));
    handle(old.vip("10.1.0.7"));
    EXPECT_TRUE(store_.apply(fresh.add(), 9'000));
    EXPECT_TRUE(store_.apply(fresh.update(), 9'000));
    EXPECT_THAT(store_.sas().find(fresh.id.key)->updates,
                ElementsAre(fresh.update(), fresh.vip("10.1.0.7")));
    EXPECT_EQ(store_.sas().find(fresh.id.key)->established_unix_ms, 2'000U);
    handle(build_ike_delete(old.id));
    handle(fresh.vip("10.1.0.8"));  // ModeCfg has given it another one.
    EXPECT_THAT(store_.sas().find(fresh.id.key)->updates,
                ElementsAre(fresh.update(), fresh.vip("10.1.0.8")));
}

TEST_F(SaStoreTest, TheNextHolderContinuesWithTheNumbers) {
    establish(first_, 7);
    SaStore next(1701);
    next.put(*store_.sas().find(first_.id.key));
    next.put(*store_.sas().find_child(7));
    const std::uint64_t last = store_.sas().find_child(7)->order;
    EXPECT_TRUE(next.apply(first_.child(9, 10)));
    EXPECT_EQ(next.sas().find_child(9)->order, last + 1);
}

TEST_F(SaStoreTest, AFloodOfBeginningsHasABound) {
    for (std::size_t i = 0; i <= limits::kHalfOpenSasMax; ++i) {
        handle(IkeSample{test::ike_id(2, 100 + i)}.add());
    }
    EXPECT_EQ(store_.half_open(), limits::kHalfOpenSasMax);
    EXPECT_EQ(store_.counters().given_up, 1U);
    store_.forget_half_open();
    EXPECT_EQ(store_.half_open(), 0U);
}

}  // namespace sa_store_test
}  // namespace vpnha::ipsec
