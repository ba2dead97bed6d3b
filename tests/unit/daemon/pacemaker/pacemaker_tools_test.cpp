// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/pacemaker/pacemaker_tools.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnha::runtime {
namespace pacemaker_tools_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PacemakerToolsTest : public ::testing::Test {
  protected:
    PacemakerTools::Done noting() {
        return [this](const Result<void>& result) {
            notified_.push_back(result ? "done" : result.error().detail);
            loop_.stop();
        };
    }

    adapters::QbLoop loop_;
    std::vector<std::string> notified_;
};

TEST_F(PacemakerToolsTest, TheEndIsReportedLater) {
    PacemakerTools tools(loop_);
    tools.start({"/bin/true"}, noting());
    EXPECT_THAT(notified_, IsEmpty());
    loop_.run();
    EXPECT_THAT(notified_, ElementsAre("done"));
}

TEST_F(PacemakerToolsTest, AnErrorIsReportedWithItsExitCode) {
    PacemakerTools tools(loop_);
    tools.start({"/bin/sh", "-c", "exit 102"}, noting());
    loop_.run();
    EXPECT_THAT(notified_, ElementsAre("/bin/sh ended with exit code 102"));
}

TEST_F(PacemakerToolsTest, AProgramThatIsMissingIsAnError) {
    PacemakerTools tools(loop_);
    tools.start({"/nowhere/crm_resource"}, noting());
    EXPECT_THAT(notified_, IsEmpty()) << "not within the call";
    loop_.run();
    EXPECT_THAT(notified_, ElementsAre(HasSubstr("starting /nowhere/crm_resource")));
}

TEST_F(PacemakerToolsTest, AProgramHasItsEnvironmentAndNoneOfOurs) {
    ::setenv("VPNHA_OURS", "1", 1);
    PacemakerTools tools(loop_);
    tools.start({"/bin/sh", "-c", "test \"$NAME$VPNHA_OURS\" = value && test -n \"$PATH\""},
                noting(), {"NAME=value"});
    loop_.run();
    ::unsetenv("VPNHA_OURS");
    EXPECT_THAT(notified_, ElementsAre("done"));
}

// The thread blocks signals, and the program is to end by them.
TEST_F(PacemakerToolsTest, AProgramIsEndedBySignals) {
    PacemakerTools tools(loop_);
    tools.start({"/bin/sh", "-c", "kill -TERM $$; sleep 5"}, noting());
    loop_.run();
    EXPECT_THAT(notified_, ElementsAre("/bin/sh ended with exit code -1"));
}

TEST_F(PacemakerToolsTest, NobodyIsNotifiedAfterwards) {
    PacemakerTools(loop_).start({"/bin/true"}, noting());
    loop_.set_timer(1, adapters::QbLoop::now() + std::chrono::milliseconds(50),
                    [this] { loop_.stop(); });
    loop_.run();
    EXPECT_THAT(notified_, IsEmpty());
}

}  // namespace pacemaker_tools_test
}  // namespace vpnha::runtime
