// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/origin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_path.hpp"

namespace vpnha::runtime {
namespace origin_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A link stands for /proc/self/exe.
class OriginTest : public ::testing::Test {
  protected:
    void SetUp() override {
        write("one");
        runs("/usr/sbin/vpnhad");
    }
    void TearDown() override {
        std::filesystem::remove(config_);
        std::filesystem::remove(link_);
    }
    void write(const char* text) { std::ofstream(config_) << text; }
    void runs(const char* program) {
        std::filesystem::remove(link_);
        std::filesystem::create_symlink(program, link_);
    }
    [[nodiscard]] StartParameters parameters() const { return {config_, "/var/log/one.log"}; }

    std::string config_ = temporary_path("origin.toml");
    std::string link_ = temporary_path("origin.exe");
};

TEST_F(OriginTest, AtFirstNothingDiffers) {
    EXPECT_THAT(Origin(parameters(), link_).differences(parameters()), IsEmpty());
}

TEST_F(OriginTest, AConfigurationDiffersByItsContent) {
    const Origin origin(parameters(), link_);
    write("one");
    EXPECT_THAT(origin.differences(parameters()), IsEmpty());
    write("two");
    EXPECT_THAT(origin.differences(parameters()), ElementsAre(config_ + " has changed"));
    std::filesystem::remove(config_);
    EXPECT_THAT(origin.differences(parameters()), ElementsAre(config_ + " has changed"));
}

TEST_F(OriginTest, AProgramDiffersWhenItsFileIsGone) {
    const Origin origin(parameters(), link_);
    runs("/usr/sbin/vpnhad (deleted)");
    EXPECT_THAT(origin.differences(parameters()), ElementsAre("/usr/sbin/vpnhad was replaced"));
}

TEST_F(OriginTest, OtherParametersDiffer) {
    const Origin origin(parameters(), link_);
    EXPECT_THAT(origin.differences({config_, "/var/log/two.log"}),
                ElementsAre("the parameter log_file was /var/log/one.log and is "
                            "/var/log/two.log"));
    EXPECT_THAT(origin.differences({"/nowhere", "/var/log/one.log"}),
                ElementsAre("the parameter config was " + config_ + " and is /nowhere"));
}

}  // namespace origin_test
}  // namespace vpnha::runtime
