// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/exit_code.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace vpnha::cli {
namespace exit_code_test {

TEST(ExitCodeTest, GivesScriptsWhatTheyCanActOn) {
    EXPECT_EQ(static_cast<int>(exit_code_for(Errc::system)), 1);
    EXPECT_EQ(static_cast<int>(exit_code_for(Errc::invalid_config)), 1);
    EXPECT_EQ(static_cast<int>(exit_code_for(Errc::invalid_argument)), 2);
    EXPECT_EQ(static_cast<int>(exit_code_for(Errc::unreachable)), 3);
    EXPECT_EQ(static_cast<int>(exit_code_for(Errc::timeout)), 3);
    EXPECT_EQ(static_cast<int>(exit_code_for(Errc::permission)), 4);
    EXPECT_EQ(static_cast<int>(exit_code_for(Errc::not_found)), 5);
    EXPECT_EQ(static_cast<int>(ExitCode::degraded), 6);
}

TEST(ExitCodeTest, EachErrorOfAConfigurationHasALine) {
    const auto reported = [](const std::string& detail) {
        std::ostringstream err;
        EXPECT_EQ(report({Errc::invalid_config, detail}, err), ExitCode::failed);
        return err.str();
    };
    EXPECT_EQ(reported("f:1: a\nf:2: \x1b[31mb"), "vpnha: f:1: a\nvpnha: f:2: ?[31mb\n");
    EXPECT_EQ(reported("one"), "vpnha: one\n");
    EXPECT_EQ(reported(""), "vpnha: \n");
}

}  // namespace exit_code_test
}  // namespace vpnha::cli
