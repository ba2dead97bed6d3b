// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/state_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "base/limits.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace state_directory_test {

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
    EXPECT_EQ(mode_of(file_ + ".new"), 0600U) << "the space of the next write";
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

TEST_F(StateDirectoryTest, AFullDiskTakesWhatHasItsSpaceAlready) {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0) << "needs root";
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    std::filesystem::create_directories(directory_);
    ASSERT_EQ(::mount("state", directory_.c_str(), "tmpfs", 0, "size=64k,mode=0700"), 0);
    const StateDirectory state = open();
    ASSERT_TRUE(state.write(kName, "one"));
    ASSERT_TRUE(state.reserve("never-written"));
    std::ofstream hog(directory_ + "/hog");
    for (int i = 0; i < 32; ++i) {
        hog << std::string(4096, 'x') << std::flush;
    }
    EXPECT_FALSE(hog.good()) << "it is full";
    // What a write gives back, others take at once: a log, say. Here nothing is given back.
    std::vector<std::ifstream> readers;
    for (const char* text : {"two", "a longer three", "4"}) {
        readers.emplace_back(file_);
        const auto written = state.write(kName, text);
        ASSERT_TRUE(written) << written.error().detail;
        EXPECT_EQ(content(*state.read(kName)), text);
    }
    EXPECT_TRUE(state.write("never-written", "once"));
    const auto refused = state.write("other", "text");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("No space left"));
    EXPECT_EQ(::umount2(directory_.c_str(), MNT_DETACH), 0);
}

TEST_F(StateDirectoryTest, AWriteThatWasCutShortLeavesWhatWasThere) {
    const StateDirectory state = open();
    ASSERT_TRUE(state.write(kName, "whole"));
    std::ofstream(file_ + ".new") << std::string(9000, 'x');
    EXPECT_EQ(content(*state.read(kName)), "whole");
    ASSERT_TRUE(state.write(kName, "next"));
    EXPECT_EQ(content(*state.read(kName)), "next");
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

TEST_F(StateDirectoryTest, AFailureToWriteReportsWhatFailed) {
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

}  // namespace state_directory_test
}  // namespace vpnha::adapters
