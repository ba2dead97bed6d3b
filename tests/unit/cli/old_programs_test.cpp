// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/old_programs.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "cli/findings.hpp"
#include "cli/status_view.hpp"
#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace old_programs_test {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

using Old = Result<std::vector<OldProgram>>;
const Old kOne = std::vector<OldProgram>{
    {"xl2tpd", "xl2tpd", "1.3.17-1", "1.3.18-1", "a packet costs memory for ever"}};
const Old kNone = std::vector<OldProgram>{};
const Old kUnread = tl::unexpected(Error{Errc::system, "starting it: No such file or directory"});

std::string output(const Old& old) {
    std::ostringstream out;
    looks::Found found(false, out, out);
    print_old_programs(old, found);
    return out.str();
}

json status_with(const Old& old) {
    json status = sample_status();
    add_old_programs(status, old);
    return status;
}

TEST(OldProgramsTest, DoctorNamesEachAndWhy) {
    EXPECT_EQ(
        output(kOne),
        "versions: warning: xl2tpd 1.3.17-1 is older than 1.3.18-1: a packet costs memory for "
        "ever\n");
    EXPECT_EQ(output(kNone),
              "versions: no program is older than docs/operate/versions.md has it\n");
    EXPECT_THAT(output(kUnread), HasSubstr("not looked at: starting it"));
}

TEST(OldProgramsTest, StatusHasALineAndIsNoWorseForIt) {
    const json status = status_with(kOne);
    EXPECT_THAT(render_status(status, false),
                HasSubstr("\nOlder than docs/operate/versions.md has it: xl2tpd 1.3.17-1 (at least "
                          "1.3.18-1).\n\nEvery session"));
    EXPECT_EQ(status.at("old_programs").at(0).at("package"), "xl2tpd");
    EXPECT_TRUE(findings_of(status).empty());
}

TEST(OldProgramsTest, StatusReportsNothingWhereNothingIsOldOrKnown) {
    EXPECT_EQ(status_with(kNone).at("old_programs"), json::array());
    EXPECT_EQ(status_with(kUnread).at("old_programs"), json());
    for (const Old& old : {kNone, kUnread}) {
        EXPECT_THAT(render_status(status_with(old), false), Not(HasSubstr("Older")));
    }
}

}  // namespace old_programs_test
}  // namespace vpnha::cli
