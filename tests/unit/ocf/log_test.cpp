// SPDX-License-Identifier: GPL-2.0-or-later
#include "ocf/log.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "support/temporary_path.hpp"
#include "unit/ocf/sample_agent.hpp"

namespace vpnha::ocf {
namespace log_test {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LogTest : public testing::Test {
  protected:
    void TearDown() override { ::unlink(file_.c_str()); }

    std::string written() const {
        std::ostringstream text;
        text << std::ifstream(file_).rdbuf();
        return text.str();
    }

    const std::string file_ = temporary_path("ocf.log");
};

TEST_F(LogTest, AppendsToThePlaceThatPacemakerNames) {
    const auto variables = environment({{"HA_LOGFILE", file_}});
    write_log(variables, "sample(gw)", Level::error, "first");
    write_log(variables, "sample(gw)", Level::info, "second");
    EXPECT_THAT(written(), HasSubstr("sample(gw)["));
    EXPECT_THAT(written(), HasSubstr("ERROR: first\n"));
    EXPECT_THAT(written(), HasSubstr("INFO: second\n"));
}

TEST_F(LogTest, DebugAppearsOnlyWhenAskedFor) {
    write_log(environment({{"HA_DEBUGLOG", file_}}), "sample", Level::debug, "detail");
    EXPECT_THAT(written(), IsEmpty());
    write_log(environment({{"HA_DEBUGLOG", file_}, {"HA_debug", "1"}}), "sample", Level::debug,
              "detail");
    EXPECT_THAT(written(), HasSubstr("DEBUG: detail"));
}

}  // namespace log_test
}  // namespace vpnha::ocf
