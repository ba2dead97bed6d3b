// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/daemons_check.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "protocols/l2tp/table.hpp"
#include "protocols/pptp/table.hpp"
#include "protocols/wireguard/table.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::runtime {
namespace daemons_check_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DaemonsCheckTest : public ::testing::Test {
  protected:
    DaemonsCheckTest() {
        std::filesystem::create_directories(folder_ / "ppp/peers");
        config::Gateway& gateway = config_.gateways.emplace_back();
        gateway.name = "dialin";
        gateway.outside.addresses = {host_prefix(*parse_ip("192.0.2.100"))};
        gateway.protocols.serve<l2tp::Table>().ppp_options = options();
        write("ppp/options.dialin", "plugin vpnha.so\nvpnha_gateway dialin\n");
    }
    ~DaemonsCheckTest() override { std::filesystem::remove_all(folder_); }

    std::string options() const { return folder_ / "ppp/options.dialin"; }
    void write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name) << text;
    }
    void start_xl2tpd(const std::string& listen, const std::string& port,
                      const std::string& options_file) const {
        write("run/xl2tpd/dialin/started", "resource=xl2tpd\nlisten=" + listen + "\nport=" + port +
                                               "\noptions_file=" + options_file +
                                               "\nargument=/usr/sbin/xl2tpd\n");
    }
    DaemonsCheck found() const {
        return find_in_daemons(config_, {.run_root = folder_ / "run", .ppp = folder_ / "ppp"});
    }

    std::filesystem::path folder_ = temporary_path("daemons");
    config::Config config_;
};

TEST_F(DaemonsCheckTest, APppdWithoutThePluginIsNamed) {
    EXPECT_THAT(found().wrong, IsEmpty());
    for (const char* without :
         {"", "# plugin vpnha.so\nvpnha_gateway dialin\n", "plugin radius.so\n", "plugin"}) {
        write("ppp/options.dialin", without);
        EXPECT_THAT(found().wrong, ElementsAre(HasSubstr("has no 'plugin vpnha.so'"))) << without;
    }
    write("ppp/options", "plugin /usr/lib/pppd/2.4.9/vpnha.so\n");
    EXPECT_THAT(found().wrong, ElementsAre(HasSubstr("has no 'vpnha_gateway'")));
}

TEST_F(DaemonsCheckTest, FilesThatAPromotionWouldReadAreRead) {
    wireguard::Table& table = config_.gateways[0].protocols.serve<wireguard::Table>();
    table.private_key = folder_ / "wireguard.key";
    table.peers = folder_ / "peers.conf";
    EXPECT_THAT(found().unread, ElementsAre(HasSubstr("wireguard.key"), HasSubstr("peers.conf")));
    write("wireguard.key", "iB4W7HfeVaOENONYscYMVzlqj731utf0MFLAfIEwvXU=\n");
    write("peers.conf", "[Peer]\nPublicKey = HSRxk9WsepTyfN5GAjpMVYpuLjpMtRc3LhWwWxh+JVk=\n");
    EXPECT_THAT(found().unread, IsEmpty());
    EXPECT_THAT(found().wrong, IsEmpty());
    write("wireguard.key", "no key\n");
    write("peers.conf", "[Peer]\nAdress = 10.200.9.7\n");
    EXPECT_THAT(found().wrong,
                ElementsAre(HasSubstr("wireguard.key has no key"), HasSubstr("peers.conf:1: "),
                            HasSubstr("peers.conf:2: [Peer] has no key 'Adress'")));
}

TEST_F(DaemonsCheckTest, TheGatewayIsTheLastOneThatPppdReads) {
    write("ppp/options.dialin", "plugin vpnha.so vpnha_gateway dialin vpnha_gateway other");
    EXPECT_THAT(found().wrong, ElementsAre(HasSubstr("has 'vpnha_gateway other'")));
    write("ppp/options", "vpnha_gateway other\n");
    write("ppp/options.dialin", "plugin \"vpnha.so\" # the plugin\n vpnha_gateway 'dial'\\in");
    EXPECT_THAT(found().wrong, IsEmpty());
}

TEST_F(DaemonsCheckTest, WhatAFileIncludesCounts) {
    write("ppp/options.dialin", "file " + (folder_ / "more").string() + "\ncall dialin\n");
    write("more", "plugin vpnha.so\nfile " + options() + "\n");
    write("ppp/peers/dialin", "vpnha_gateway dialin\n");
    EXPECT_THAT(found().wrong, IsEmpty());
}

TEST_F(DaemonsCheckTest, ADaemonInAnotherNetworkThanItsGatewayIsNamed) {
    const auto start_in = [this](const std::string& line) {
        write("run/charon/dialin/started", "resource=charon\n" + line + "argument=charon\n");
    };
    start_in("");
    EXPECT_THAT(found().wrong, IsEmpty());
    config_.gateways[0].netns = "east";
    EXPECT_THAT(found().wrong,
                ElementsAre("gateway dialin: charon runs in the host's network namespace, and the "
                            "gateway is in the network namespace 'east'; start its resource again "
                            "on this node"));
    start_in("netns=east\n");
    EXPECT_THAT(found().wrong, IsEmpty());
}

TEST_F(DaemonsCheckTest, AFileThatIsNotThereIsNotLookedAt) {
    config_.gateways[0].protocols.serve<pptp::Table>().ppp_options = folder_ / "nothing";
    EXPECT_THAT(found().wrong, IsEmpty());
    EXPECT_THAT(found().unread, ElementsAre(HasSubstr("nothing of pptpd")));
}

TEST_F(DaemonsCheckTest, ADaemonThatListensElsewhereIsNamed) {
    start_xl2tpd("192.0.2.100", "1701", options());
    EXPECT_THAT(found().wrong, IsEmpty());
    start_xl2tpd("192.0.2.100", "1702", options());
    EXPECT_THAT(found().wrong,
                ElementsAre(HasSubstr("gateway dialin: xl2tpd listens at 192.0.2.100:1702, and "
                                      "sessions are recorded with 192.0.2.100:1701")));
    start_xl2tpd("192.0.2.101", "1701", options());
    EXPECT_THAT(found().wrong, ElementsAre(HasSubstr("listens at 192.0.2.101:1701")));
}

TEST_F(DaemonsCheckTest, APptpdIsLookedAtByItsAddress) {
    config_.gateways[0].protocols.serve<pptp::Table>().ppp_options = options();
    write("run/pptpd/dialin/started", "resource=pptpd\nlisten=192.0.2.100\nargument=pptpd\n");
    EXPECT_THAT(found().wrong, IsEmpty());
    write("run/pptpd/dialin/started", "resource=pptpd\nlisten=192.0.2.9\nargument=pptpd\n");
    EXPECT_THAT(found().wrong, ElementsAre(HasSubstr("pptpd listens at 192.0.2.9, ")));
}

TEST_F(DaemonsCheckTest, AnotherFileOfOptionsThanTheConfigurationsIsNamed) {
    start_xl2tpd("192.0.2.100", "1701", "/etc/ppp/other");
    EXPECT_THAT(found().wrong, ElementsAre(HasSubstr("starts pppd with /etc/ppp/other")));
}

}  // namespace daemons_check_test
}  // namespace vpnha::runtime
