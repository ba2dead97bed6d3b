// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/constraints.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>

namespace vpnha::runtime {
namespace constraints_test {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// 2026-11-26 08:00:00Z.
constexpr std::chrono::sys_seconds kNow{std::chrono::seconds(1'795'680'000)};

std::string cib(const std::string& constraints) {
    return fmt::format(R"(<configuration>
  <resources>
    <clone id="checkpoint-clone">
      <meta_attributes id="checkpoint-clone-meta_attributes"/>
      <primitive id="checkpoint" class="ocf" provider="vpnha" type="checkpoint">
        <operations><op id="checkpoint-start-0" name="start" interval="0"/></operations>
      </primitive>
    </clone>
    <template id="gateways" class="ocf" provider="vpnha" type="checkpoint"/>
    <clone id="second-clone"><primitive id="second" template="gateways"/></clone>
    <clone id="xl2tpd-clone">
      <primitive id="xl2tpd" class="ocf" provider="vpnha" type="xl2tpd"/>
    </clone>
    <primitive id="printer" class="ocf" provider="heartbeat" type="Dummy"/>
  </resources>
  <constraints>
    <rsc_colocation id="gateway-with-xl2tpd" score="10000" rsc="checkpoint-clone"
                    rsc-role="Promoted" with-rsc="xl2tpd-clone" with-rsc-role="Started"/>
    {}
  </constraints>
</configuration>)",
                       constraints);
}

std::vector<ConstraintFinding> found(const std::string& constraints) {
    return find_in_constraints(cib(constraints), kNow).value();
}

TEST(ConstraintsTest, TheTemplatesOverrideNothing) {
    EXPECT_THAT(found(""), IsEmpty());
    EXPECT_THAT(found(R"(<rsc_location id="a" rsc="checkpoint-clone" score="50" node="gw1"/>)"),
                IsEmpty());
    EXPECT_THAT(found(R"(<rsc_location id="a" rsc="printer" score="INFINITY" node="gw1"/>)"),
                IsEmpty());
    EXPECT_THAT(found(R"(<rsc_colocation id="a" rsc="checkpoint-clone" rsc-role="Promoted")"
                      R"( with-rsc="xl2tpd-clone" score="INFINITY"/>)"),
                IsEmpty());
}

TEST(ConstraintsTest, WhatAMoveHasLeftIsNamedWithItsNodeAndItsEnd) {
    for (const char* role :
         {R"( role="Promoted")", R"( role="Started")", R"( role="master")", ""}) {
        const auto findings = found(
            fmt::format(R"(<rsc_location id="cli-prefer-checkpoint-clone" rsc="checkpoint-clone")"
                        R"({} node="gw3" score="INFINITY"/>)",
                        role));
        ASSERT_THAT(findings, SizeIs(1)) << role;
        EXPECT_FALSE(findings[0].is_intended);
        EXPECT_EQ(findings[0].id, "cli-prefer-checkpoint-clone");
        EXPECT_EQ(findings[0].text,
                  "constraint cli-prefer-checkpoint-clone overrides the promotion scores of "
                  "checkpoint-clone: gw3 is promoted whenever it is there, also when it returns, "
                  "whatever its replica has; to remove it: pcs constraint delete "
                  "cli-prefer-checkpoint-clone, or crm configure delete "
                  "cli-prefer-checkpoint-clone");
    }
}

TEST(ConstraintsTest, EveryFormOfALocationCounts) {
    for (
        const char* constraint :
        {R"(<rsc_location id="x" rsc="checkpoint" score="+INFINITY" node="gw3"/>)",
         R"(<rsc_location id="x" rsc="second-clone" score="20000" node="gw3"/>)",
         R"(<rsc_location id="x" rsc-pattern="^check" score="1000000" node="gw3"/>)",
         R"(<rsc_location id="x" score="INFINITY" node="gw3"><resource_set id="s" role="Promoted">
             <resource_ref id="printer"/><resource_ref id="checkpoint-clone"/></resource_set>
             </rsc_location>)",
         R"(<rsc_location id="x" rsc="checkpoint-clone"><rule id="r" score="INFINITY" role="master">
             <expression id="e" attribute="#uname" operation="eq" value="gw3"/></rule>
             </rsc_location>)"}) {
        const auto findings = found(constraint);
        ASSERT_THAT(findings, SizeIs(1)) << constraint;
        EXPECT_THAT(findings[0].text, HasSubstr(": gw3 is promoted whenever it is there"));
    }
}

TEST(ConstraintsTest, ARuleForManyNodesIsShownAsItStands) {
    const auto findings = found(
        R"(<rsc_location id="x" rsc="checkpoint-clone">
           <rule id="r" score="INFINITY" role="Promoted" boolean-op="or">
           <expression id="e" attribute="#uname" operation="ne" value="gw1"/>
           <expression id="f" attribute="fast" operation="defined"/></rule></rsc_location>)");
    ASSERT_THAT(findings, SizeIs(1));
    EXPECT_THAT(
        findings[0].text,
        HasSubstr(": any node with #uname ne gw1 or any node with fast defined is promoted"));
}

TEST(ConstraintsTest, ALifetimeCountsUntilItsEnd) {
    const auto with_end = [](const char* end) {
        return found(fmt::format(
            R"(<rsc_location id="cli-prefer-checkpoint-clone" rsc="checkpoint-clone">
               <rule id="r" score="INFINITY" role="Promoted" boolean-op="and">
               <expression id="e" attribute="#uname" operation="eq" value="gw3" type="string"/>
               <date_expression id="d" operation="lt" end="{}"/></rule></rsc_location>)",
            end));
    };
    const auto findings = with_end("2026-11-26 08:59:57Z");
    ASSERT_THAT(findings, SizeIs(1));
    EXPECT_THAT(findings[0].text,
                HasSubstr("gw3 is promoted whenever it is there, also when it returns, whatever "
                          "its replica has until 2026-11-26 08:59:57Z; to"));
    EXPECT_THAT(with_end("2026-11-26 07:59:59Z"), IsEmpty());
    EXPECT_THAT(with_end("2026-11-26T08:59:59+01:00"), IsEmpty());
    EXPECT_THAT(with_end("2026-11-26T07:59:59 -01:00"), SizeIs(1));
    EXPECT_THAT(with_end("2026W48"), SizeIs(1));
}

TEST(ConstraintsTest, ABanOfAMoveIsAmissAndAnExclusionIsIntended) {
    const auto ban =
        found(R"(<rsc_location id="cli-ban-checkpoint-clone-on-gw1" rsc="checkpoint-clone")"
              R"( role="Promoted" node="gw1" score="-INFINITY"/>)");
    ASSERT_THAT(ban, SizeIs(1));
    EXPECT_FALSE(ban[0].is_intended);
    EXPECT_THAT(ban[0].text, HasSubstr(": gw1 is not promoted, also when only its replica is "
                                       "complete; to remove it"));
    const auto stopped =
        found(R"(<rsc_location id="cli-ban-checkpoint-clone-on-gw1" rsc="checkpoint-clone")"
              R"( role="Started" node="gw1" score="-INFINITY"/>)");
    ASSERT_THAT(stopped, SizeIs(1));
    EXPECT_THAT(stopped[0].text, HasSubstr(": gw1 runs no instance, so it neither serves nor"));
    // cib-templates/witness.crm.
    const auto witness = found(
        R"(<rsc_location id="witness-never-serves" rsc-pattern="checkpoint.*-clone">
           <rule id="w" score="-INFINITY" role="Promoted"><expression id="e" attribute="#uname")"
        R"( operation="eq" value="gw3"/></rule></rsc_location>)");
    ASSERT_THAT(witness, SizeIs(1));
    EXPECT_TRUE(witness[0].is_intended);
}

