// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ike_login.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace vpnha::probe {
namespace ike_login_test {

using ::testing::HasSubstr;

TEST(IkeLoginTest, TheProbeSetsWhomToAskAndThatNoSaOfEspIsMade) {
    const std::string settings = ike_settings(2, "192.0.2.100", "%any");
    EXPECT_THAT(settings, HasSubstr("probe {"));
    for (const char* const line :
         {"version = 2\n", "remote_addrs = 192.0.2.100\n", "local_addrs = %any\n",
          "childless = force\n", "keyingtries = 1\n"}) {
        EXPECT_THAT(settings, HasSubstr(line));
    }
}

TEST(IkeLoginTest, ForL2tpAnSaInTransportModeIsAskedFor) {
    const std::string settings = ike_settings(1, "192.0.2.100", "198.18.0.1", true);
    for (const char* const line :
         {"version = 1\n", "encap = yes\n", "mode = transport\n", "dynamic[udp/1701]\n"}) {
        EXPECT_THAT(settings, HasSubstr(line));
    }
    EXPECT_THAT(settings, ::testing::Not(HasSubstr("childless")));
    EXPECT_EQ(std::ranges::count(settings, '{'), std::ranges::count(settings, '}'));
}

TEST(IkeLoginTest, TheLastWordsOfCharonAreTheReason) {
    const Error refused = ike_refusal(
        "[IKE] initiating IKE_SA probe[1] to 192.0.2.100\n[NET] sending packet\n"
        "[IKE] authentication of 'probe@example.org' (myself) with pre-shared key\n"
        "[IKE] received AUTHENTICATION_FAILED notify error\n[ENC] parsed\n");
    EXPECT_EQ(refused.code, Errc::unreachable);
    EXPECT_EQ(refused.detail, "refuses the login (received AUTHENTICATION_FAILED notify error)");
    const Error silent = ike_refusal(
        "[IKE] giving up after 6 retransmits\n"
        "[IKE] establishing IKE_SA failed, peer not responding\n");
    EXPECT_EQ(silent.code, Errc::timeout);
    EXPECT_EQ(silent.detail, "login was not answered");
    EXPECT_EQ(ike_refusal("").detail, "refuses the login");
}

TEST(IkeLoginTest, FindsWhetherTheAccountAsksForAnAddress) {
    EXPECT_TRUE(wants_address("connections {\n  probe {\n    vips = 0.0.0.0\n  }\n}"));
    EXPECT_FALSE(wants_address("connections {\n  probe {\n    # vips = 0.0.0.0\n  }\n}"));
    EXPECT_FALSE(wants_address(""));
}

TEST(IkeLoginTest, AnAccountThatOthersCanReadIsNoAccount) {
    const auto path = find_path("127.0.0.1", 500, "");
    ASSERT_TRUE(path);
    const Outcome outcome = log_in_by_ike(2, *path, "/etc/passwd", std::chrono::seconds(5));
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->code, Errc::permission);
}

}  // namespace ike_login_test
}  // namespace vpnha::probe
