// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/radius_check.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "protocols/l2tp/table.hpp"
#include "support/contents_of.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::runtime {
namespace radius_check_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// As iproute2 6.1 prints them.
constexpr const char* kAddresses =
    "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
    "2: eth0    inet 10.77.1.1/24 brd 10.77.1.255 scope global eth0\\       valid_lft forever\n"
    "3: eth1    inet 192.0.2.11/24 brd 192.0.2.255 scope global eth1\\       valid_lft forever\n"
    "3: eth1    inet6 2001:db8::11/64 scope global \\       valid_lft forever\n";
constexpr const char* kPolicies =
    "src 198.51.100.11/32 dst 198.51.100.5/32 proto udp dport 1812 \n"
    "\tdir out priority 366848 ptype main \n"
    "\ttmpl src 0.0.0.0 dst 0.0.0.0\n"
    "\t\tproto esp reqid 1 mode transport\n"
    "src 0.0.0.0/0 dst 203.0.113.0/24 \n"
    "\tdir out action block priority 1 ptype main \n";

GuardedWays ways() {
    return {kAddresses, {"10.77.1.1", ""}, kPolicies};
}

bool lead_to(const char* server, std::uint16_t port = 1812) {
    return ways().lead_to(*parse_ip(server), port);
}

class RadiusCheckTest : public ::testing::Test {
  protected:
    RadiusCheckTest() {
        std::filesystem::create_directories(folder_);
        config::Gateway& gateway = config_.gateways.emplace_back();
        gateway.name = "dialin";
        gateway.protocols.serve<l2tp::Table>().ppp_options = folder_ / "options.dialin";
        write("options.dialin", "plugin radius.so\nradius-config-file " + servers() + "\n");
    }
    ~RadiusCheckTest() override { std::filesystem::remove_all(folder_); }

    std::string servers() const { return folder_ / "radiusclient.conf"; }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
    }
    RadiusCheck found() const { return find_in_radius(config_, ways(), folder_); }

    std::filesystem::path folder_ = temporary_path("radius");
    config::Config config_;
};

TEST(GuardedWaysTest, LoopbackAndTheClustersLinksAreGuarded) {
    EXPECT_TRUE(lead_to("127.0.0.1"));
    EXPECT_TRUE(lead_to("10.77.1.200"));
    EXPECT_FALSE(lead_to("10.77.2.200"));
    EXPECT_FALSE(lead_to("192.0.2.5")) << "on a link of the clients";
    EXPECT_FALSE(lead_to("2001:db8::5"));
}

TEST(GuardedWaysTest, APolicyGuardsItsPortWhereItHasEsp) {
    EXPECT_TRUE(lead_to("198.51.100.5"));
    EXPECT_FALSE(lead_to("198.51.100.5", 1645));
    EXPECT_FALSE(lead_to("198.51.100.6"));
    EXPECT_FALSE(lead_to("203.0.113.5")) << "it blocks, and encrypts nothing";
}

TEST_F(RadiusCheckTest, AServerThatAnybodyMayPretendToBeIsNamed) {
    write("radiusclient.conf",
          "# authserver 192.0.2.9\nauthserver 192.0.2.5:1645,10.77.1.5\n"
          "authserver localhost\nacctserver 192.0.2.6\n");
    EXPECT_THAT(found().warnings,
                ElementsAre(AllOf(HasSubstr("gateway dialin: radius.so asks 192.0.2.5 of"),
                                  HasSubstr("The way to the authentication server"))));
}

TEST_F(RadiusCheckTest, TheDocumentHasWhatItRefersTo) {
    EXPECT_THAT(contents_of(VPNHA_DOCS_DIR "/operate/radius.md"),
                HasSubstr("\n### The way to the authentication server\n"));
}

TEST_F(RadiusCheckTest, ANameIsNotCompared) {
    write("radiusclient.conf", "authserver radius.example.net\n");
    EXPECT_THAT(found().warnings, ElementsAre(HasSubstr("a name")));
}

TEST_F(RadiusCheckTest, WithoutThePluginNothingIsLookedAt) {
    write("radiusclient.conf", "authserver 192.0.2.5\n");
    EXPECT_TRUE(uses_radius(config_, folder_));
    write("options.dialin", "plugin vpnha.so\n");
    EXPECT_THAT(found().warnings, IsEmpty());
    EXPECT_FALSE(uses_radius(config_, folder_));
}

TEST_F(RadiusCheckTest, AFileThatIsNotThereIsReported) {
    EXPECT_THAT(found().unread, ElementsAre(servers()));
}

}  // namespace radius_check_test
}  // namespace vpnha::runtime
