// SPDX-License-Identifier: GPL-2.0-or-later
// bash's completion, as bash runs it.
#include "cli/completion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

#include "cli/commands.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::cli {
namespace completion_test {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string script_of(const char* shell) {
    std::ostringstream out;
    std::ostringstream err;
    const std::array<const char*, 3> words{"vpnha", "completion", shell};
    EXPECT_EQ(run(words.size(), words.data(), out, err), 0) << err.str();
    return out.str();
}

class CompletionTest : public ::testing::Test {
  protected:
    void SetUp() override { std::ofstream(script_) << script_of("bash"); }
    void TearDown() override {
        ::unlink(script_.c_str());
        ::unlink(found_.c_str());
    }
    // What bash offers for the last of these words.
    std::string offered(const std::string& words) {
        const pid_t child = ::fork();
        if (child == 0) {
            const std::string program =
                ". '" + script_ + "'; COMP_WORDS=(vpnha " + words +
                "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _vpnha; echo \"${COMPREPLY[*]}\" >'" +
                found_ + "'";
            ::execl("/bin/bash", "bash", "-c", program.c_str(), nullptr);
            ::_exit(127);
        }
        int status = -1;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0) << words;
        std::ifstream file(found_);
        std::string text;
        std::getline(file, text);
        return text;
    }

    std::string script_ = temporary_path("completion.bash");
    std::string found_ = temporary_path("completion.found");
};

TEST_F(CompletionTest, OffersCommandsAndOptionsOfEach) {
    EXPECT_EQ(offered("stat"), "status");
    EXPECT_EQ(offered("sess"), "sessions session");
    EXPECT_EQ(offered("session ''"), "show end --help");
    EXPECT_EQ(offered("sessions --wh"), "--where");
    EXPECT_EQ(offered("config tuning --s"), "--sysctl");
    EXPECT_EQ(offered("--socket /run/x status --ch"), "--check");
    EXPECT_THAT(offered("''"), AllOf(HasSubstr("doctor"), HasSubstr("--version")));
}

TEST_F(CompletionTest, OffersFilesWhereOneIsMeant) {
    const std::string begin = script_.substr(0, script_.size() - 3);
    EXPECT_EQ(offered("doctor '" + begin + "'"), script_);
    for (const char* const option :
         {"metrics --output", "page --output", "report --output", "--socket"}) {
        EXPECT_EQ(offered(option + (" '" + begin + "'")), script_) << option;
    }
    EXPECT_EQ(offered("sessions --sort ''"), "");
    EXPECT_EQ(offered("drill daemon --html '" + begin + "'"), script_);
    EXPECT_EQ(offered("drill daemon --json '" + begin + "'"), script_);
    EXPECT_EQ(offered("sessions --json --wh"), "--where") << "there it is a flag";
}

TEST(ZshCompletionTest, HasEachCommandWithItsHelp) {
    EXPECT_THAT(script_of("zsh"), AllOf(StartsWith("#compdef vpnha\n"),
                                        HasSubstr(" 'status:Gateways, roles and what is amiss'"),
                                        HasSubstr("(\" session\") commands=( 'show:"),
                                        HasSubstr(" '--where:"), Not(HasSubstr("'':"))));
}

}  // namespace completion_test
}  // namespace vpnha::cli
