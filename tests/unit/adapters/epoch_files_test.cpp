// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/epoch_files.hpp"

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

constexpr GatewayId kId{7};

class EpochFilesTest : public testing::Test {
  protected:
    void TearDown() override { std::filesystem::remove_all(directory_); }

    EpochFiles open() {
        auto files = EpochFiles::open(directory_);
        EXPECT_TRUE(files) << files.error().detail;
        return std::move(*files);
    }
    void write(const std::string& text) const { std::ofstream(file_) << text; }
    [[nodiscard]] unsigned mode_of(const std::string& path) const {
        struct stat found {};
        EXPECT_EQ(::lstat(path.c_str(), &found), 0);
        return found.st_mode & 07777U;
    }

    std::string directory_ = temporary_path("state") + "/deep";
    std::string file_ = directory_ + "/gateway-7.epoch";
};

TEST_F(EpochFilesTest, RemembersOverAReopening) {
    EXPECT_EQ(open().load(kId), Epoch{});
    const Epoch epoch{3, NodeId{1}};
    ASSERT_TRUE(open().save(kId, epoch));
    EXPECT_EQ(open().load(kId), epoch);
    EXPECT_EQ(open().load(GatewayId{8}), Epoch{});
    const Epoch newest{limits::kCounterMax, NodeId{4'294'967'295}};
    ASSERT_TRUE(open().save(kId, newest));
    EXPECT_EQ(open().load(kId), newest);
}

TEST_F(EpochFilesTest, FilesAreForTheirOwnerAlone) {
    ASSERT_TRUE(open().save(kId, {1, NodeId{1}}));
    EXPECT_EQ(mode_of(directory_), 0700U);
    EXPECT_EQ(mode_of(file_), 0600U);
    EXPECT_FALSE(std::filesystem::exists(file_ + ".new"));
}

TEST_F(EpochFilesTest, ADamagedFileIsAnErrorThatNamesItAndNeverZero) {
    const EpochFiles files = open();
    for (const char* text :
         {"", "3.1\n", "vpnha-epoch 1\n", "vpnha-epoch 1\n3.1", "vpnha-epoch 2\n3.1\n",
          "vpnha-epoch 1\n3.\n", "vpnha-epoch 1\n-3.1\n", "vpnha-epoch 1\n3.1\n\n",
          "vpnha-epoch 1\n3.99999999999\n", "vpnha-epoch 1\n99999999999999999999.1\n",
          "vpnha-epoch 1\n9007199254740993.1\n", "vpnha-epoch 1\n3.1 \n"}) {
        write(text);
        const auto epoch = files.load(kId);
        ASSERT_FALSE(epoch) << text;
        EXPECT_THAT(epoch.error().detail, HasSubstr(file_ + " is damaged"));
    }
}

TEST_F(EpochFilesTest, FollowsNoLink) {
    EpochFiles files = open();
    const std::string elsewhere = directory_ + "/elsewhere";
    std::ofstream(elsewhere) << "vpnha-epoch 1\n3.1\n";
    std::filesystem::create_symlink(elsewhere, file_);
    EXPECT_FALSE(files.load(kId));
    // What a rename leaves in the link's place is a file of our own.
    std::filesystem::create_symlink(elsewhere, file_ + ".new");
    ASSERT_TRUE(files.save(kId, {9, NodeId{2}}));
    EXPECT_EQ(files.load(kId), (Epoch{9, NodeId{2}}));
    std::string line;
    std::ifstream(elsewhere) >> line >> line >> line;
    EXPECT_EQ(line, "3.1");
}

TEST_F(EpochFilesTest, AFailureToSaveSaysWhatWasToBeKept) {
    EpochFiles files = open();
    std::filesystem::create_directories(file_ + "/not-empty");
    const auto saved = files.save(kId, {5, NodeId{2}});
    ASSERT_FALSE(saved);
    EXPECT_THAT(saved.error().detail, HasSubstr("keeping epoch 5.2 in " + file_));
}

TEST_F(EpochFilesTest, RefusesADirectoryThatOthersMayWriteTo) {
    std::filesystem::create_directories(directory_);
    ASSERT_EQ(::chmod(directory_.c_str(), 0777), 0);
    const auto files = EpochFiles::open(directory_);
    ASSERT_FALSE(files);
    EXPECT_EQ(files.error().code, Errc::permission);
    EXPECT_THAT(files.error().detail, HasSubstr("chmod 700 " + directory_));
}

}  // namespace
}  // namespace vpnha::adapters
