// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/scripts/backend/script_queue.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <vector>

#include "base/limits.hpp"

namespace vpnha::runtime {
namespace script_queue_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

wire::RecordKey key(std::uint16_t number) {
    return {wire::RecordType::l2tp_session,
            wire::RecordId(
                Bytes{static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)})};
}

class ScriptQueueTest : public ::testing::Test {
  protected:
    void up(std::uint16_t number, const std::string& interface = "vpnha0", bool ipv6 = false) {
        ScriptQueue::Subject subject{interface, {}};
        if (ipv6) {
            subject.facts.ipv6 = ppp::Ipv6Identifiers{1, 2};
        }
        EXPECT_TRUE(queue_.up(key(number), subject));
    }
    void down(std::uint16_t number) { queue_.down(key(number)); }
    // What begins now: "1 ip-up vpnha0".
    std::vector<std::string> begun() {
        std::vector<std::string> runs;
        while (const auto next = queue_.take()) {
            runs.push_back(fmt::format("{} {} {}", ByteReader(next->session.id.view()).u16(),
                                       adapters::name_of(next->call.script), next->call.interface));
        }
        return runs;
    }
    void finish(std::uint16_t number) { queue_.finish(key(number)); }

    ScriptQueue queue_;
};

TEST_F(ScriptQueueTest, Ipv6FollowsAndGoesFirst) {
    up(1, "vpnha0", true);
    EXPECT_THAT(begun(), ElementsAre("1 ip-up vpnha0"));
    finish(1);
    EXPECT_THAT(begun(), ElementsAre("1 ipv6-up vpnha0"));
    finish(1);
    EXPECT_THAT(begun(), IsEmpty());
    down(1);
    EXPECT_THAT(begun(), ElementsAre("1 ipv6-down vpnha0"));
    finish(1);
    EXPECT_THAT(begun(), ElementsAre("1 ip-down vpnha0"));
    finish(1);
    EXPECT_THAT(begun(), IsEmpty());
    EXPECT_EQ(queue_.busy(), 0U);
}

TEST_F(ScriptQueueTest, ThoseOfOneSessionNeverRunTogether) {
    up(1);
    EXPECT_THAT(begun(), ElementsAre("1 ip-up vpnha0"));
    down(1);
    EXPECT_THAT(begun(), IsEmpty());
    finish(1);
    EXPECT_THAT(begun(), ElementsAre("1 ip-down vpnha0"));
    up(1);
    EXPECT_THAT(begun(), IsEmpty());
    finish(1);
    EXPECT_THAT(begun(), ElementsAre("1 ip-up vpnha0"));
}

TEST_F(ScriptQueueTest, WhatEndsBeforeItsTurnRunsNone) {
    up(1);
    down(1);
    EXPECT_THAT(begun(), IsEmpty());
    EXPECT_EQ(queue_.busy(), 0U);
    down(1);
    EXPECT_THAT(begun(), IsEmpty());
}

TEST_F(ScriptQueueTest, WhatComesBackBeforeItIsDownStaysUp) {
    up(1);
    EXPECT_THAT(begun(), ElementsAre("1 ip-up vpnha0"));
    finish(1);
    down(1);
    up(1);
    EXPECT_THAT(begun(), IsEmpty());
    down(1);
    EXPECT_THAT(begun(), ElementsAre("1 ip-down vpnha0"));
}

TEST_F(ScriptQueueTest, WithAnotherInterfaceItIsDownWithTheOldOneBefore) {
    up(1, "vpnha0", true);
    EXPECT_THAT(begun(), ElementsAre("1 ip-up vpnha0"));
    down(1);
    up(1, "vpnha9", true);
    finish(1);
    EXPECT_THAT(begun(), ElementsAre("1 ip-down vpnha0"));
    finish(1);
    EXPECT_THAT(begun(), ElementsAre("1 ip-up vpnha9"));
    finish(1);
    EXPECT_THAT(begun(), ElementsAre("1 ipv6-up vpnha9"));
}

// A demotion killed its pppd; later the session may come back.
TEST_F(ScriptQueueTest, WhatItsPppdHasDoneIsUndone) {
    ScriptQueue::Subject subject{"ppp0", {}};
    subject.facts.ipv6 = ppp::Ipv6Identifiers{1, 2};
    EXPECT_TRUE(queue_.stock_down(key(1), subject));
    up(1, "vpnha3");
    EXPECT_THAT(begun(), ElementsAre("1 ipv6-down ppp0"));
    finish(1);
    EXPECT_THAT(begun(), ElementsAre("1 ip-down ppp0"));
    finish(1);
    EXPECT_THAT(begun(), ElementsAre("1 ip-up vpnha3"));
}

TEST_F(ScriptQueueTest, AFewRunAtOnceAndWhatGoesDownIsFirst) {
    up(1);
    EXPECT_THAT(begun(), ElementsAre("1 ip-up vpnha0"));
    finish(1);
    for (std::uint16_t number = 2; number < 9; ++number) {
        up(number);
    }
    EXPECT_EQ(begun().size(), limits::kScriptsAtOnce);
    down(1);
    EXPECT_THAT(begun(), IsEmpty());
    EXPECT_EQ(queue_.waiting(), 4U);
    finish(2);
    EXPECT_THAT(begun(), ElementsAre("1 ip-down vpnha0"));
    finish(3);
    EXPECT_THAT(begun(), ElementsAre("6 ip-up vpnha0"));
}

TEST_F(ScriptQueueTest, WhatIsTooManyIsRefused) {
    const auto each = [](std::uint32_t number) {
        ByteWriter id;
        id.u32(number);
        return wire::RecordKey{wire::RecordType::l2tp_session, wire::RecordId(id.view())};
    };
    for (std::uint32_t i = 0; i < limits::kScriptedSessionsMax; ++i) {
        ASSERT_TRUE(queue_.up(each(i), {"vpnha0", {}}));
    }
    EXPECT_TRUE(queue_.up(each(0), {"vpnha1", {}})) << "it is known";
    EXPECT_FALSE(queue_.up(each(0xffff'ffff), {"vpnha0", {}}));
}

}  // namespace script_queue_test
}  // namespace vpnha::runtime
