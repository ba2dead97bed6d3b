// SPDX-License-Identifier: GPL-2.0-or-later
// Calls that a promoted node cannot resume: their clients are notified.
#include "protocols/ppp/plugin_event.hpp"
#include "protocols/pptp/work.hpp"
#include "unit/protocols/pptp/keeper/pptp_calls_world.hpp"

namespace vpnha::keepers {
namespace pptp_calls_test {

TEST_F(PptpCallsTest, WhatCannotBeResumedIsEndedByTheSuccessor) {
    bring_up("its MPPE is not stateless");
    EXPECT_THAT(a_.answers_, ElementsAre(false));
    pass(seconds(1));
    EXPECT_THAT(a_.answers_, SizeIs(1));
    for (Place* const place : {&a_, &b_}) {
        ASSERT_THAT(place->keeper_.sessions({}), SizeIs(1));
        EXPECT_EQ(place->keeper_.sessions({})[0].state, SessionState::unprotected);
    }
    EXPECT_EQ(a_.keeper_.sessions({})[0].reason, "its MPPE is not stateless");
    EXPECT_EQ(b_.prepared_, 1);
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_THAT(b_.resumed_, ElementsAre(kKey));
    EXPECT_THAT(b_.ordered_to_end_, ElementsAre(kKey));
    EXPECT_EQ(b_.end_cause_, EndCause::lost_service);
    EXPECT_EQ(b_.keeper_.counts().at("sessions_lost"), 1U);
    b_.notify(node::CallEnded{kKey, "it ended", EndCause::lost_service}, now_);
    pass(seconds(1));
    EXPECT_THAT(b_.ordered_to_end_, SizeIs(1));
    EXPECT_EQ(b_.replica_.store().find(kRecord), nullptr);
}

TEST_F(PptpCallsTest, WhatCannotBeResumedIsEndedOnceItIsPrepared) {
    b_.answers_preparations_ = false;
    bring_up("its MPPE is not stateless");
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_THAT(b_.ordered_to_end_, IsEmpty());
    b_.notify(node::CallPrepared{kKey, b_.unanswered_, {}}, now_);
    settle();
    EXPECT_THAT(b_.ordered_to_end_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, ACallThatIsNotResumableAnyMoreIsEndedToo) {
    bring_up();
    bring_up("IPv6CP is open");
    EXPECT_THAT(a_.answers_, ElementsAre(true, false));
    EXPECT_EQ(b_.keeper_.sessions({})[0].state, SessionState::unprotected);
    demote(a_);
    promote(b_, 2, Duration::zero());
    settle();
    EXPECT_THAT(b_.ordered_to_end_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, ThoseThatCannotBeResumedAreEndedAtAPace) {
    constexpr int kCalls = 50;
    for (std::uint16_t i = 0; i < kCalls; ++i) {
        pptp::CallRecord record = sample_call();
        record.key.id = pptp::CallId{i};
        const node::PluginSession call =
            node::stock_session(node::StockCall{record, sample_numbers()});
        a_.notify(node::PluginUp{i, call, "IPv6CP is open", kNoReply}, now_);
    }
    pass(seconds(1));
    kill_a();
    promote(b_, 2, milliseconds(700));
    pass(milliseconds(200));
    EXPECT_THAT(b_.resumed_, SizeIs(kCalls));
    EXPECT_THAT(b_.ordered_to_end_.size(),
                ::testing::AllOf(::testing::Ge(15U), ::testing::Le(21U)));
    pass(milliseconds(500));
    EXPECT_THAT(b_.ordered_to_end_, SizeIs(kCalls));
}

TEST_F(PptpCallsTest, WhatCouldNotBePreparedIsGivenUpAtAPromotion) {
    b_.answers_preparations_ = false;
    bring_up();
    b_.notify(node::CallPrepared{kKey, b_.unanswered_, fail(Errc::limit, "no TUN device")}, now_);
    settle();
    EXPECT_EQ(b_.keeper_.sessions({})[0].state, SessionState::quarantined);
    EXPECT_EQ(a_.keeper_.sessions({})[0].state, SessionState::unprotected);
    kill_a();
    promote(b_, 2, std::nullopt);
    settle();
    EXPECT_EQ(b_.keeper_.counts().at("sessions_lost"), 1U);
    EXPECT_EQ(b_.replica_.store().find(kRecord), nullptr);
    EXPECT_THAT(b_.dismissed_, ElementsAre(kKey));
    EXPECT_EQ(b_.last_sequence_, sample_numbers().snd_nxt - 1);  // An old one is answered.
}

TEST_F(PptpCallsTest, WhatCouldNotBePreparedIsGivenUpOnceTheNodeMaySpeak) {
    b_.answers_preparations_ = false;
    bring_up();
    kill_a();
    promote(b_, 2, std::nullopt);
    b_.keeper_.pause(b_.effects_);
    b_.received_ = false;
    b_.notify(node::CallPrepared{kKey, b_.unanswered_, fail(Errc::limit, "no TUN device")}, now_);
    settle();
    EXPECT_THAT(b_.dismissed_, IsEmpty());
    EXPECT_NE(b_.replica_.store().find(kRecord), nullptr);
    b_.received_ = true;
    b_.keeper_.unpause(now_, b_.effects_);
    settle();
    EXPECT_THAT(b_.dismissed_, ElementsAre(kKey));
    EXPECT_EQ(b_.replica_.store().find(kRecord), nullptr);
}

}  // namespace pptp_calls_test
}  // namespace vpnha::keepers
