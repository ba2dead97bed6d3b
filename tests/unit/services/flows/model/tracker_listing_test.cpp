// SPDX-License-Identifier: GPL-2.0-or-later
// After lost news: the kernel's table is listed.
#include "unit/services/flows/model/replica_of_flows.hpp"

namespace vpnha::conntrack {
namespace tracker_listing_test {

using std::chrono::seconds;
using test::nat_tcp_flow;
using test::udp_flow;
using TrackerListingTest = ReplicaOfFlows;

TEST_F(TrackerListingTest, WhatIsNotListedIsErasedAndWhatIsNewIsReported) {
    tracker();
    changed(nat_tcp_flow(1));
    changed(nat_tcp_flow(2));
    tracker().begin_listing();
    EXPECT_EQ(listed(nat_tcp_flow(2)), Action::none);
    EXPECT_EQ(listed(nat_tcp_flow(3)), Action::emit);
    end_listing();
    EXPECT_FALSE(record(nat_tcp_flow(1)));
    EXPECT_TRUE(record(nat_tcp_flow(2)));
    EXPECT_TRUE(record(nat_tcp_flow(3)));
}

TEST_F(TrackerListingTest, TheTimeThatIsLeftIsNoNews) {
    tracker().begin_listing();
    changed(nat_tcp_flow());
    Flow later = nat_tcp_flow();
    later.timeout_s -= 1000;
    EXPECT_EQ(listed(later), Action::none);
    end_listing();
    EXPECT_EQ(record(later), nat_tcp_flow());
}

TEST_F(TrackerListingTest, NewsIsNewerThanTheList) {
    tracker();
    changed(nat_tcp_flow(1));
    Tracker& tracked = tracker();
    tracked.begin_listing();
    EXPECT_EQ(ended(nat_tcp_flow(1)), Action::erase);
    EXPECT_EQ(listed(nat_tcp_flow(1)), Action::none);   // Read before its end.
    EXPECT_EQ(changed(nat_tcp_flow(2)), Action::emit);  // Came behind the place that is read.
    EXPECT_EQ(ended(nat_tcp_flow(3)), Action::none);
    EXPECT_EQ(changed(nat_tcp_flow(3)), Action::emit);  // The same ports again.
    end_listing();
    EXPECT_FALSE(tracked.listing());
    EXPECT_FALSE(record(nat_tcp_flow(1)));
    EXPECT_TRUE(record(nat_tcp_flow(2)));
    EXPECT_TRUE(record(nat_tcp_flow(3)));
}

TEST_F(TrackerListingTest, WhatIsNotAssuredHasARecordAsLongAsItIsNeeded) {
    bool awaited = true;
    bool needed = true;
    tracker().heed(
        {[&](const FlowKey&) { return awaited; }, [&](const FlowKey&) { return needed; }});
    Flow asked = udp_flow();
    asked.status = kSeenReply;
    EXPECT_EQ(listed(asked), Action::emit);
    awaited = false;
    EXPECT_EQ(listed(asked), Action::none);
    needed = false;
    EXPECT_EQ(listed(asked), Action::erase);
    EXPECT_FALSE(record(asked));
}

TEST_F(TrackerListingTest, WhatIsLookedUpMeanwhileIsNewerThanTheListToo) {
    tracker();
    changed(nat_tcp_flow());
    tracker().begin_listing();
    Flow marked = nat_tcp_flow();
    marked.mark = 9;
    EXPECT_EQ(changed(marked), Action::emit);
    EXPECT_EQ(found(marked), Action::none);
    EXPECT_EQ(listed(nat_tcp_flow()), Action::look) << "read before both";
    EXPECT_EQ(found(marked), Action::none);
    end_listing();
    EXPECT_EQ(record(marked), marked);
}

TEST_F(TrackerListingTest, AListThatIsOlderThanTheNewsDoesNotMakeItNeedless) {
    tracker().begin_listing();
    EXPECT_EQ(changed(udp_flow()), Action::emit);
    Flow asked = udp_flow();
    asked.status = kSeenReply;
    EXPECT_EQ(listed(asked), Action::look);
    EXPECT_TRUE(record(udp_flow()));
}

TEST_F(TrackerListingTest, WhatIsListedOtherwiseThanItsEventReportedIsLookedAt) {
    tracker().begin_listing();
    Flow marked = nat_tcp_flow();
    marked.mark = 9;
    EXPECT_EQ(changed(marked), Action::emit);
    EXPECT_EQ(listed(nat_tcp_flow()), Action::look) << "read before the event";
    EXPECT_EQ(record(marked), marked);
    Flow newer = marked;
    newer.mark = 10;
    EXPECT_EQ(listed(newer), Action::emit) << "the answer";
    end_listing();
    EXPECT_EQ(record(newer), newer);
}

TEST_F(TrackerListingTest, AConnectionThatBeganAnewIsNotOverBecauseTheOldOneIsListed) {
    tracker().begin_listing();
    changed(nat_tcp_flow());
    Flow over = nat_tcp_flow();
    over.tcp->state = TcpState::time_wait;
    EXPECT_EQ(listed(over), Action::look);
    EXPECT_EQ(listed(nat_tcp_flow()), Action::none);
    end_listing();
    EXPECT_TRUE(record(nat_tcp_flow()));
}

TEST_F(TrackerListingTest, AListThatIsOlderThanAMarkIsCheckedBeforeItEndsARecord) {
    Policy policy;
    policy.mark = policy.mark_mask = 1;
    tracker(policy).begin_listing();
    Flow flow = nat_tcp_flow();
    flow.mark = 1;
    EXPECT_EQ(changed(flow), Action::emit);
    EXPECT_EQ(listed(nat_tcp_flow()), Action::look) << "without a mark yet";
    EXPECT_EQ(found(flow), Action::none);
    end_listing();
    EXPECT_EQ(record(flow), flow);
}

TEST_F(TrackerListingTest, WhatIsListedIsWhole) {
    tracker();
    Flow labelled = nat_tcp_flow();
    labelled.labels.emplace();
    labelled.labels->front() = 1;
    changed(labelled);
    EXPECT_EQ(listed(nat_tcp_flow()), Action::emit);
    EXPECT_EQ(record(labelled), nat_tcp_flow());
}

TEST_F(TrackerListingTest, AHeldBackFlowThatIsNotListedIsForgotten) {
    Policy policy;
    policy.delay = seconds(3);
    Tracker& tracked = tracker(policy);
    changed(udp_flow());
    tracked.begin_listing();
    end_listing();
    EXPECT_EQ(pass(seconds(3)), 0U);
}

TEST_F(TrackerListingTest, ListedFlowsAreNotHeldBack) {
    Policy policy;
    policy.delay = seconds(3);
    tracker(policy).begin_listing();
    EXPECT_EQ(listed(udp_flow()), Action::emit);
    end_listing();
    EXPECT_TRUE(record(udp_flow()));
}

}  // namespace tracker_listing_test
}  // namespace vpnha::conntrack
