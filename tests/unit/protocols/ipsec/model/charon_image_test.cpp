// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/charon_image.hpp"

#include <gmock/gmock.h>

#include "protocols/ipsec/model/sa_store.hpp"
#include "support/ha_builder.hpp"

namespace vpnha::ipsec {
namespace charon_image_test {

using test::IkeSample;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CharonImageTest : public ::testing::Test {
  protected:
    CharonImageTest() { image_.clear(); }

    void handle(const std::vector<Bytes>& messages) {
        for (const Bytes& message : messages) {
            EXPECT_TRUE(store_.apply(message));
        }
    }
    std::vector<Bytes> feed(const IkeSample& sample) {
        last_ = image_.feed(sample.id.key, store_.sas());
        return last_.messages;
    }
    void establish() { handle({first_.add(), first_.update(), first_.child(7, 8)}); }
    void rekey() {
        handle({second_.add({first_.id.key}), build_ike_delete(first_.id), second_.update()});
    }

    SaStore store_{1701};
    CharonImage image_;
    Feed last_;
    const IkeSample first_{test::ike_id(2, 1)};
    const IkeSample second_{test::ike_id(2, 2)};
};

TEST_F(CharonImageTest, WhatIsMissingIsFed) {
    establish();
    EXPECT_THAT(feed(first_), ElementsAre(first_.add(), first_.update(), first_.child(7, 8)));
    EXPECT_THAT(feed(first_), IsEmpty());
    const Bytes mid = build_mid(HaType::ike_mid_responder, first_.id, 3);
    handle({mid, first_.vip("10.1.0.7"), first_.child(9, 10), build_child_delete(first_.id, 7)});
    EXPECT_THAT(feed(first_), ElementsAre(build_child_delete(first_.id, 7), first_.vip("10.1.0.7"),
                                          mid, first_.child(9, 10)));
    EXPECT_FALSE(last_.rebuilt);
    handle({build_ike_delete(first_.id)});
    EXPECT_THAT(feed(first_),
                ElementsAre(build_child_delete(first_.id, 9), build_ike_delete(first_.id)));
    EXPECT_TRUE(image_.sas().ikes.empty());
}

TEST_F(CharonImageTest, ARekeyIsAMereAddition) {
    establish();
    feed(first_);
    rekey();
    EXPECT_THAT(feed(second_), ElementsAre(second_.add({first_.id.key}), second_.update()));
    EXPECT_EQ(image_.sas().children.at(7).owner, second_.id.key);
    EXPECT_FALSE(image_.has(first_.id.key));
    handle({build_child_delete(second_.id, 7)});
    EXPECT_THAT(feed(second_), ElementsAre(build_child_delete(second_.id, 7)));
}

// A charon that was fed before the rekey has inherited them at the IKE_ADD; a fresh one has not.
TEST_F(CharonImageTest, TheAddressesOfARekeyedSaAreFed) {
    establish();
    handle({first_.vip("10.1.0.7")});
    feed(first_);
    rekey();
    EXPECT_THAT(feed(second_), ElementsAre(second_.add({first_.id.key}), second_.update(),
                                           second_.vip("10.1.0.7")));
    EXPECT_FALSE(last_.rebuilt);
    handle({second_.child(9, 10), build_child_delete(second_.id, 7)});
    feed(second_);
    EXPECT_FALSE(last_.rebuilt);
    image_.clear();
    EXPECT_THAT(feed(second_), ElementsAre(second_.add({first_.id.key}), second_.update(),
                                           second_.vip("10.1.0.7"), second_.child(9, 10)));
}

TEST_F(CharonImageTest, ADeadMakerIsMadeAnew) {
    establish();
    rekey();
    EXPECT_THAT(feed(first_), ElementsAre(first_.add(), first_.update(), first_.child(7, 8),
                                          second_.add({first_.id.key}), second_.update()));
}

// charon has the first one still, as it was not fed in between. It releases the address with that.
TEST_F(CharonImageTest, AnAddressIsReservedAgainWhenAnSaEndsThatHadIt) {
    establish();
    handle({first_.vip("10.1.0.7")});
    feed(first_);
    rekey();
    const IkeSample third{test::ike_id(2, 3)};
    handle({third.add({second_.id.key}), build_ike_delete(second_.id), third.update(),
            third.vip("10.1.0.7"), build_child_delete(third.id, 7)});
    EXPECT_THAT(
        feed(third),
        ElementsAre(build_child_delete(first_.id, 7), third.add({second_.id.key}), third.update(),
                    third.vip("10.1.0.7"), build_ike_delete(first_.id), third.vip("10.1.0.7")));
    EXPECT_FALSE(last_.rebuilt);
    EXPECT_THAT(feed(first_), IsEmpty());
}

TEST_F(CharonImageTest, TheOldRecordMayGoAfterTheNewOneCame) {
    establish();
    handle({first_.vip("10.1.0.7")});
    feed(first_);
    handle({second_.add(), second_.update(), second_.vip("10.1.0.7")});
    feed(second_);
    handle({build_ike_delete(first_.id)});
    EXPECT_THAT(feed(first_), ElementsAre(build_child_delete(first_.id, 7),
                                          build_ike_delete(first_.id), second_.vip("10.1.0.7")));
}

// An SA of IKEv1 that is fed takes over from what charon still has of its peer.
TEST_F(CharonImageTest, CharonAdoptsFromWhatNoRecordIsLeftOf) {
    const IkeSample old{test::ike_id(1, 1)};
    const IkeSample fresh{test::ike_id(1, 2)};
    handle({old.add(), old.update(), fresh.add(), fresh.update(), fresh.child(9, 10)});
    feed(old);
    EXPECT_FALSE(image_.has(old.id.key));
    SaSet late = store_.sas();
    late.erase(fresh.id.key);
    late.erase_child(9);
    EXPECT_THAT(image_.feed(old.id.key, late).messages,
                ElementsAre(build_child_delete(fresh.id, 9), old.add(), old.update()));
    EXPECT_TRUE(image_.has(old.id.key));
    EXPECT_FALSE(image_.has(fresh.id.key));
    EXPECT_FALSE(image_.has_child(9));
}

TEST_F(CharonImageTest, AChildOfADeadMakerIsARebuild) {
    establish();
    rekey();
    SaSet late = store_.sas();
    late.erase_child(7);
    EXPECT_EQ(image_.feed(second_.id.key, late).messages.size(), 2U);
    feed(second_);
    EXPECT_TRUE(last_.rebuilt);
    EXPECT_THAT(last_.messages,
                ElementsAre(build_ike_delete(second_.id), first_.add(), first_.update(),
                            first_.child(7, 8), second_.add({first_.id.key}), second_.update()));
}

TEST_F(CharonImageTest, AChildWaitsForItsMaker) {
    establish();
    SaSet early = store_.sas();
    early.erase(first_.id.key);
    EXPECT_THAT(image_.feed(first_.id.key, early).messages, IsEmpty());
    EXPECT_FALSE(image_.has_child(7));
    EXPECT_EQ(feed(first_).size(), 3U);
    EXPECT_TRUE(image_.has_child(7));
}

TEST_F(CharonImageTest, SuspicionIsARebuild) {
    establish();
    feed(first_);
    image_.suspect(first_.id.key);
    EXPECT_THAT(feed(first_), ElementsAre(build_ike_delete(first_.id), first_.add(),
                                          first_.update(), first_.child(7, 8)));
    EXPECT_THAT(feed(first_), IsEmpty());
}

TEST_F(CharonImageTest, WhatNoRecordNamesIsDeletedFirst) {
    establish();
    feed(first_);
    image_.suspect_unrecorded(second_.id);
    image_.suspect_unrecorded(first_.id);
    EXPECT_THAT(feed(first_), ElementsAre(build_ike_delete(first_.id), build_ike_delete(second_.id),
                                          first_.add(), first_.update(), first_.child(7, 8)));
    EXPECT_THAT(feed(second_), IsEmpty());
}

TEST_F(CharonImageTest, AnUnknownCharonIsOrderedToDeleteFirst) {
    establish();
    feed(first_);
    image_.forget();
    EXPECT_THAT(feed(first_), ElementsAre(build_ike_delete(first_.id), first_.add(),
                                          first_.update(), first_.child(7, 8)));
    EXPECT_THAT(feed(first_), IsEmpty());
}

TEST_F(CharonImageTest, AChildWhosePeerHasMovedIsARebuild) {
    establish();
    rekey();
    feed(second_);
    const PeerPath path{{parse_ip("203.0.113.9").value_or(IpAddress{}),
                         parse_ip("192.0.2.100").value_or(IpAddress{}), 7},
                        4500};
    EXPECT_THAT(store_.follow(path).ikes, testing::SizeIs(2)) << "its maker, too";
    const auto update_of = [this](const IkeSample& sample) {
        return store_.sas().find(sample.id.key)->updates.front();
    };
    EXPECT_THAT(feed(second_),
                ElementsAre(build_ike_delete(second_.id), first_.add(), update_of(first_),
                            first_.child(7, 8), second_.add({first_.id.key}), update_of(second_)));
    EXPECT_TRUE(last_.rebuilt);
    EXPECT_THAT(store_.follow(path).ikes, IsEmpty());
    EXPECT_THAT(feed(second_), IsEmpty());
}

TEST_F(CharonImageTest, ACharonThatServedHasWhatItReported) {
    establish();
    rekey();
    image_.assume(store_.sas());
    EXPECT_THAT(feed(second_), IsEmpty());
    EXPECT_TRUE(image_.has(second_.id.key));
    EXPECT_EQ(image_.sas().children.at(7).owner, second_.id.key);
}

}  // namespace charon_image_test
}  // namespace vpnha::ipsec
