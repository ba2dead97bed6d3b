// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/program_versions.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "support/contents_of.hpp"

namespace vpnha::runtime {
namespace program_versions_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kKernel = "6.1.0-18-amd64";

std::vector<std::string> older_of(const std::string& packages,
                                  const std::string& kernel = kKernel) {
    std::vector<std::string> names;
    const Result<std::vector<OldProgram>> old = find_old_programs(packages, kernel);
    EXPECT_TRUE(old) << old.error().detail;
    for (const OldProgram& each : old.value_or(std::vector<OldProgram>{})) {
        names.push_back(each.program + " " + each.installed + " < " + each.least);
    }
    return names;
}

TEST(ProgramVersionsTest, AnOlderOneIsNamedWithWhatItNeeds) {
    EXPECT_THAT(older_of("zsh installed 5.9-4\nxl2tpd installed 1.3.17-1\n"),
                ElementsAre("xl2tpd 1.3.17-1 < 1.3.18-1"));
    EXPECT_THAT(older_of("", "5.10.0-28-amd64"), ElementsAre("the kernel 5.10.0-28-amd64 < 6.1"));
}

TEST(ProgramVersionsTest, VersionsAreComparedByTheRulesOfDebian) {
    struct Case {
        const char* version;
        bool is_older;
    };
    for (const Case& each :
         {Case{"3.0.19-1~deb12u2", false}, Case{"3.0.19-1", false},
          Case{"3.0.19-1~deb12u10", false}, Case{"1:1.0-1", false}, Case{"3.0.19-1~deb12u1", true},
          Case{"3.0.9-1", true}, Case{"3.0.19~rc1-1", true}}) {
        const std::string line = fmt::format("libssl3 installed {}\n", each.version);
        EXPECT_EQ(!older_of(line).empty(), each.is_older) << each.version;
    }
}

TEST(ProgramVersionsTest, EachSeriesHasALeastVersionOfItsOwn) {
    const auto charon = [](const std::string& version) {
        return older_of("charon-systemd installed " + version + "\n");
    };
    EXPECT_THAT(charon("5.9.8-5+deb12u6"), IsEmpty());
    EXPECT_THAT(charon("5.9.8-5+deb12u5"), ElementsAre("charon 5.9.8-5+deb12u5 < 5.9.8-5+deb12u6"));
    EXPECT_THAT(charon("6.0.1-6+deb13u7"), IsEmpty());
    EXPECT_THAT(charon("6.0.1-6"), ElementsAre("charon 6 6.0.1-6 < 6.0.1-6+deb13u7"));
    EXPECT_THAT(charon("6.1.0-2"), IsEmpty());
}

TEST(ProgramVersionsTest, WhatIsNotInstalledIsNotOld) {
    EXPECT_THAT(older_of(""), IsEmpty());
    EXPECT_THAT(older_of("xl2tpd config-files 1.3.17-1\npptpd not-installed \n"
                         "xl2tpd-doc installed 1.0-1\n"),
                IsEmpty());
}

TEST(ProgramVersionsTest, ThisNodesPackagesAreRead) {
    const Result<std::string> packages = read_packages();
    ASSERT_TRUE(packages) << packages.error().detail;
    EXPECT_THAT(*packages, HasSubstr("\ndpkg installed "));
    EXPECT_FALSE(kernel_release().empty());
}

TEST(ProgramVersionsTest, TheDocumentHasTheSameTable) {
    const std::string document = contents_of(VPNHA_DOCS_DIR "/operate/versions.md");
    std::size_t at = document.find("|---|---|---|---|---|\n");
    ASSERT_NE(at, std::string::npos);
    for (const tuning::ProgramVersion& each : program_versions()) {
        at = document.find('\n', at) + 1;
        const std::string row =
            fmt::format("| {} | {} | {} | {} | ", each.program, each.package, each.least, each.why);
        EXPECT_EQ(document.substr(at, row.size()), row);
    }
    at = document.find('\n', at) + 1;
    EXPECT_EQ(document[at], '\n') << "a row that is not in the table";
}

}  // namespace program_versions_test
}  // namespace vpnha::runtime
