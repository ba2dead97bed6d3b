// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/service/xl2tpd_lns.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "protocols/l2tp/service/xl2tpd_service.hpp"
#include "protocols/l2tp/service/xl2tpd_service_config.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace xl2tpd_lns_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kGlobal = "[global]\nlisten-addr = 192.0.2.100\n";
const Ipv4Address kPeer{0xc0000233};

Ipv4Address address(const char* text) {
    return parse_ipv4(text).value();
}

Xl2tpdLns lns(const std::string& options) {
    const auto config = parse_xl2tpd_config(
        kGlobal + std::string("[lns default]\npppoptfile = /etc/ppp/a\n") + options, "xl2tpd.conf");
    EXPECT_TRUE(config.has_value());
    EXPECT_EQ(config->lns.size(), 1U);
    return config->lns.front();
}

std::string text(const std::optional<Ipv4Address>& found) {
    return found ? to_string(*found) : "none";
}

// control.c of xl2tpd 1.3.18, ICCN.
TEST(Xl2tpdLnsTest, GivesPppdWhatXl2tpdGivesIt) {
    const struct {
        const char* options;
        std::vector<std::string> expected;
    } cases[] = {
        {"", {"passive", "nodetach", ":10.0.0.9", "file", "/etc/ppp/a"}},
        {"local ip = 10.0.0.1\nrequire chap = yes\nrefuse pap = yes\nrequire authentication = "
         "yes\nname = vpn\nlength bit = yes\n",
         {"passive", "nodetach", "10.0.0.1:10.0.0.9", "refuse-pap", "auth", "require-chap", "name",
          "vpn", "file", "/etc/ppp/a"}},
        {"Require PAP = Y\nrequire auth = true\nunix authentication = yes\nppp debug = yes\n"
         "pass peer = yes\n",
         {"passive", "nodetach", ":10.0.0.9", "auth", "require-pap", "login", "debug", "file",
          "/etc/ppp/a", "ipparam", "192.0.2.51"}},
        {"require chap = yes\n", {"passive", "nodetach", ":10.0.0.9", "file", "/etc/ppp/a"}},
        {"refuse authentication = yes\n",
         {"passive", "nodetach", ":10.0.0.9", "refuse-pap", "refuse-chap", "file", "/etc/ppp/a"}},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(pppd_options(lns(c.options), address("10.0.0.9"), kPeer), c.expected)
            << c.options;
    }
    EXPECT_THAT(pppd_options(lns("local ip = 10.0.0.1\n"), std::nullopt, kPeer),
                ElementsAre("passive", "nodetach", "10.0.0.1:", "file", "/etc/ppp/a"));
}

TEST(Xl2tpdLnsTest, TakesTheLastAddressThatIsFree) {
    const struct {
        const char* options;
        const char* expected;
    } cases[] = {
        {"ip range = 10.0.0.2-10.0.0.9\n", "10.0.0.8"},
        {"ip range = 10.0.0.2 - 9\n", "10.0.0.8"},
        {"ip range = 10.0.0.3\n", "10.0.0.3"},
        {"ip range = 10.0.0.9\n", "none"},
        {"ip range = 10.0.0.2-10.0.0.9\nip range = 10.1.0.0-10.1.0.1\n", "10.1.0.1"},
        {"ip range = 10.0.0.2-10.0.0.9\nno ip range = 10.0.0.6-10.0.0.9\n", "10.0.0.5"},
        {"no ip range = 10.0.0.6-10.0.0.9\nip range = 10.0.0.2-10.0.0.9\n", "10.0.0.8"},
        {"ip range = 255.255.255.254-255.255.255.255\n", "255.255.255.255"},
        {"ip range = a-host-b\n", "none"},
        {"ip range = 10.0.0.9-10.0.0.2\n", "none"},
        {"", "none"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(text(last_free_address(lns(c.options), {address("10.0.0.9")})), c.expected)
            << c.options;
    }
}

TEST(Xl2tpdLnsTest, ASectionOfTheSameNameContinues) {
    const auto config = parse_xl2tpd_config(
        kGlobal + std::string("[lns a]\npppoptfile = /etc/ppp/a\n[lac x]\nlns = 192.0.2.9\n"
                              "[LNS A]\nname = vpn\n[lns b]\npppoptfile = /etc/ppp/b\n"),
        "xl2tpd.conf");
    ASSERT_TRUE(config.has_value());
    ASSERT_EQ(config->lns.size(), 2U);
    EXPECT_EQ(config->lns[0].name, "vpn");
    EXPECT_EQ(config->lns[1].options_file, "/etc/ppp/b");
}

class RunningLnsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::remove_all(root_);
        std::filesystem::create_directories(root_ + "/xl2tpd/dialin");
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    void write(const std::string& file, const std::string& content) const {
        std::ofstream(root_ + file) << content;
    }
    void start() const {
        write("/xl2tpd/dialin/started",
              "argument=/usr/sbin/xl2tpd\nargument=-D\nargument=-c\n"
              "argument=" +
                  root_ + "/xl2tpd.conf\n");
    }

    std::string root_ = temporary_path("running_lns");
};

TEST_F(RunningLnsTest, IsThatOfTheConfigurationThatXl2tpdWasStartedWith) {
    EXPECT_FALSE(running_lns("dialin", root_).has_value());
    start();
    write("/xl2tpd.conf",
          kGlobal + std::string("[lns default]\npppoptfile = /etc/ppp/a\nname = vpn\n"));
    const auto found = running_lns("dialin", root_);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->name, "vpn");
    EXPECT_FALSE(running_lns("another", root_).has_value());
}

TEST_F(RunningLnsTest, OfTwoOnlyXl2tpdKnowsWhoseIsWhich) {
    start();
    write("/xl2tpd.conf",
          kGlobal + std::string("[lns a]\npppoptfile = /a\n[lns b]\npppoptfile = /b\n"));
    const auto found = running_lns("dialin", root_);
    ASSERT_FALSE(found.has_value());
    EXPECT_THAT(found.error().detail, HasSubstr("2 sections [lns]"));
}

}  // namespace xl2tpd_lns_test
}  // namespace vpnha::adapters
