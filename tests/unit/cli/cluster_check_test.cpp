// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/cluster_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/findings.hpp"
#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace cluster_check_test {

using nlohmann::json;

const ConstraintFinding kLeft{false, "cli-prefer-x", "constraint cli-prefer-x overrides"};
const ConstraintFinding kIntended{true, "witness", "constraint witness overrides"};

struct Shown {
    ExitCode code;
    std::string out, err;
};

Shown shown(const Result<std::vector<ConstraintFinding>>& check, bool as_json) {
    std::ostringstream out;
    std::ostringstream err;
    const ExitCode code = show_cluster_check(check, as_json, out, err);
    return {code, out.str(), err.str()};
}

using Constraints = std::vector<ConstraintFinding>;

TEST(ClusterCheckTest, AConstraintThatAMoveHasLeftIsAWarning) {
    const Shown both = shown(Constraints{kLeft, kIntended}, false);
    EXPECT_EQ(both.code, ExitCode::degraded);
    EXPECT_EQ(both.out,
              "warning: constraint cli-prefer-x overrides\n"
              "note: constraint witness overrides\n");
    EXPECT_EQ(shown(Constraints{kIntended}, false).code, ExitCode::ok);
    const Shown none = shown(Constraints{}, false);
    EXPECT_EQ(none.code, ExitCode::ok);
    EXPECT_EQ(none.out, "no constraint overrides the promotion scores\n");
}

TEST(ClusterCheckTest, TheSameAsJson) {
    const Shown both = shown(Constraints{kLeft, kIntended}, true);
    EXPECT_EQ(both.code, ExitCode::degraded);
    const json list = json::parse(both.out).at("constraints");
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].at("id"), "cli-prefer-x");
    EXPECT_EQ(list[0].at("intended"), false);
    EXPECT_EQ(list[1].at("intended"), true);
    EXPECT_EQ(json::parse(shown(Constraints{}, true).out), (json{{"constraints", json::array()}}));
}

TEST(ClusterCheckTest, ACibThatCannotBeReadIsAnError) {
    const Shown unread = shown(tl::unexpected(Error{Errc::system, "exit code 102"}), false);
    EXPECT_EQ(unread.code, ExitCode::failed);
    EXPECT_EQ(unread.err, "vpnha: exit code 102\n");
}

TEST(ClusterCheckTest, StatusHasWhatIsAmissAlone) {
    json status = sample_status();
    add_constraints(status, tl::unexpected(Error{Errc::system, "exit code 102"}));
    add_constraints(status, Constraints{kIntended});
    EXPECT_EQ(status, sample_status());
    add_constraints(status, Constraints{kLeft, kIntended});
    ASSERT_EQ(findings_of(status).size(), 1U);
    EXPECT_EQ(findings_of(status)[0].text, kLeft.text);
}

}  // namespace cluster_check_test
}  // namespace vpnha::cli
