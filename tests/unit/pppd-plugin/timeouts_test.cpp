// SPDX-License-Identifier: GPL-2.0-or-later
// Session-Timeout and Idle-Timeout, which the plugin has in pppd's place.
#include <gtest/gtest.h>

#include "protocols/ppp/backend/plugin_message.hpp"
#include "support/temporary_path.hpp"

extern "C" {
#include "message.h"
#include "timeouts.h"
#include "unit/pppd-plugin/fake_pppd.h"
}

namespace vpnha {
namespace plugin_timeouts_test {

// Of pppd.h.
constexpr int kNetwork = 7;
constexpr int kRunning = 8;
constexpr int kTerminate = 9;
constexpr int kExitIdle = 12;
constexpr int kExitConnectTime = 13;
// Of fake_pppd_negotiate().
constexpr int kSession = 7200;
constexpr int kIdle = 900;

class PppdTimeoutsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        fake_pppd_start("dialin", path_.c_str(), 0);
        fake_pppd_negotiate();
        fake_pppd_set_status(0);
    }
    void TearDown() override {
        fake_pppd_enter_phase(kTerminate);
        fake_pppd_exit();
    }

    std::string path_ = temporary_path("nobody.sock");
};

TEST_F(PppdTimeoutsTest, PppdArmsNoTimerOfItsOwn) {
    fake_pppd_enter_phase(kNetwork);
    EXPECT_EQ(fake_pppd_own_session_timeout(), kSession);
    fake_pppd_enter_phase(kRunning);
    EXPECT_EQ(fake_pppd_own_session_timeout(), 0);
    EXPECT_EQ(fake_pppd_own_idle_timeout(), 0);
    EXPECT_EQ(vpnha_timeouts_now().session_s, 7200U);
    EXPECT_EQ(vpnha_timeouts_now().idle_s, 900U);
    // For the next link of a pppd that persists.
    fake_pppd_enter_phase(kNetwork);
    EXPECT_EQ(fake_pppd_own_session_timeout(), kSession);
    EXPECT_EQ(fake_pppd_own_idle_timeout(), kIdle);
    EXPECT_EQ(fake_pppd_next_timer(), -1);
}

TEST_F(PppdTimeoutsTest, WithoutAGatewayPppdKeepsThem) {
    fake_pppd_start(nullptr, path_.c_str(), 0);
    fake_pppd_enter_phase(kRunning);
    EXPECT_EQ(fake_pppd_own_session_timeout(), kSession);
    EXPECT_EQ(fake_pppd_own_idle_timeout(), kIdle);
    EXPECT_EQ(fake_pppd_next_timer(), -1);
}

TEST_F(PppdTimeoutsTest, TheSessionsTimeEndsItAsPppdWould) {
    fake_pppd_enter_phase(kRunning);
    vpnha_change_timeouts({7200, 0});
    EXPECT_EQ(fake_pppd_next_timer(), 7200);
    fake_pppd_run_timer();
    EXPECT_EQ(fake_pppd_is_closed(), 1);
    EXPECT_EQ(fake_pppd_status(), kExitConnectTime);
}

TEST_F(PppdTimeoutsTest, IdlenessEndsItAsPppdWould) {
    fake_pppd_enter_phase(kRunning);
    EXPECT_EQ(fake_pppd_next_timer(), 900);
    fake_pppd_be_quiet(300);
    fake_pppd_run_timer();
    EXPECT_EQ(fake_pppd_next_timer(), 600);
    EXPECT_EQ(fake_pppd_is_closed(), 0);
    fake_pppd_be_quiet(900);
    fake_pppd_run_timer();
    EXPECT_EQ(fake_pppd_is_closed(), 1);
    EXPECT_EQ(fake_pppd_status(), kExitIdle);
}

TEST_F(PppdTimeoutsTest, IdlenessIsPppdsWhereAnotherPluginReportsWhatIsIdle) {
    fake_pppd_load_idle_hook();
    fake_pppd_enter_phase(kRunning);
    EXPECT_EQ(fake_pppd_own_idle_timeout(), kIdle);
    EXPECT_EQ(fake_pppd_next_timer(), kSession);
    EXPECT_EQ(vpnha_timeouts_now().idle_s, 900U);
}

TEST_F(PppdTimeoutsTest, AChangeCountsFromTheBeginAndFromTheLastPacket) {
    fake_pppd_enter_phase(kRunning);
    vpnha_change_timeouts({60, 0});
    EXPECT_EQ(fake_pppd_next_timer(), 60);
    vpnha_change_timeouts({0, 0});
    EXPECT_EQ(fake_pppd_next_timer(), -1);
    fake_pppd_be_quiet(50);
    vpnha_change_timeouts({0, 120});
    fake_pppd_run_timer();
    EXPECT_EQ(fake_pppd_next_timer(), 70);
    vpnha_change_timeouts({0, 50});
    fake_pppd_run_timer();
    EXPECT_EQ(fake_pppd_is_closed(), 1);
}

TEST_F(PppdTimeoutsTest, AChangeOfALinkThatIsDownIsNone) {
    vpnha_change_timeouts({60, 60});
    EXPECT_EQ(fake_pppd_next_timer(), -1);
    EXPECT_EQ(vpnha_timeouts_now().session_s, 7200U);
    // More than pppd's timers can wait for.
    fake_pppd_enter_phase(kRunning);
    vpnha_change_timeouts({0xffffffff, 0});
    EXPECT_EQ(fake_pppd_next_timer(), 0x7fffffff);
}

TEST_F(PppdTimeoutsTest, WhatVpnhadReportsIsReadByThePlugin) {
    const Bytes message = adapters::encode_plugin_change({0x01020304, 7}, {});
    EXPECT_EQ(to_hex(message), "00028500801200080102030400000007");
    const vpnha_answer answer = vpnha_parse_answer(message.data(), message.size());
    EXPECT_EQ(answer.kind, VPNHA_CHANGED);
    EXPECT_EQ(answer.timeouts.session_s, 0x01020304U);
    EXPECT_EQ(answer.timeouts.idle_s, 7U);
    EXPECT_EQ(answer.rate.length, 0);
    for (std::size_t length = 0; length < message.size(); ++length) {
        EXPECT_EQ(vpnha_parse_answer(message.data(), length).kind, VPNHA_MALFORMED) << length;
    }
}

TEST_F(PppdTimeoutsTest, ARateThatVpnhadReportsIsReadAsWell) {
    const Bytes message = adapters::encode_plugin_change({1, 2}, Rate{20'000'000, 5'000'000});
    EXPECT_EQ(to_hex(message),
              "0002850080120008"
              "0000000100000002"
              "80170011"
              "05"
              "0000000001312d00"
              "00000000004c4b40");
    const vpnha_answer answer = vpnha_parse_answer(message.data(), message.size());
    EXPECT_EQ(answer.kind, VPNHA_CHANGED);
    EXPECT_EQ(answer.timeouts.idle_s, 2U);
    EXPECT_EQ(answer.rate.kind, VPNHA_RATE_ORDERED);
    ASSERT_EQ(answer.rate.length, 16);
    EXPECT_EQ(to_hex(ByteView(answer.rate.octets, 16)), to_hex(message).substr(42));
    // What is cut off is none.
    const vpnha_answer cut = vpnha_parse_answer(message.data(), message.size() - 1);
    EXPECT_EQ(cut.kind, VPNHA_CHANGED);
    EXPECT_EQ(cut.rate.length, 0);
}

}  // namespace plugin_timeouts_test
}  // namespace vpnha
