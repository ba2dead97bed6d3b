// SPDX-License-Identifier: GPL-2.0-or-later
#include "tuning/texts.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "protocols/tables.hpp"
#include "services/flows/model/settings.hpp"
#include "support/contents_of.hpp"

namespace vpnha::tuning {
namespace texts_test {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(TextsTest, TheTableOfTheDocumentIsThatOfTheCode) {
    EXPECT_THAT(contents_of(VPNHA_SOURCE_DIR "/docs/operate/tuning.md"),
                HasSubstr("\n\n" + to_markdown(table()) + "\n"))
        << "replace the table by the output of: vpnha config tuning --markdown";
}

TEST(TextsTest, TheFileThatIsShippedIsThatOfTheCode) {
    EXPECT_EQ(contents_of(VPNHA_SOURCE_DIR "/nftables/vpnha-sysctl.conf"), to_sysctl_file(table()))
        << "run: vpnha config tuning --sysctl > nftables/vpnha-sysctl.conf";
}

// As systemd-sysctl reads it.
TEST(TextsTest, AMachineWithTheFileMissesNothingOfIt) {
    Machine machine;
    conntrack::Settings tracking{.ctnetlink = conntrack::Settings::Ctnetlink::there,
                                 .events = {},
                                 .max = {},
                                 .buckets = {},
                                 .count = 1,
                                 .conntrackd = {},
                                 .modules = {}};
    std::istringstream lines(to_sysctl_file(table()));
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 100U);
        if (line.empty() || line.front() == '#') {
            continue;
        }
        const std::size_t at = line.find(" = ");
        ASSERT_NE(at, std::string::npos) << line;
        machine.sysctls[line.substr(0, at)] = line.substr(at + 3);
    }
    const auto value = [&machine](const std::string& name) {
        return static_cast<std::uint32_t>(std::stoul(machine.sysctls.at("net." + name)));
    };
    for (const char* device : {"all", "default", "*"}) {
        machine.rp_filters[device] =
            std::to_string(value(std::string("ipv4.conf.") + device + ".rp_filter"));
    }
    tracking.events = value("netfilter.nf_conntrack_events");
    tracking.max = value("netfilter.nf_conntrack_max");
    tracking.buckets = value("netfilter.nf_conntrack_buckets");
    const Demand demand{.needs = {"dialled", "flows", "l2tp", "pptp"}, .devices = {"*"}};
    EXPECT_THAT(check(table(), demand, machine).list, IsEmpty());
    EXPECT_THAT(conntrack::check(tracking), IsEmpty());
}

}  // namespace texts_test
}  // namespace vpnha::tuning
