// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/announced_prefixes.hpp"

#include <gmock/gmock.h>

#include "host/os/boot_clock.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace announced_prefixes_test {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::ip_command;
using testing::output_of;
using testing::prefix;

class AnnouncedPrefixesTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        auto route = RouteNetlink::open();
        ASSERT_TRUE(route);
        announced_.emplace(std::move(*route), "out0",
                           std::vector{prefix("203.0.113.9/32"), prefix("10.8.0.0/24"),
                                       prefix("2001:db8:8::/48")});
    }
    void expect_turn(bool is_served, TimePoint now) {
        const auto done = announced_->turn(is_served, now);
        ASSERT_TRUE(done) << done.error().detail;
    }
    static int present() {
        const std::string shown = output_of("ip -o addr show dev out0");
        int found = 0;
        for (const char* each : {"203.0.113.9/32", "10.8.0.0/24", "2001:db8:8::/48"}) {
            found += shown.find(each) != std::string::npos ? 1 : 0;
        }
        return found;
    }
    // Of those that are lent.
    static std::string lifetimes() {
        return output_of("ip addr show dev out0 | grep -o 'valid_lft [0-9]*sec' | sort -u");
    }

    std::optional<AnnouncedPrefixes> announced_;
    static constexpr TimePoint kNow{1h};
};

TEST_F(AnnouncedPrefixesTest, AreThereWhileTheGatewayIsServed) {
    expect_turn(false, kNow);
    EXPECT_EQ(present(), 0);
    expect_turn(true, kNow);
    EXPECT_EQ(present(), 3);
    expect_turn(false, kNow);
    EXPECT_EQ(present(), 0) << "at once";
    expect_turn(true, kNow + 1ms);
    EXPECT_EQ(present(), 3) << "served again at once";
    expect_turn(false, kNow + 2ms);
    EXPECT_THAT(output_of("ip -o addr show dev out0"), HasSubstr("192.0.2.1/24"));
}

TEST_F(AnnouncedPrefixesTest, TheKernelTakesThemAwayFromAProgramThatDoesNothingAnyMore) {
    expect_turn(true, kNow);
    EXPECT_EQ(lifetimes(), "valid_lft 2sec\n");
    const TimePoint lent_at = boot_time();
    while (present() > 0 && boot_time() < lent_at + 10s) {
        ::usleep(10000);
    }
    EXPECT_EQ(present(), 0);
    EXPECT_GE(boot_time() - lent_at, 1s);
    EXPECT_LE(boot_time() - lent_at, 4s);
}

TEST_F(AnnouncedPrefixesTest, AreLentAgainEachHalfSecond) {
    expect_turn(true, kNow);
    ASSERT_TRUE(ip_command("addr del 203.0.113.9/32 dev out0"));
    expect_turn(true, kNow + AnnouncedPrefixes::kRenewal - 1ms);
    EXPECT_EQ(present(), 2) << "not yet";
    expect_turn(true, kNow + AnnouncedPrefixes::kRenewal);
    EXPECT_EQ(present(), 3);
}

TEST_F(AnnouncedPrefixesTest, OfAnEarlierProgramGoAtTheFirstTurn) {
    ASSERT_TRUE(ip_command("addr add 203.0.113.9/32 dev out0"));
    expect_turn(false, kNow);
    EXPECT_EQ(present(), 0);
}

TEST_F(AnnouncedPrefixesTest, AnErrorIsTriedAgainAtTheNextTurn) {
    ASSERT_TRUE(ip_command("link set out0 name other0"));
    EXPECT_EQ(announced_->turn(true, kNow).error().code, Errc::not_found);
    ASSERT_TRUE(ip_command("link set other0 name out0"));
    expect_turn(true, kNow + 100ms);
    EXPECT_EQ(present(), 3);
    ASSERT_TRUE(ip_command("link delete out0"));
    expect_turn(false, kNow + 200ms);
}

TEST_F(AnnouncedPrefixesTest, ADeviceOutsideOfAVrfIsRefused) {
    auto route = RouteNetlink::open();
    ASSERT_TRUE(route);
    const auto alone = AnnouncedPrefixes::check(*route, "out0");
    ASSERT_FALSE(alone);
    EXPECT_THAT(alone.error().detail, HasSubstr("out0 is in no VRF"));
    const auto missing = AnnouncedPrefixes::check(*route, "gone0");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().detail, HasSubstr("no device gone0"));
}

}  // namespace announced_prefixes_test
}  // namespace vpnha::adapters
