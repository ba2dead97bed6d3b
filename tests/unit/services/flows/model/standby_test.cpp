// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/standby.hpp"

#include <gmock/gmock.h>

#include "support/flow_builder.hpp"

namespace vpnha::conntrack {
namespace standby_test {

using test::nat_tcp_flow;
using test::udp_flow;

TEST(StandbyTest, HotFlowsOutliveTheSilenceOfTheirRefreshes) {
    EXPECT_EQ(hot(udp_flow()).timeout_s, 7 * 24 * 3600U);
}

TEST(StandbyTest, TcpIsLiberalInBothDirectionsAndElseAsItWas) {
    const Flow flow = hot(nat_tcp_flow());
    ASSERT_TRUE(flow.tcp);
    EXPECT_EQ(flow.tcp->flags, (std::array<std::uint8_t, 2>{3 | kTcpLiberal, 3 | kTcpLiberal}));
    EXPECT_EQ(flow.tcp->scale, nat_tcp_flow().tcp->scale);
}

TEST(StandbyTest, AFlowContinuesWithoutWhatThisKernelMisses) {
    Flow flow = nat_tcp_flow();
    EXPECT_EQ(after(Answer::no_helper, flow), Next::give_up);
    EXPECT_EQ(after(Answer::no_parent, flow), Next::give_up);
    flow.helper = "ftp";
    flow.parent = udp_flow().key;
    EXPECT_EQ(after(Answer::no_helper, flow), Next::without_helper);
    EXPECT_EQ(after(Answer::no_parent, flow), Next::without_parent);
    EXPECT_EQ(after(Answer::once_more, flow), Next::again);
    EXPECT_EQ(after(Answer::refused, flow), Next::give_up);
    EXPECT_EQ(after(Answer::taken, flow), Next::done);
    EXPECT_EQ(after(Answer::exists, flow), Next::compare);
}

TEST(StandbyTest, AnotherFlowIsTheOneWithOtherTuples) {
    const Flow flow = nat_tcp_flow();
    EXPECT_EQ(compare(flow, std::nullopt, Live::changes), Resident::none);
    Flow resident = flow;
    resident.timeout_s = 1;
    resident.mark = 5;
    EXPECT_EQ(compare(flow, resident, Live::changes), Resident::same);
    EXPECT_EQ(compare(flow, resident, Live::stays), Resident::live);
    EXPECT_EQ(compare(flow, hot(resident), Live::stays), Resident::same);
    resident.reply.destination_part = 1;  // The same client port, mapped to another one.
    EXPECT_EQ(compare(flow, resident, Live::stays), Resident::other);
    resident = flow;
    resident.key.original.source_part = 1;  // Another client with the same mapping.
    EXPECT_EQ(compare(flow, resident, Live::stays), Resident::other);
}

}  // namespace standby_test
}  // namespace vpnha::conntrack
