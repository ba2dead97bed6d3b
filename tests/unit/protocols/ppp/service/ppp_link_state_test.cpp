// SPDX-License-Identifier: GPL-2.0-or-later
// What pppd's scripts note, and the routes that they add, in a network namespace of the test's own;
// run as root.
#include "protocols/ppp/service/ppp_link_state.hpp"

#include <gmock/gmock.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>

#include "host/netlink/netlink_route.hpp"
#include "host/os/text_file.hpp"
#include "protocols/ppp/service/ppp_link_service.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace ppp_link_state_test {

using namespace std::chrono_literals;

class PppLinkStateTest : public testing::Test {
  protected:
    void SetUp() override {
        directory_ = temporary_path("ppp_link");
        std::filesystem::create_directories(directory_);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    static TimePoint at(Duration time) { return TimePoint(time); }

    std::string directory_;
};

TEST_F(PppLinkStateTest, ALinkThatWasNotStartedHasNone) {
    EXPECT_FALSE(read_ppp_link_state(directory_).has_value());
    EXPECT_FALSE(note_ppp_link(directory_, true, at(1s)).value().has_value());
    EXPECT_FALSE(read_ppp_link_state(directory_).has_value());
}

TEST_F(PppLinkStateTest, ReportsSinceWhenAndHowOften) {
    ASSERT_TRUE(begin_ppp_link_state(directory_, at(10s)).has_value());
    EXPECT_EQ(read_ppp_link_state(directory_),
              (PppLinkState{.is_up = false, .since = at(10s), .times_up = 0}));
    ASSERT_TRUE(note_ppp_link(directory_, true, at(12s)).value().has_value());
    ASSERT_TRUE(note_ppp_link(directory_, false, at(20s)).value().has_value());
    const auto change = note_ppp_link(directory_, true, at(25s)).value();
    ASSERT_TRUE(change.has_value());
    EXPECT_EQ(change->before, (PppLinkState{.is_up = false, .since = at(20s), .times_up = 1}));
    EXPECT_EQ(change->after, (PppLinkState{.is_up = true, .since = at(25s), .times_up = 2}));
    EXPECT_EQ(read_ppp_link_state(directory_), change->after);
}

TEST_F(PppLinkStateTest, TheSameNewsIsNone) {
    ASSERT_TRUE(begin_ppp_link_state(directory_, at(10s)).has_value());
    EXPECT_FALSE(note_ppp_link(directory_, false, at(11s)).value().has_value());
    EXPECT_EQ(read_ppp_link_state(directory_)->since, at(10s));
}

TEST_F(PppLinkStateTest, NothingIsNotedOfALinkThatIsStopped) {
    ASSERT_TRUE(begin_ppp_link_state(directory_, at(10s)).has_value());
    end_ppp_link_state(directory_);
    EXPECT_FALSE(note_ppp_link(directory_, true, at(11s)).value().has_value());
}

// The device is the loopback one: pppd's is there and up, too, when it calls.
TEST_F(PppLinkStateTest, RoutesAreThereBeforeTheLinkCountsAsUp) {
    ASSERT_EQ(::geteuid(), 0U) << "this test needs root";
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    auto netlink = RouteNetlink::open();
    ASSERT_TRUE(netlink.has_value());
    const auto device = static_cast<LinkIndex>(::if_nametoindex("lo"));
    ASSERT_TRUE(write_text(directory_ + "/routes", "10.1.0.0/16\n10.2.0.0/16\n").has_value());
    ASSERT_TRUE(begin_ppp_link_state(directory_, at(10s)).has_value());
    // Down: there is nothing that routes could go through.
    EXPECT_FALSE(notify_ppp_link(directory_, "lo", true).has_value());
    EXPECT_FALSE(read_ppp_link_state(directory_)->is_up);

    ASSERT_TRUE(netlink->set_link_up(device).has_value());
    ASSERT_TRUE(notify_ppp_link(directory_, "lo", true).has_value());
    EXPECT_TRUE(read_ppp_link_state(directory_)->is_up);
    for (const char* net : {"10.1.0.0/16", "10.2.0.0/16"}) {
        const TableRoute route{.destination = parse_ip_prefix(net).value(),
                               .via = std::nullopt,
                               .table = RT_TABLE_MAIN};
        EXPECT_TRUE(netlink->has_route(device, route).value_or(false)) << net;
    }
    ASSERT_TRUE(notify_ppp_link(directory_, "lo", false).has_value());
    EXPECT_FALSE(read_ppp_link_state(directory_)->is_up);
}

}  // namespace ppp_link_state_test
}  // namespace vpnha::adapters
