// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "unit/ocf/sample_agent.hpp"

namespace vpnha::ocf {
namespace metadata_test {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetadataTest, StatesVersionOneDotOneSoThatPacemakerUsesItsRoleNames) {
    EXPECT_THAT(metadata(sample_agent()), HasSubstr("<version>1.1</version>"));
}

TEST(MetadataTest, DeclaresWhatTheOldDtdMisses) {
    const std::string xml = metadata(sample_agent());
    EXPECT_THAT(xml, HasSubstr("<!ATTLIST parameter unique-group CDATA #IMPLIED"));
    EXPECT_THAT(xml, HasSubstr("<!ATTLIST action name CDATA #REQUIRED>"));
}

TEST(MetadataTest, EscapesTexts) {
    const std::string xml = metadata(sample_agent());
    EXPECT_THAT(xml, HasSubstr("Less &lt; more &amp; so on."));
    EXPECT_THAT(xml, HasSubstr("A &quot;sample&quot;"));
}

TEST(MetadataTest, DescribesParameters) {
    const std::string xml = metadata(sample_agent());
    EXPECT_THAT(xml, HasSubstr(R"(<parameter name="device" required="1" unique-group="device">)"));
    EXPECT_THAT(xml, HasSubstr(R"(<content type="integer" default="9600"/>)"));
}

TEST(MetadataTest, ReportsWhatNeedsNoRestart) {
    Agent agent = sample_agent();
    agent.parameters.front().reloadable = true;
    EXPECT_THAT(metadata(agent), HasSubstr(R"(unique-group="device" reloadable="1">)"));
    EXPECT_THAT(metadata(sample_agent()), Not(HasSubstr("reloadable=\"1\"")));
}

TEST(MetadataTest, MonitorsOfBothRolesHaveDifferentIntervals) {
    const std::string xml = metadata(sample_agent());
    EXPECT_THAT(xml, HasSubstr(R"(<action name="monitor" timeout="7s" interval="10s" depth="0" )"
                               R"(role="Promoted"/>)"));
    EXPECT_THAT(xml, HasSubstr(R"(interval="11s" depth="0" role="Unpromoted"/>)"));
}

TEST(MetadataTest, ReportsForWhichDepthAMonitorIs) {
    Agent agent = sample_agent();
    agent.actions = {{.name = "monitor", .interval_s = 60, .depth = 10}};
    EXPECT_THAT(metadata(agent), HasSubstr(R"(interval="60s" depth="10"/>)"));
}

TEST(MetadataTest, ListsTheFramesOwnActions) {
    const std::string xml = metadata(sample_agent());
    EXPECT_THAT(xml, HasSubstr(R"(<action name="meta-data" timeout="5s"/>)"));
    EXPECT_THAT(xml, HasSubstr(R"(<action name="validate-all" timeout="20s"/>)"));
    EXPECT_THAT(xml, Not(HasSubstr("promote\"")));
}

}  // namespace metadata_test
}  // namespace vpnha::ocf
