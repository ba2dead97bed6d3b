// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/service/ppp_link_settings.hpp"

#include <gmock/gmock.h>

#include "protocols/ppp/service/ppp_link_dialler.hpp"

namespace vpnha::adapters {
namespace ppp_link_settings_test {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const PppLinkPlaces kPlaces{.directory = "/run/vpnha/link/office",
                            .up_program = "/x/link-up",
                            .down_program = "/x/link-down"};

PppLinkParameters parameters(const std::string& protocol = "pptp") {
    return {.protocol = protocol,
            .peer = "192.0.2.51",
            .user = "site one",
            .secret_file = "/etc/vpnha/office.secret",
            .routes = "10.1.0.0/16  10.2.0.0/24"};
}

PppLinkSettings settings(const PppLinkParameters& given = parameters()) {
    const auto parsed = parse_ppp_link("office", given);
    EXPECT_TRUE(parsed.has_value()) << parsed.error().detail;
    return parsed.value_or(PppLinkSettings{});
}

std::string refusal(const PppLinkParameters& given) {
    const auto parsed = parse_ppp_link("office", given);
    EXPECT_FALSE(parsed.has_value());
    if (parsed) {
        return {};
    }
    EXPECT_EQ(parsed.error().code, Errc::invalid_config);
    return parsed.error().detail;
}

TEST(PppLinkSettingsTest, PptpIsEncryptedUnlessSomebodyReportsOtherwise) {
    EXPECT_TRUE(settings().mppe);
    EXPECT_FALSE(settings(parameters("l2tp")).mppe);
    PppLinkParameters clear = parameters();
    clear.mppe = "refuse";
    EXPECT_FALSE(settings(clear).mppe);
}

TEST(PppLinkSettingsTest, RoutesAreNets) {
    EXPECT_EQ(ppp_link_routes_text(settings().routes), "10.1.0.0/16\n10.2.0.0/24\n");
    EXPECT_EQ(parse_ppp_link_routes(ppp_link_routes_text(settings().routes)).value(),
              settings().routes);
}

TEST(PppLinkSettingsTest, NamesTheParameterThatIsWrong) {
    struct Case {
        std::string PppLinkParameters::*member;
        const char* value;
        const char* words;
    };
    const Case cases[] = {
        {&PppLinkParameters::protocol, "sstp", "parameter protocol"},
        {&PppLinkParameters::protocol, "", "parameter protocol"},
        {&PppLinkParameters::peer, "", "parameter peer"},
        {&PppLinkParameters::peer, "-oProxy", "parameter peer"},
        {&PppLinkParameters::peer, "office;reboot", "parameter peer"},
        {&PppLinkParameters::peer, "$(reboot)", "parameter peer"},
        {&PppLinkParameters::peer, "2001:db8::1", "parameter peer"},
        {&PppLinkParameters::user, "", "parameter user"},
        {&PppLinkParameters::user, "a\npty \"reboot\"", "parameter user"},
        {&PppLinkParameters::secret_file, "", "parameter secret_file"},
        {&PppLinkParameters::secret_file, "secret", "parameter secret_file"},
        {&PppLinkParameters::secret_file, "/a b", "parameter secret_file"},
        {&PppLinkParameters::options_file, "/a\nb", "parameter options_file"},
        {&PppLinkParameters::interface, "a/b", "parameter interface"},
        {&PppLinkParameters::interface, "sixteen-letters-", "parameter interface"},
        {&PppLinkParameters::routes, "10.1.0.0", "10.1.0.0"},
        {&PppLinkParameters::routes, "2001:db8::/32", "parameter routes"},
        {&PppLinkParameters::routes, "10.1.0.1/16", "bits behind its length"},
        {&PppLinkParameters::routes, "192.0.2.0/24", "holds the peer itself"},
        {&PppLinkParameters::routes, "0.0.0.0/0", "holds the peer itself"},
        {&PppLinkParameters::mppe, "yes", "parameter mppe"},
        {&PppLinkParameters::mtu, "575", "parameter mtu"},
        {&PppLinkParameters::mtu, "1501", "parameter mtu"},
        {&PppLinkParameters::local_port, "0", "parameter local_port"},
    };
    for (const Case& each : cases) {
        PppLinkParameters given = parameters();
        given.*each.member = each.value;
        EXPECT_THAT(refusal(given), HasSubstr(each.words)) << each.value;
    }
    EXPECT_FALSE(parse_ppp_link(std::string(33, 'x'), parameters()).has_value());
    EXPECT_FALSE(parse_ppp_link("", parameters()).has_value());
}

TEST(PppLinkSettingsTest, AtMostSixtyFourRoutes) {
    PppLinkParameters given = parameters();
    given.routes.clear();
    for (int number = 0; number < 65; ++number) {
        given.routes += "10." + std::to_string(number) + ".0.0/16 ";
    }
    EXPECT_THAT(refusal(given), HasSubstr("at most 64"));
}

TEST(PppLinkOptionsTest, OfPptpAreRedialledByPppd) {
    const std::string text = ppp_link_options(settings(), kPlaces);
    EXPECT_THAT(text, AllOf(HasSubstr("\npersist\nmaxfail 0\nholdoff 5\n"),
                            HasSubstr("\npty \"/usr/sbin/pptp 192.0.2.51 "),
                            HasSubstr("\nlcp-echo-interval 10\nlcp-echo-failure 3\n"),
                            HasSubstr("\nuser \"site one\"\n"),
                            HasSubstr("\nfile /etc/vpnha/office.secret\n"),
                            HasSubstr("\nipparam /run/vpnha/link/office\n"),
                            HasSubstr("\nip-up-script /x/link-up\n"),
                            HasSubstr("\nrequire-mppe-128\n"), Not(HasSubstr("\nnoccp\n"))));
}

TEST(PppLinkOptionsTest, OfL2tpAreRedialledByXl2tpd) {
    const PppLinkSettings l2tp = settings(parameters("l2tp"));
    EXPECT_THAT(ppp_link_options(l2tp, kPlaces),
                AllOf(Not(HasSubstr("persist")), Not(HasSubstr("pty")), HasSubstr("\nnoccp\n")));
    EXPECT_THAT(l2tp.dialler->config(l2tp, kPlaces),
                AllOf(HasSubstr("\nlns = 192.0.2.51\n"), HasSubstr("\nredial = yes\n"),
                      HasSubstr("\npppoptfile = /run/vpnha/link/office/options\n")));
}

TEST(PppLinkOptionsTest, TheAgentsCountMoreThanTheAdministrators) {
    PppLinkParameters given = parameters();
    given.options_file = "/etc/ppp/more";
    EXPECT_THAT(ppp_link_options(settings(given), kPlaces), StartsWith("file /etc/ppp/more\n"));
}

TEST(PppLinkOptionsTest, AUserMayHaveQuotesAndBackslashes) {
    PppLinkParameters given = parameters();
    given.user = "SITE\\\"one\"";
    EXPECT_THAT(ppp_link_options(settings(given), kPlaces),
                HasSubstr("\nuser \"SITE\\\\\\\"one\\\"\"\n"));
}

// As stock pppd 2.4.9 and pptp 1.10.0 write them.
constexpr const char* kDials =
    "Renamed interface ppp0 to link0\nUsing interface link0\nConnect: link0 <--> /dev/pts/0\n";
constexpr const char* kRefused =
    "MS-CHAP authentication failed: Access denied\nCHAP authentication failed\n"
    "Connection terminated.\n";
constexpr const char* kNotOpen =
    "anon warn[open_inetsock:pptp_callmgr.c:352]: connect: Connection refused\n"
    "anon fatal[callmgr_main:pptp_callmgr.c:134]: Could not open control connection to 192.0.2.51\n"
    "anon fatal[open_callmgr:pptp.c:525]: Call manager exited with error 256\nModem hangup\n"
    "Connection terminated.\n";
constexpr const char* kUp =
    "CHAP authentication succeeded\nlocal  IP address 10.99.0.10\nremote IP address 10.99.0.1\n";

PppLinkTrouble trouble(const std::string& log) {
    return ppp_link_trouble(log, settings());
}

TEST(PppLinkTroubleTest, SilenceIsNoAnswer) {
    EXPECT_THAT(trouble("").why, HasSubstr("192.0.2.51 does not answer"));
    EXPECT_THAT(trouble(kDials).why, HasSubstr("192.0.2.51 does not answer"));
    EXPECT_FALSE(trouble(kDials).is_refusal);
}

TEST(PppLinkTroubleTest, ARefusedPasswordIsOne) {
    const PppLinkTrouble found = trouble(std::string(kDials) + kRefused);
    EXPECT_TRUE(found.is_refusal);
    EXPECT_THAT(found.why, AllOf(HasSubstr("refuses the user 'site one'"),
                                 HasSubstr("/etc/vpnha/office.secret")));
}

TEST(PppLinkTroubleTest, TheLastWordsCount) {
    EXPECT_THAT(trouble(std::string(kRefused) + kNotOpen).why, HasSubstr("no PPTP connection"));
    EXPECT_FALSE(trouble(std::string(kRefused) + kNotOpen).is_refusal);
    EXPECT_TRUE(trouble(std::string(kNotOpen) + kRefused).is_refusal);
}

TEST(PppLinkTroubleTest, WhatWasBeforeTheLinkCameUpIsHistory) {
    EXPECT_FALSE(trouble(std::string(kRefused) + kUp).is_refusal);
    EXPECT_THAT(trouble(std::string(kRefused) + kUp + "No response to 3 echo-requests\n").why,
                HasSubstr("has stopped answering"));
    EXPECT_THAT(trouble(std::string(kUp) + "LCP terminated by peer (MPPE disabled)\n").why,
                HasSubstr("has ended the link"));
}

}  // namespace ppp_link_settings_test
}  // namespace vpnha::adapters