TEST(ConstraintsTest, AGatewayBesideASingleResourceFollowsIt) {
    const auto findings = found(
        R"(<rsc_colocation id="x" rsc="checkpoint-clone" rsc-role="Promoted" with-rsc="printer")"
        R"( score="INFINITY"/>)");
    ASSERT_THAT(findings, SizeIs(1));
    EXPECT_THAT(findings[0].text, HasSubstr(": only a node with printer is promoted, whatever"));
    EXPECT_THAT(found(R"(<rsc_colocation id="x" rsc="printer" with-rsc="checkpoint-clone")"
                      R"( with-rsc-role="Promoted" score="INFINITY"/>)"),
                IsEmpty());
}

TEST(ConstraintsTest, WhatIsNoCibIsAnError) {
    for (const char* text : {"", "<", "<rsc_location ", "</rsc_location>", "</clone></clone>",
                             "<!DOCTYPE x [<!ENTITY a 'b'>]><configuration/>"}) {
        const auto result = find_in_constraints(text, kNow);
        ASSERT_FALSE(result) << text;
        EXPECT_EQ(result.error().code, Errc::malformed);
    }
    EXPECT_THAT(found(R"(<rsc_location id="x" rsc-pattern="(" score="INFINITY"/>)"), IsEmpty());
}

// crmsh keeps the comments of a file that it loads.
TEST(ConstraintsTest, ACommentIsNoConstraint) {
    EXPECT_THAT(found("<!-- <rsc_location id=\"x\" rsc=\"checkpoint-clone\" score=\"INFINITY\" "
                      "node=\"gw1\"/> -->"),
                IsEmpty());
}

}  // namespace constraints_test
}  // namespace vpnha::runtime
