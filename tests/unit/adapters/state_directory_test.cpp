// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/state_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/limits.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace {

using testing::HasSubstr;

constexpr const char* kName = "gateway-7.lease";

class StateDirectoryTest : public testing::Test {
  protected:
    void TearDown() override { std::filesystem::remove_all(directory_); }

    StateDirectory open() {
        auto opened = StateDirectory::open(directory_);
        EXPECT_TRUE(opened) << opened.error().detail;
        return std::move(*opened);
    }
    [[nodiscard]] static unsigned mode_of(const std::string& path) {
        struct stat found {};
        EXPECT_EQ(::lstat(path.c_str(), &found), 0);
        return found.st_mode & 07777U;
    }
    [[nodiscard]] static std::string content(const std::optional<std::string>& read) {
        return read.value_or("(no file)");
    }

    std::string directory_ = temporary_path("state") + "/deep";
    std::string file_ = directory_ + "/" + kName;
};

TEST_F(StateDirectoryTest, RemembersOverAReopening) {
    EXPECT_FALSE(open().read(kName).value().has_value());
    ASSERT_TRUE(open().write(kName, "one"));
    ASSERT_TRUE(open().write(kName, "two"));
    EXPECT_EQ(content(*open().read(kName)), "two");
    EXPECT_FALSE(open().read("another").value().has_value());
}

TEST_F(StateDirectoryTest, FilesAreForTheirOwnerAlone) {
    ASSERT_TRUE(open().write(kName, "text"));
    EXPECT_EQ(mode_of(directory_), 0700U);
    EXPECT_EQ(mode_of(file_), 0600U);
    EXPECT_FALSE(std::filesystem::exists(file_ + ".new"));
}

TEST_F(StateDirectoryTest, FollowsNoLink) {
    const StateDirectory state = open();
    const std::string elsewhere = directory_ + "/elsewhere";
    std::ofstream(elsewhere) << "theirs";
    std::filesystem::create_symlink(elsewhere, file_);
    EXPECT_FALSE(state.read(kName));
    // What a rename leaves in the link's place is a file of our own.
    std::filesystem::create_symlink(elsewhere, file_ + ".new");
    ASSERT_TRUE(state.write(kName, "ours"));
    EXPECT_EQ(content(*state.read(kName)), "ours");
    EXPECT_EQ(content(*state.read("elsewhere")), "theirs");
}

TEST_F(StateDirectoryTest, AFileBeyondItsBoundIsAnErrorThatNamesIt) {
    const StateDirectory state = open();
    ASSERT_TRUE(state.write(kName, std::string(limits::kStateFileBytesMax, 'x')));
    EXPECT_EQ(content(*state.read(kName)).size(), limits::kStateFileBytesMax);
    std::ofstream(file_) << std::string(limits::kStateFileBytesMax + 1, 'x');
    const auto read = state.read(kName);
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().detail, HasSubstr(file_));
}

TEST_F(StateDirectoryTest, AFailureToWriteSaysWhatFailed) {
    const StateDirectory state = open();
    std::filesystem::create_directories(file_ + "/not-empty");
    const auto written = state.write(kName, "text");
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().detail, HasSubstr("writing " + file_ + ": rename"));
}

TEST_F(StateDirectoryTest, RefusesADirectoryThatOthersMayWriteTo) {
    std::filesystem::create_directories(directory_);
    ASSERT_EQ(::chmod(directory_.c_str(), 0777), 0);
    const auto opened = StateDirectory::open(directory_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::permission);
    EXPECT_THAT(opened.error().detail, HasSubstr("chmod 700 " + directory_));
}

}  // namespace
}  // namespace vpnha::adapters
